import type { Chain } from "./client.ts";
import type { Tag } from "./heads.ts";
import { pause } from "./pause.ts";
import type { Provider } from "./provider.ts";
import { type Header, header } from "./shapes.ts";
import type { Announcer, Shape, Sighting } from "./types.ts";

/** What one provider last said of the chain. */
export interface View {
  provider: Provider;
  head: Header;
  finalized: Header | null;
  safe: Header | null;
}

/** A head to look at, and who announced it, if anybody did. */
export interface Announced {
  head: Header;
  announcer: Announcer | null;
}

export interface HeadFeedOptions {
  pollIntervalMs: number;
  signal: AbortSignal;
  tokens: readonly string[];
  sighted: (sighting: Sighting) => void;
}

const maybeHeader = header.nullable();

/**
 * What the nodes say now, gathered in the background: new heads from WebSockets for speed, and each provider by polling
 * for truth, so that a connection that is only half open costs at most one interval and a slow provider holds up nobody.
 * It remembers one head and one view per provider, however slow its reader is.
 */
export class HeadFeed {
  /** How many polls were answered so far. */
  polls = 0;
  readonly #chain: Chain;
  readonly #options: HeadFeedOptions;
  readonly #closed = new AbortController();
  readonly #views = new Map<Provider, View>();
  #announced: Announced | null = null;
  #isNew = false;
  #wake: () => void = () => undefined;
  #unwatch: () => void = () => undefined;

  constructor(chain: Chain, options: HeadFeedOptions) {
    this.#chain = chain;
    this.#options = options;
  }

  open(): void {
    const { signal, tokens, sighted } = this.#options;
    signal.addEventListener("abort", this.#tell);
    this.#unwatch = this.#chain.watchHeads({
      heard: (head, announcer) => {
        this.#announced = { head, announcer };
        this.#tell();
      },
      tokens,
      sighted,
    });
    for (const provider of this.#chain.providers) void this.#follow(provider);
  }

  /** Waits until somebody said something since the last call, or the signal is aborted. */
  async changed(): Promise<void> {
    if (!this.#isNew && !this.#options.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#isNew = false;
  }

  /**
   * The heads to look at, one until it leads to blocks: one just announced (once), and those that providers name, the
   * highest first.
   */
  takeHeads(): Announced[] {
    const announced = this.#announced;
    this.#announced = null;
    const named = this.views()
      .map(({ head }) => ({ head, announcer: null }))
      .sort((a, b) => (a.head.number < b.head.number ? 1 : a.head.number > b.head.number ? -1 : 0));
    return announced === null ? named : [announced, ...named];
  }

  /** Of the providers that answered their last poll. */
  views(): View[] {
    return [...this.#views.values()];
  }

  close(): void {
    this.#options.signal.removeEventListener("abort", this.#tell);
    this.#closed.abort();
    this.#unwatch();
  }

  readonly #tell = (): void => {
    this.#isNew = true;
    this.#wake();
  };

  /** Asks every provider once, without being open: for a reader who sets the pace himself. */
  async poll(): Promise<void> {
    await Promise.all(this.#chain.providers.map((provider) => this.#look(provider)));
  }

  async #look(provider: Provider): Promise<void> {
    try {
      const [head, finalized, safe] = await Promise.all([
        readTag(provider, "latest", header),
        readTag(provider, "finalized", maybeHeader),
        // Not every node knows the tag; the others are worth following all the same.
        readTag(provider, "safe", maybeHeader).catch(() => null),
      ]);
      provider.health.headNumber = head.number;
      this.#views.set(provider, { provider, head, finalized, safe });
      this.polls += 1;
    } catch {
      this.#views.delete(provider); // Why is in its health.
    }
  }

  async #follow(provider: Provider): Promise<void> {
    while (!this.#closed.signal.aborted) {
      await this.#look(provider);
      if (this.#closed.signal.aborted) return;
      this.#tell();
      await pause(this.#options.pollIntervalMs, this.#closed.signal);
    }
  }
}

const readTag = <T>(provider: Provider, tag: Tag, shape: Shape<T>): Promise<T> =>
  provider.ask("eth_getBlockByNumber", [tag, false], shape);
