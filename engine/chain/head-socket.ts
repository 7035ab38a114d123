import { getWebSocketRpcClient } from "viem/utils";
import { z } from "zod";
import { WrongChainError } from "./errors.ts";
import { pause } from "./pause.ts";
import { type ProviderHealth, reasonOf, shortUrl } from "./provider.ts";
import { type Header, hash, header, quantity, transferTopic } from "./shapes.ts";
import type { Announcer, Sighting } from "./types.ts";

export interface HeadSocketOptions {
  expectedChainId: number;
  requestTimeoutMs: number;
  silenceMs?: number;
  /** Whether it is one of the nodes that are asked over HTTP: only then its word on a block's logs counts as much. */
  isProvider: boolean;
  listener: HeadListener;
}

export interface HeadListener {
  heard(head: Header, announcer: Announcer | null): void;
  /** Lower case. */
  tokens: readonly string[];
  /** Told of transfers of the tokens, mostly before their block is announced or right after. */
  sighted(sighting: Sighting): void;
}

const firstWaitMs = 100;
const longestWaitMs = 5_000;
const defaultSilenceMs = 15_000;
/** A connection that has just announced a block answers at once, or is asked in vain. */
const announcerTimeoutMs = 1_000;

const sightedLog = z.object({ topics: z.tuple([hash, hash, hash]), transactionHash: hash });

type Connection = Awaited<ReturnType<typeof getWebSocketRpcClient>>;

/**
 * A WebSocket that announces new heads. It only makes them arrive sooner: whoever listens polls as well.
 *
 * Each connection is asked its chain id before it is listened to. One that has been silent for `silenceMs` is asked
 * again; when it doesn't answer (half open: the other side is gone and nobody said so) it is replaced.
 */
export class HeadSocket {
  readonly health: ProviderHealth;
  readonly #url: string;
  readonly #options: HeadSocketOptions;
  readonly #ended = new AbortController();
  #heardAtMs = 0;

  constructor(url: string, options: HeadSocketOptions) {
    this.#url = url;
    this.#options = options;
    this.health = {
      url: shortUrl(url),
      ok: false,
      lastError: null,
      disagreement: null,
      headNumber: null,
      lagBlocks: 0,
    };
    void this.#run();
  }

  close(): void {
    this.#ended.abort();
  }

  async #run(): Promise<void> {
    let waitMs = firstWaitMs;
    while (!this.#ended.signal.aborted) {
      try {
        await this.#session(() => {
          waitMs = firstWaitMs;
        });
      } catch (error) {
        this.health.ok = false;
        this.health.lastError = reasonOf(error);
      }
      await pause(waitMs, this.#ended.signal);
      waitMs = Math.min(2 * waitMs, longestWaitMs);
    }
  }

  /** Lasts as long as the connection does. @throws what ended it; returns when closed by us */
  async #session(opened: () => void): Promise<void> {
    const opening = getWebSocketRpcClient(this.#url, { keepAlive: false, reconnect: false });
    const connection = await this.#unlessLate(opening);
    const over = new AbortController();
    const end = (): void => over.abort();
    this.#ended.signal.addEventListener("abort", end);
    try {
      await this.#checkChain(connection);
      const lost = this.#subscribe(connection, opened);
      await Promise.race([lost, this.#watchSilence(connection, over.signal)]);
    } finally {
      this.#ended.signal.removeEventListener("abort", end);
      end();
      connection.close();
    }
  }

  /** Rejects when the connection is lost. */
  #subscribe(connection: Connection, opened: () => void): Promise<never> {
    return new Promise((_, reject) => {
      const announcer = this.#options.isProvider ? announcerOn(connection) : null;
      this.#subscribeToLogs(connection);
      connection.request({
        body: { method: "eth_subscribe", params: ["newHeads"] },
        onResponse: (message) => {
          if (message.error !== undefined) reject(new Error("it announces no heads"));
          else if (message.result === undefined) this.#heard(message, announcer);
          else {
            this.health.ok = true;
            this.health.lastError = null;
            opened();
          }
        },
        onError: (error) => reject(error instanceof Error ? error : new Error("the connection was lost")),
      });
    });
  }

  /** A node that doesn't tell of logs is followed all the same. */
  #subscribeToLogs(connection: Connection): void {
    const { listener, isProvider } = this.#options;
    if (!isProvider || listener.tokens.length === 0) return;
    const filter = { address: listener.tokens, topics: [transferTopic] };
    connection.request({
      body: { method: "eth_subscribe", params: ["logs", filter] },
      onResponse: (message) => {
        const { params } = message as { params?: { result?: unknown } };
        const sighting = params === undefined ? null : sightingOf(params.result);
        if (sighting !== null && !this.#ended.signal.aborted) listener.sighted(sighting);
      },
      onError: () => undefined,
    });
  }

  #heard(message: unknown, announcer: Announcer | null): void {
    const announced = header.safeParse((message as { params?: { result?: unknown } }).params?.result);
    if (!announced.success || this.#ended.signal.aborted) return;
    this.#heardAtMs = performance.now();
    this.health.headNumber = announced.data.number;
    this.#options.listener.heard(announced.data, announcer);
  }

  /** Returns when `over` is aborted. @throws when the connection has gone dead */
  async #watchSilence(connection: Connection, over: AbortSignal): Promise<void> {
    const { silenceMs = defaultSilenceMs } = this.#options;
    while (!over.aborted) {
      await pause(silenceMs, over);
      if (performance.now() - this.#heardAtMs >= silenceMs && !over.aborted)
        await this.#checkChain(connection);
    }
  }

  async #checkChain(connection: Connection): Promise<void> {
    const { expectedChainId, requestTimeoutMs: timeout } = this.#options;
    const answer = await connection.requestAsync({ body: { method: "eth_chainId" }, timeout });
    const chainId = quantity.parse((answer as { result?: unknown }).result);
    if (chainId !== BigInt(expectedChainId))
      throw new WrongChainError(`${this.health.url} is on chain ${chainId}, not ${expectedChainId}`);
  }

  async #unlessLate(opening: Promise<Connection>): Promise<Connection> {
    const waiting = new AbortController();
    const end = (): void => waiting.abort();
    this.#ended.signal.addEventListener("abort", end);
    try {
      const late = pause(this.#options.requestTimeoutMs, waiting.signal);
      const connection = await Promise.race([opening, late]);
      if (connection !== undefined) return connection;
    } finally {
      this.#ended.signal.removeEventListener("abort", end);
      end();
    }
    void opening.then(
      (late) => late.close(),
      () => undefined,
    );
    throw new Error("it doesn't open");
  }
}

function sightingOf(log: unknown): Sighting | null {
  const parsed = sightedLog.safeParse(log);
  if (!parsed.success) return null;
  const { topics, transactionHash: txHash } = parsed.data;
  return { from: addressIn(topics[1]), to: addressIn(topics[2]), txHash };
}

const addressIn = (topic: string): string => `0x${topic.slice(-40)}`;

/** One that was silent once isn't asked again: it may have gone half open, or refuse such questions. */
function announcerOn(connection: Connection): Announcer {
  let isSilent = false;
  return {
    ask: async (method, params, shape) => {
      if (isSilent) throw new Error("it was silent before");
      const body = { method, params: [...params] };
      const asked = connection.requestAsync({ body, timeout: announcerTimeoutMs });
      const answer = await asked.catch((error: unknown) => {
        isSilent = true;
        throw error;
      });
      return shape.parse((answer as { result?: unknown }).result);
    },
  };
}
