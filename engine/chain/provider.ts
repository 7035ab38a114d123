/** One node behind one HTTP address. It is asked its chain id before anything else, and again after every failure. */
import { NotThereError, ProviderFailedError, RpcRefusedError, WrongChainError } from "./errors.ts";
import { type Answered, Endpoint, type Question } from "./http.ts";
import { quantity } from "./shapes.ts";
import type { Shape } from "./types.ts";

export interface ProviderHealth {
  /** Scheme and host only: the rest may hold a key. */
  url: string;
  ok: boolean;
  /** What last went wrong; null when the last question was answered well. */
  lastError: string | null;
  /** Where its word on the transfers of our wallets differs from the others'; null when it doesn't. */
  disagreement: string | null;
  /** The newest block that it named; null before the first look. */
  headNumber: bigint | null;
  /** How many blocks it is behind the best of them. */
  lagBlocks: number;
}

export interface ProviderOptions {
  expectedChainId: number;
  requestTimeoutMs: number;
}

/** An address may lead to another node at any time (a load balancer, a changed entry): looked at once a minute. */
const chainIdGoodForMs = 60_000;

export class Provider {
  readonly health: ProviderHealth;
  readonly #endpoint: Endpoint;
  readonly #expectedChainId: bigint;
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | null = null;

  constructor(url: string, { expectedChainId, requestTimeoutMs }: ProviderOptions) {
    this.#endpoint = new Endpoint(url, { timeoutMs: requestTimeoutMs });
    this.#expectedChainId = BigInt(expectedChainId);
    this.health = {
      url: shortUrl(url),
      ok: false,
      lastError: null,
      disagreement: null,
      headNumber: null,
      lagBlocks: 0,
    };
  }

  /**
   * Asks once.
   * @throws RpcRefusedError, ProviderFailedError, WrongChainError, or what `shape` throws
   */
  async ask<T>(method: string, params: readonly unknown[], shape: Shape<T>): Promise<T> {
    const [answer] = await this.askTogether([{ method, params, shape }]);
    if (answer === undefined) throw new Error("one question has one answer");
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  }

  /** Asks several things in one request. @throws when the request as a whole failed */
  async askTogether<T>(
    questions: readonly (Question & { shape: Shape<T> })[],
  ): Promise<PromiseSettledResult<T>[]> {
    await this.check();
    const answers = await this.#send(questions);
    return answers.map((answer, index): PromiseSettledResult<T> => {
      if (!answer.ok) {
        const refused = answer.error instanceof RpcRefusedError && !answer.error.isRevert;
        if (refused) this.doubt(`it refuses ${questions[index]?.method}: ${reasonOf(answer.error)}`);
        return { status: "rejected", reason: answer.error };
      }
      try {
        const value = questions[index]?.shape.parse(answer.result) as T;
        return { status: "fulfilled", value };
      } catch (error) {
        if (!(error instanceof NotThereError)) this.failed(error);
        return { status: "rejected", reason: error };
      }
    });
  }

  /** @throws WrongChainError when it answers for another chain, ProviderFailedError when it doesn't answer */
  async check(): Promise<void> {
    if (performance.now() - this.#checkedAtMs < chainIdGoodForMs) return;
    this.#checking ??= this.#checkChainId().finally(() => {
      this.#checking = null;
    });
    try {
      await this.#checking;
    } catch (error) {
      if (error instanceof WrongChainError) throw error;
      // Whatever was to be asked next, or sent, has not left.
      throw new ProviderFailedError(reasonOf(error), { mayHaveArrived: false, cause: error });
    }
  }

  failed(error: unknown): void {
    this.#checkedAtMs = Number.NEGATIVE_INFINITY;
    this.health.ok = false;
    this.health.lastError = reasonOf(error);
  }

  /** Notes something odd that leaves the provider usable; null takes the note back. */
  doubt(what: string | null): void {
    if (this.health.ok) this.health.lastError = what;
  }

  close(): void {
    this.#endpoint.close();
  }

  async #checkChainId(): Promise<void> {
    const [answer] = await this.#send([{ method: "eth_chainId", params: [] }]);
    const chainId = quantity.safeParse(answer?.ok ? answer.result : null).data;
    if (chainId !== this.#expectedChainId) {
      const error =
        chainId === undefined
          ? new ProviderFailedError("it doesn't say which chain it is on", { mayHaveArrived: false })
          : new WrongChainError(
              `${this.health.url} is on chain ${chainId}, not ${this.#expectedChainId}: it isn't used.`,
            );
      this.failed(error);
      throw error;
    }
    this.#checkedAtMs = performance.now();
    this.health.ok = true;
    this.health.lastError = null;
  }

  async #send(questions: readonly Question[]): Promise<Answered[]> {
    try {
      const answers = await this.#endpoint.post(questions);
      for (const answer of answers)
        if (!answer.ok && !(answer.error instanceof RpcRefusedError)) this.failed(answer.error);
      return answers;
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 200);
  if (error.name === "ZodError") return "an answer of the wrong form";
  return (error.message.split("\n", 1)[0] ?? error.name).slice(0, 200);
}

export function shortUrl(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
