/** Questions to the nodes: failover, limits, and nothing believed that doesn't have the right form. */
import { type Client, createClient, http, RpcRequestError, webSocket } from "viem";
import { z } from "zod";
import { RpcRefusedError, RpcUnavailableError, WrongChainError } from "./errors.ts";
import { type Header, header, quantity } from "./shapes.ts";

export interface ChainOptions {
  /** HTTP and WebSocket addresses. At least one HTTP; a WebSocket only makes new heads arrive sooner. */
  rpcUrls: string[];
  expectedChainId: number;
  requestTimeoutMs: number;
}
export interface ProviderHealth {
  /** Scheme and host only: the rest may hold a key. */
  url: string;
  ok: boolean;
  lastError: string | null;
}
export interface Chain {
  /**
   * Asks until one provider gives an answer of the right form.
   * @throws RpcRefusedError when the node said no; RpcUnavailableError when nobody gave a usable answer
   */
  ask<Shape extends z.ZodType>(method: string, params: unknown[], shape: Shape): Promise<z.output<Shape>>;
  /** Asks each provider once, at the same time; for what must reach all of them, or must be agreed on. */
  askEach<Shape extends z.ZodType>(
    method: string,
    params: unknown[],
    shape: Shape,
  ): Promise<PromiseSettledResult<z.output<Shape>>[]>;
  /** Calls `heard` for each new head that a WebSocket announces. Lost connections are opened again. */
  watchHeads(heard: (head: Header) => void): Promise<() => void>;
  /** True for anvil and its like. With a loopback address it means that nothing here has value. */
  isDevelopmentNode(): Promise<boolean>;
  health(): ProviderHealth[];
  close(): Promise<void>;
}

const rounds = 2;
const pauseBetweenRoundsMs = 150;

/** @throws WrongChainError when a provider is on another chain, RpcUnavailableError when none answers at all. */
export async function createChain(options: ChainOptions): Promise<Chain> {
  const urls = options.rpcUrls.filter((url) => url.startsWith("http"));
  if (urls.length === 0)
    throw new RpcUnavailableError("BASE_RPC_URLS: name at least one http address of a node.");
  const providers = urls.map((url) => new Provider(url, options));
  const first = await Promise.allSettled(providers.map((provider) => provider.check()));
  const wrong = first.find(
    (result) => result.status === "rejected" && result.reason instanceof WrongChainError,
  );
  if (wrong?.status === "rejected") throw wrong.reason;
  if (first.every(({ status }) => status === "rejected")) {
    throw new RpcUnavailableError(
      `No node answers: ${providers.map(({ health }) => `${health.url}: ${health.lastError}`).join("; ")}`,
    );
  }
  const stops: (() => void)[] = [];

  const chain: Chain = {
    async ask(method, params, shape) {
      let last: unknown;
      for (let round = 0; round < rounds; round += 1) {
        // Those that answered last come first.
        for (const provider of [...providers].sort((a, b) => Number(b.health.ok) - Number(a.health.ok))) {
          try {
            return shape.parse(await provider.request(method, params));
          } catch (error) {
            if (error instanceof RpcRefusedError) throw error;
            provider.failed(error);
            last = error;
          }
        }
        if (round + 1 < rounds) await new Promise((resolve) => setTimeout(resolve, pauseBetweenRoundsMs));
      }
      throw new RpcUnavailableError(`No node answers ${method}: ${reasonOf(last)}`, { cause: last });
    },
    askEach: (method, params, shape) =>
      Promise.allSettled(
        providers.map(async (provider) => shape.parse(await provider.request(method, params))),
      ),
    async watchHeads(heard) {
      const own = await Promise.all(
        options.rpcUrls.filter((url) => url.startsWith("ws")).map((url) => watchHeads(url, options, heard)),
      );
      const stop = (): void => {
        for (const end of own) end();
      };
      stops.push(stop);
      return stop;
    },
    async isDevelopmentNode() {
      const results = await chain.askEach("web3_clientVersion", [], z.string());
      return results.every(
        (result) => result.status === "fulfilled" && /^(anvil|hardhat)/i.test(result.value),
      );
    },
    health: () => providers.map(({ health }) => ({ ...health })),
    async close() {
      for (const stop of stops) stop();
    },
  };
  return chain;
}

class Provider {
  readonly health: ProviderHealth;
  readonly #client: Client;
  readonly #expectedChainId: bigint;
  #checked = false;

  constructor(url: string, { requestTimeoutMs, expectedChainId }: ChainOptions) {
    // One answer is at most 10 MB (viem's limit), one request goes out once: repeating is decided above.
    this.#client = createClient({ transport: http(url, { timeout: requestTimeoutMs, retryCount: 0 }) });
    this.#expectedChainId = BigInt(expectedChainId);
    this.health = { url: shortUrl(url), ok: false, lastError: null };
  }

  /** The chain id is asked again whenever the provider has failed: behind the same address may now be another chain. */
  async check(): Promise<void> {
    const chainId = quantity.parse(
      await this.#send("eth_chainId", []).catch((error: unknown) => {
        this.failed(error);
        throw error;
      }),
    );
    if (chainId !== this.#expectedChainId) {
      const error = new WrongChainError(
        `${this.health.url} is on chain ${chainId}, not ${this.#expectedChainId}: it isn't used.`,
      );
      this.failed(error);
      throw error;
    }
    this.#checked = true;
    this.health.ok = true;
    this.health.lastError = null;
  }

  async request(method: string, params: unknown[]): Promise<unknown> {
    if (!this.#checked) await this.check();
    return this.#send(method, params);
  }

  failed(error: unknown): void {
    this.#checked = false;
    this.health.ok = false;
    this.health.lastError = reasonOf(error);
  }

  async #send(method: string, params: unknown[]): Promise<unknown> {
    try {
      return await this.#client.request({ method, params } as never);
    } catch (error) {
      const refused = findRefusal(error);
      throw refused ?? error;
    }
  }
}

/** A JSON-RPC error is the node's own word; everything else (time-outs, HTML, closed connections) says nothing. */
function findRefusal(error: unknown): RpcRefusedError | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    // -32000 … are the node's; -32005 and 429 mean "not now".
    if (at instanceof RpcRequestError && at.code !== -32_005 && at.code !== 429)
      return new RpcRefusedError(at.details, at.code, at.data);
  }
  return null;
}

async function watchHeads(
  url: string,
  { requestTimeoutMs }: ChainOptions,
  heard: (head: Header) => void,
): Promise<() => void> {
  let stopped = false;
  let unsubscribe: () => Promise<unknown> = async () => undefined;
  const open = async (): Promise<void> => {
    const client = createClient({
      transport: webSocket(url, {
        timeout: requestTimeoutMs,
        retryCount: 0,
        reconnect: { attempts: 1_000_000, delay: 1_000 },
        keepAlive: { interval: 10_000 },
      }),
    });
    const subscription = await client.transport.subscribe({
      params: ["newHeads"],
      onData: (data: { result?: unknown }) => {
        const head = header.safeParse(data.result);
        if (head.success && !stopped) heard(head.data);
      },
      // Polling goes on meanwhile; viem opens the connection again and subscribes anew.
      onError: () => undefined,
    });
    unsubscribe = async () => {
      await subscription.unsubscribe().catch(() => undefined);
      const socket = await client.transport.getRpcClient();
      socket.close();
    };
    if (stopped) await unsubscribe();
  };
  await open().catch(() => undefined);
  return () => {
    stopped = true;
    void unsubscribe().catch(() => undefined);
  };
}

const reasonOf = (error: unknown): string => {
  if (error instanceof z.ZodError) return "an answer of the wrong form";
  return error instanceof Error
    ? (error.message.split("\n", 1)[0] ?? error.name).slice(0, 200)
    : String(error);
};

function shortUrl(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
