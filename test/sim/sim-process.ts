/** One process of the engine: own connections, own nodes, own memory. It dies where the simulation says. */
import type pg from "pg";
import { type Chain, createChain } from "../../engine/chain/client.ts";
import { DeepReorgError } from "../../engine/chain/errors.ts";
import { followByHand } from "../../engine/chain/follow.ts";
import type { BlockId } from "../../engine/chain/types.ts";
import { createPool, type Pool } from "../../engine/db/pool.ts";
import { type Agreement, agreeUpTo } from "../../engine/services/agreeing.ts";
import { applyChainEvent, raiseDeepReorg } from "../../engine/services/chain-events.ts";
import type { Context, Settings } from "../../engine/services/context.ts";
import { prepareWallets } from "../../engine/services/wallets.ts";
import { readPlace } from "../../engine/workers/watcher.ts";
import { createMoneyContext } from "../../scripts/local/bare-context.ts";
import { openworkAddress, usdcAddress } from "../../scripts/local/tokens.ts";
import { type FaultyNode, type NodeRules, startFaultyNode } from "./faulty-node.ts";
import type { SimChain } from "./sim-chain.ts";

/**
 * Where a process dies within a turn: at its nth commit or broadcast, before the database or the node gets it, or after,
 * so that only the answer is lost.
 */
export interface Death {
  at: "commit" | "broadcast";
  when: "before" | "after";
  nth: number;
}

export interface SimProcessOptions {
  name: string;
  chain: SimChain;
  databaseUrl: string;
  admin: pg.Client;
  settings: Partial<Settings>;
  clock: () => number;
  nodes: Omit<NodeRules, "index">;
  nodeCount: number;
}

export class SimProcess {
  readonly context: Context;
  readonly name: string;
  isDead = false;
  /** The newest lease's number, as this process believes. */
  fence = 0;
  /** Null before the first look and after trouble. */
  #follower: Follower | null = null;
  #toAgreeOn: BlockId | null = null;
  readonly #options: SimProcessOptions;
  readonly #nodes: FaultyNode[];
  readonly #asked: Asked;
  #death: Death | null = null;
  #commits = 0;
  #broadcasts = new Map<string, number>();
  #pause: { reached: () => void; over: Promise<void> } | null = null;

  private constructor(
    options: SimProcessOptions,
    parts: { context: Context; nodes: FaultyNode[]; asked: Asked },
  ) {
    this.#options = options;
    this.name = options.name;
    this.context = parts.context;
    this.#nodes = parts.nodes;
    this.#asked = parts.asked;
  }

  static async start(options: SimProcessOptions): Promise<SimProcess> {
    let self: SimProcess | undefined;
    const nodes = await Promise.all(
      Array.from({ length: options.nodeCount }, (_, index) =>
        startFaultyNode(options.chain, {
          rules: { ...options.nodes, index },
          isDead: () => self?.isDead ?? false,
          gate: async (raw) => self?.passBroadcast(raw) ?? true,
        }),
      ),
    );
    const pool = createPool({ url: options.databaseUrl, maxConnections: 4, applicationName: options.name });
    const chain = await createChain({
      rpcUrls: nodes.map(({ rpcUrl }) => rpcUrl),
      expectedChainId: 8453,
      requestTimeoutMs: 30_000,
    });
    const made = await createMoneyContext({
      pool,
      chain,
      tokens: { openwork: openworkAddress, usdc: usdcAddress },
      settings: options.settings,
      clock: options.clock,
    });
    self = new SimProcess(options, { context: made, nodes, asked: countAsked(chain) });
    self.#watchConnections(pool);
    await prepareWallets(self.context);
    return self;
  }

  /** What this turn has in store for it. */
  arm(death: Death | null): void {
    this.#death = death;
    this.#commits = 0;
    this.#broadcasts.clear();
  }

  /** Stands still before its next transaction until `over`; answers when it does. */
  standStill(over: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      this.#pause = { reached: resolve, over };
    });
  }

  /** Waits until nothing is asked of a node any more: what one failure leaves under way ends within its turn. */
  quiet(): Promise<void> {
    return this.#asked.none();
  }

  /** One look at the chain, written down; trouble leads back to where the books stand. */
  async watch(): Promise<void> {
    this.#follower ??= await this.#beginToFollow();
    const { look, after } = this.#follower;
    this.#follower = null;
    let at = after;
    try {
      for await (const event of look()) {
        at = await applyChainEvent(this.context, event, { after: at });
        if (event.type === "finalized") this.#toAgreeOn = event.block;
      }
    } catch (error) {
      if (error instanceof DeepReorgError) await raiseDeepReorg(this.context, error.message);
      throw error;
    }
    this.#follower = { look, after: at };
  }

  /** Where there are several nodes, they are asked to agree on what is final. */
  async agree(): Promise<void> {
    let outcome: Agreement = "more";
    while (outcome === "more" && this.#toAgreeOn !== null && this.context.chain.quorum > 1)
      outcome = await agreeUpTo(this.context, this.#toAgreeOn);
    if (outcome === "reached" || outcome === "taken back") this.#toAgreeOn = null;
  }

  async #beginToFollow(): Promise<Follower> {
    const place = await readPlace(this.context);
    const look = followByHand(this.context.chain, { ...place, signal: new AbortController().signal });
    return { look, after: place.from?.hash ?? null };
  }

  async die(): Promise<void> {
    if (this.isDead) return;
    this.isDead = true;
    const { admin, name } = this.#options;
    await this.context.chain.close();
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()",
      [name],
    );
  }

  /** Gives back what it stands on. */
  async end(): Promise<void> {
    await this.context.chain.close();
    await this.context.pool.end().catch(() => undefined);
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }

  async passBroadcast(raw: string): Promise<boolean | "lost"> {
    const nth = this.#broadcasts.get(raw) ?? this.#broadcasts.size + 1;
    this.#broadcasts.set(raw, nth);
    const death = this.#death;
    if (death?.at !== "broadcast") return !this.isDead;
    if (nth < death.nth) return true;
    await this.die();
    return nth === death.nth && death.when === "after" ? "lost" : false;
  }

  /** Every transaction of ours begins here; single statements are asked for with a callback. */
  #watchConnections(pool: Pool): void {
    const connect = pool.connect.bind(pool) as () => Promise<pg.PoolClient>;
    const connectBack = pool.connect.bind(pool) as (heard: Heard) => void;
    const watched = new WeakSet<object>();
    const begin = async (): Promise<pg.PoolClient> => {
      await this.#standStillIfAsked();
      if (this.isDead) throw new ProcessDiedError();
      const client = await connect();
      if (!watched.has(client)) this.#watchClient(client);
      watched.add(client);
      return client;
    };
    const ask = (heard: Heard): void => (this.isDead ? heard(new ProcessDiedError()) : connectBack(heard));
    pool.connect = ((heard?: Heard) => (heard === undefined ? begin() : ask(heard))) as typeof pool.connect;
  }

  #watchClient(client: pg.PoolClient): void {
    const query = client.query.bind(client) as (...given: unknown[]) => Promise<unknown>;
    client.query = ((...given: unknown[]) =>
      given[0] === "COMMIT" ? this.#commit(() => query(...given)) : query(...given)) as typeof client.query;
  }

  async #commit(send: () => Promise<unknown>): Promise<unknown> {
    this.#commits += 1;
    const death = this.#death;
    if (death?.at !== "commit" || death.nth !== this.#commits) return send();
    if (death.when === "after") await send();
    await this.die();
    throw new ProcessDiedError();
  }

  async #standStillIfAsked(): Promise<void> {
    const pause = this.#pause;
    if (pause === null) return;
    this.#pause = null;
    pause.reached();
    await pause.over;
  }
}

/** What a dead process would have done next. */
export class ProcessDiedError extends Error {
  override readonly name = "ProcessDiedError";
}
type Heard = (error?: Error, ...more: unknown[]) => void;

interface Follower {
  look: ReturnType<typeof followByHand>;
  after: string | null;
}

interface Asked {
  none(): Promise<void>;
}

/** Counts the questions under way, those included that wait to be asked again. */
function countAsked(chain: Chain): Asked {
  let underWay = 0;
  let tell: () => void = () => undefined;
  const counted =
    <Given extends unknown[], Answer>(ask: (...given: Given) => Promise<Answer>) =>
    async (...given: Given): Promise<Answer> => {
      underWay += 1;
      try {
        return await ask(...given);
      } finally {
        underWay -= 1;
        if (underWay === 0) setImmediate(() => tell());
      }
    };
  Object.assign(chain, { ask: counted(chain.ask.bind(chain)), askMany: counted(chain.askMany.bind(chain)) });
  for (const provider of chain.providers)
    Object.assign(provider, {
      ask: counted(provider.ask.bind(provider)),
      askTogether: counted(provider.askTogether.bind(provider)),
    });
  return {
    none: async () => {
      while (underWay > 0)
        await new Promise<void>((resolve) => {
          tell = resolve;
        });
    },
  };
}
