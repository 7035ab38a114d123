import type { Chain } from "./client.ts";
import { readTag } from "./heads.ts";
import type { Header } from "./shapes.ts";

/**
 * The newest head, from a WebSocket for speed and from polling for truth: a connection that is only half open costs at
 * most one polling interval. Remembers one head, however slow the reader is.
 */
export class HeadFeed {
  #announced: Header | null = null;
  #wake: () => void = () => undefined;
  #stop: () => void = () => undefined;
  readonly #chain: Chain;
  readonly #pollIntervalMs: number;
  readonly #signal: AbortSignal;

  constructor(chain: Chain, { pollIntervalMs, signal }: { pollIntervalMs: number; signal: AbortSignal }) {
    this.#chain = chain;
    this.#pollIntervalMs = pollIntervalMs;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  async open(): Promise<void> {
    this.#stop = await this.#chain.watchHeads((head) => {
      this.#announced = head;
      this.#wake();
    });
  }

  /** The next head: as soon as one is announced, or the latest after a polling interval; null when aborted. */
  async next(): Promise<Header | null> {
    if (this.#announced === null && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#pollIntervalMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (this.#signal.aborted) return null;
    const announced = this.#announced;
    this.#announced = null;
    return announced ?? (await readTag(this.#chain, "latest"));
  }

  close(): void {
    this.#stop();
  }
}
