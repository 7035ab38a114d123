/** Questions to the nodes: failover, limits, and nothing believed that doesn't have the right form. */
import { z } from "zod";
import { NotThereError, RpcRefusedError, RpcUnavailableError, WrongChainError } from "./errors.ts";
import { type HeadListener, HeadSocket } from "./head-socket.ts";
import { pause } from "./pause.ts";
import { Provider, type ProviderHealth, reasonOf } from "./provider.ts";
import type { Shape } from "./types.ts";

export type { ProviderHealth } from "./provider.ts";
export type { Shape } from "./types.ts";

export interface ChainOptions {
  /**
   * HTTP and WebSocket addresses. At least one HTTP. A WebSocket only makes new heads arrive sooner, and their logs, where
   * it is on the host of one of the former.
   */
  rpcUrls: string[];
  expectedChainId: number;
  /** For one request, to its last byte. */
  requestTimeoutMs: number;
  /** A WebSocket that announces nothing for so long is asked whether it still lives. Default 15 s. */
  silenceMs?: number;
}
export interface AskOptions {
  /** How often every provider is tried before giving up; 3 unless told. */
  rounds?: number;
}
export interface Chain {
  /**
   * Asks until one provider gives an answer that `shape` can read; those that are well and at the tip come first.
   * @throws RpcRefusedError when the node said no; NotThereError when `shape` says so of every answer;
   *   RpcUnavailableError when nobody gave a usable answer
   */
  ask<T>(method: string, params: readonly unknown[], shape: Shape<T>, options?: AskOptions): Promise<T>;
  /** The same method for many parameters, in their order: in few requests where the node takes several at once. */
  askMany<T>(
    method: string,
    questions: readonly { params: readonly unknown[]; shape: Shape<T> }[],
    options?: AskOptions,
  ): Promise<T[]>;
  /** The HTTP nodes, as configured: for what must reach all of them, or be agreed on. */
  readonly providers: readonly Provider[];
  /** How many providers must say the same before money leaves for good: two where two are configured. */
  readonly quorum: number;
  /** Tells of each new head that a WebSocket announces, and of transfers. Lost connections are opened again. */
  watchHeads(listener: HeadListener): () => void;
  /** True when every provider is anvil or its like. With loopback addresses it means that nothing here has value. */
  isDevelopmentNode(): Promise<boolean>;
  health(): ProviderHealth[];
  close(): Promise<void>;
}

const clientVersion = z.string();
const firstPauseMs = 50;
/** More than this behind the best head, and a provider is asked last. */
const lagAllowedBlocks = 2;
/** Questions in one request; every node that takes several at once takes as many. */
const questionsTogether = 20;

/** @throws WrongChainError when a provider is on another chain, RpcUnavailableError when none answers at all. */
export async function createChain(options: ChainOptions): Promise<Chain> {
  const providers = options.rpcUrls
    .filter((url) => url.startsWith("http"))
    .map((url) => new Provider(url, options));
  if (providers.length === 0)
    throw new RpcUnavailableError("BASE_RPC_URLS: name at least one http address of a node.");
  const chain = new Nodes(providers, options);
  try {
    await chain.checkAll();
  } catch (error) {
    await chain.close();
    throw error;
  }
  return chain;
}

const hostOf = (url: string): string => new URL(url).host;

class Nodes implements Chain {
  readonly providers: readonly Provider[];
  readonly quorum: number;
  readonly #options: ChainOptions;
  readonly #sockets = new Set<HeadSocket>();
  #closed = false;
  #isDevelopment: boolean | null = null;

  constructor(providers: Provider[], options: ChainOptions) {
    this.providers = providers;
    this.quorum = Math.min(2, providers.length);
    this.#options = options;
  }

  async checkAll(): Promise<void> {
    const results = await Promise.allSettled(this.providers.map((provider) => provider.check()));
    for (const result of results)
      if (result.status === "rejected" && result.reason instanceof WrongChainError) throw result.reason;
    if (results.some(({ status }) => status === "fulfilled")) return;
    const reasons = this.providers.map(({ health }) => `${health.url}: ${health.lastError}`);
    throw new RpcUnavailableError(`No node answers: ${reasons.join("; ")}`);
  }

  async ask<T>(
    method: string,
    params: readonly unknown[],
    shape: Shape<T>,
    { rounds = 3 }: AskOptions = {},
  ): Promise<T> {
    let refusal: RpcRefusedError | NotThereError | null = null;
    let failure: unknown = null;
    for (let round = 0; round < rounds && !this.#closed; round += 1) {
      if (round > 0) await pause(firstPauseMs * 3 ** (round - 1));
      for (const provider of this.#byTrust()) {
        // Once a node has said something, those that fail aren't waited for again.
        if (round > 0 && refusal !== null && !provider.health.ok) continue;
        try {
          return await provider.ask(method, params, shape);
        } catch (error) {
          if (error instanceof RpcRefusedError && error.isRevert) throw error;
          if (error instanceof RpcRefusedError || error instanceof NotThereError) refusal = error;
          else failure = error;
        }
      }
      if (refusal !== null && !refusal.retriable) throw refusal;
    }
    if (refusal !== null) throw refusal;
    const why = this.#closed ? "the connection was closed" : reasonOf(failure);
    throw new RpcUnavailableError(`No node answers ${method}: ${why}`, { cause: failure });
  }

  async askMany<T>(
    method: string,
    questions: readonly { params: readonly unknown[]; shape: Shape<T> }[],
    options: AskOptions = {},
  ): Promise<T[]> {
    const found: T[] = [];
    for (let start = 0; start < questions.length; start += questionsTogether) {
      const part = questions.slice(start, start + questionsTogether);
      const [provider] = this.#byTrust();
      const answers = await provider
        ?.askTogether(part.map((question) => ({ method, ...question })))
        .catch(() => undefined); // A node that takes one at a time only.
      for (const [index, question] of part.entries()) {
        const answer = answers?.[index];
        found.push(
          answer?.status === "fulfilled"
            ? answer.value
            : await this.ask(method, question.params, question.shape, options),
        );
      }
    }
    return found;
  }

  watchHeads(listener: HeadListener): () => void {
    const hosts = this.#options.rpcUrls.filter((url) => url.startsWith("http")).map(hostOf);
    const own = this.#options.rpcUrls
      .filter((url) => url.startsWith("ws"))
      .map(
        (url) => new HeadSocket(url, { ...this.#options, isProvider: hosts.includes(hostOf(url)), listener }),
      );
    for (const socket of own) this.#sockets.add(socket);
    return () => {
      for (const socket of own) socket.close();
      for (const socket of own) this.#sockets.delete(socket);
    };
  }

  async isDevelopmentNode(): Promise<boolean> {
    if (this.#isDevelopment === null) {
      const asked = this.providers.map((provider) => provider.ask("web3_clientVersion", [], clientVersion));
      const versions = await Promise.all(asked).catch(() => null);
      if (versions === null) return false; // For now: one of them doesn't answer.
      this.#isDevelopment = versions.every((version) => /^(anvil|hardhat)/i.test(version));
    }
    return this.#isDevelopment;
  }

  health(): ProviderHealth[] {
    const numbers = this.providers.map(({ health }) => health.headNumber ?? 0n);
    const best = numbers.reduce((a, b) => (a > b ? a : b), 0n);
    for (const { health } of this.providers)
      health.lagBlocks = health.headNumber === null ? 0 : Number(best - health.headNumber);
    return [...this.providers, ...this.#sockets].map(({ health }) => ({ ...health }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const socket of this.#sockets) socket.close();
    for (const provider of this.providers) provider.close();
  }

  #byTrust(): Provider[] {
    this.health(); // brings the lags up to date
    const trust = ({ health }: Provider): number =>
      (health.ok ? 0 : 2) + (health.lagBlocks > lagAllowedBlocks ? 1 : 0);
    return [...this.providers].sort((a, b) => trust(a) - trust(b));
  }
}
