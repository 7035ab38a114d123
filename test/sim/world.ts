/** One seed's world: a chain, a database, the engine's processes, people. Nothing in it happens by itself. */
import pg from "pg";
import { takeLease } from "../../engine/db/lease.ts";
import { createPool, transaction } from "../../engine/db/pool.ts";
import { listTokens } from "../../engine/db/tokens.ts";
import type { Settings } from "../../engine/services/context.ts";
import { createPlayer } from "../../engine/services/new-player.ts";
import { ensureSpareWallets } from "../../engine/services/wallets.ts";
import { toQuantity } from "../../scripts/local/rpc.ts";
import { openworkAddress, usdcAddress } from "../../scripts/local/tokens.ts";
import { Dice } from "./dice.ts";
import { type Player, Wallet } from "./players.ts";
import { drawRates, type Rates } from "./rates.ts";
import { finalityBlocks, genesisSeconds, SimChain } from "./sim-chain.ts";
import { SimProcess } from "./sim-process.ts";
import type { Spell } from "./spells.ts";

export const tokens = [
  { address: openworkAddress, symbol: "OPENWORK", decimals: 18 },
  { address: usdcAddress, symbol: "USDC", decimals: 6 },
] as const;
export const unitOf = (token: string): bigint => (token === usdcAddress ? 10n ** 6n : 10n ** 18n);
export const blockTimeMs = 2_000;
const unlimited = 2n ** 256n - 1n;
/** Whole tokens of each kind that everybody begins with. */
export const startingTokens = 1_000n;

/** What happened in a world, for the line that is printed of it. */
export interface Counts {
  blocks: number;
  moves: number;
  deposits: number;
  games: number;
  payouts: number;
  /** Transfers that an operator had to have tried again. */
  parked: number;
  reorgs: number;
  deepReorgs: number;
  faults: number;
  restarts: number;
  stalls: number;
  spells: number;
  /** Breaches that an operator lifted, after a lie that raised them. */
  lifted: number;
}

export interface WorldOptions {
  seed: number;
  databaseUrl: string;
  superuserUrl: string;
  /** Drawn from the seed unless given. */
  rates?: Rates | undefined;
  onLine?: ((line: string) => void) | undefined;
}

export class World {
  readonly seed: number;
  readonly dice: Dice;
  readonly rates: Rates;
  readonly chain: SimChain;
  readonly admin: pg.Client;
  readonly lines: string[] = [];
  readonly counts: Counts = {
    blocks: 0,
    moves: 0,
    deposits: 0,
    games: 0,
    payouts: 0,
    parked: 0,
    reorgs: 0,
    deepReorgs: 0,
    faults: 0,
    restarts: 0,
    stalls: 0,
    spells: 0,
    lifted: 0,
  };
  players: Player[] = [];
  operators: Player[] = [];
  /** Has money and no account. */
  readonly stranger: Wallet;
  nowMs = genesisSeconds * 1_000;
  tick = 0;
  /** Grows with everything that a process is let do. */
  turn = 0;
  /** What the second node does to us now. */
  spell: Spell | null = null;
  /** The tick in which a unit moves behind the books' back, where that is asked for. */
  theftAt: number | null = null;
  /** Over once the world is only to come to rest. */
  isRough = true;
  readonly #options: WorldOptions;
  readonly #settings: Partial<Settings>;
  #processes: SimProcess[] = [];
  #started = 0;

  private constructor(options: WorldOptions, parts: { chain: SimChain; admin: pg.Client }) {
    this.#options = options;
    this.seed = options.seed;
    this.dice = new Dice(options.seed);
    this.rates = options.rates ?? drawRates(this.dice);
    this.chain = parts.chain;
    this.admin = parts.admin;
    this.stranger = new Wallet(this.seed, "stranger");
    this.operators = ["operator-1", "operator-2"].map((name) => new Wallet(this.seed, name) as Player);
    this.#settings = { ...drawSettings(this.dice, this.operators), payouts: this.rates.payouts };
  }

  static async create(options: WorldOptions): Promise<World> {
    const admin = new pg.Client({ connectionString: options.superuserUrl });
    await admin.connect();
    const chain = await SimChain.start().catch(async (error: unknown) => {
      await admin.end();
      throw error;
    });
    const world = new World(options, { chain, admin });
    try {
      await world.#populate();
    } catch (error) {
      await world.end();
      throw error;
    }
    return world;
  }

  /** Written down: two runs of a seed must say the same, so that nothing here may come from this run alone. */
  say(line: string): void {
    const written = `${String(this.tick).padStart(3)} ${line}`;
    this.lines.push(written);
    this.#options.onLine?.(written);
  }

  async startProcess(name: string): Promise<SimProcess> {
    this.#started += 1;
    const process = await SimProcess.start({
      name: `sim-${this.seed}-${name}-${this.#started}`,
      chain: this.chain,
      databaseUrl: this.#options.databaseUrl,
      admin: this.admin,
      settings: this.#settings,
      clock: () => this.nowMs,
      nodeCount: this.rates.nodes,
      nodes: {
        seed: this.seed,
        turn: () => this.turn,
        errors: () => (this.isRough && this.tick > 0 ? this.rates.rpcErrors : 0),
        limits: this.rates,
        spell: () => this.spell,
        onFault: () => {
          this.counts.faults += 1;
        },
      },
    });
    this.#processes.push(process);
    return process;
  }

  async endProcess(process: SimProcess): Promise<void> {
    this.#processes = this.#processes.filter((one) => one !== process);
    await process.end();
  }

  /** A process that does the chain's work from now on; whoever did it before has lost the lease. */
  async startLeader(): Promise<SimProcess> {
    const process = await this.startProcess("chain");
    await this.admin.query("UPDATE lease SET expires_at = now() - interval '1 second'");
    const fence = await takeLease(process.context.pool, {
      name: "chain",
      holder: process.name,
      forMs: 86_400_000,
    });
    if (fence === null) throw new Error("the lease has run out, and still it isn't free");
    process.fence = fence;
    return process;
  }

  async mine(): Promise<void> {
    this.nowMs += blockTimeMs;
    await this.chain.mine(this.nowMs);
    this.counts.blocks += 1;
  }

  async rows<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.admin.query(text, values)).rows as Row[];
  }

  get everybody(): Wallet[] {
    return [...this.players, ...this.operators, this.stranger];
  }

  async end(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.end()));
    await this.chain.stop();
    await this.admin.end();
  }

  async #populate(): Promise<void> {
    const setUp = createPool({ url: this.#options.databaseUrl, maxConnections: 1 });
    await listTokens(setUp, [...tokens]);
    await setUp.end();
    const names = Array.from({ length: this.dice.int(3, 5) }, (_, index) => `player-${index + 1}`);
    this.players = names.map((name) => new Wallet(this.seed, name) as Player);
    const process = await this.startProcess("setup");
    for (const wallet of this.everybody) {
      await this.chain.call("anvil_setBalance", [wallet.address, toQuantity(10n ** 20n)]);
      for (const { address: token } of tokens) {
        const { raw } = await wallet.mint({ token, amount: startingTokens * unitOf(token) });
        await this.chain.send(raw);
      }
      await this.mine();
    }
    const [gas] = await this.rows<{ address: string }>("SELECT address FROM wallet WHERE purpose = 'gas'");
    await this.chain.call("anvil_setBalance", [gas?.address, toQuantity(10n ** 20n)]);
    // Below all that may be reorganised.
    for (let block = 0; block <= finalityBlocks; block += 1) await this.mine();
    // The engine serves nobody before its books have begun.
    await process.watch();
    for (const player of [...this.players, ...this.operators]) await this.#signIn(process, player);
    await this.endProcess(process);
  }

  async #signIn({ context }: SimProcess, player: Player): Promise<void> {
    await ensureSpareWallets(context, "deposit");
    const created = await transaction(context.pool, (tx) => createPlayer(context, tx, player.address));
    if (typeof created === "string") throw new Error("no wallet was spare");
    const [row] = await this.rows<{ address: string }>("SELECT address FROM wallet WHERE player_id = $1", [
      created.playerId,
    ]);
    Object.assign(player, { id: created.playerId, depositAddress: row?.address });
    // Names are drawn by the engine itself; here they must be the same in every run.
    await this.admin.query("UPDATE player SET handle = $1 WHERE id = $2", [
      player.name.replace("-", "_"),
      created.playerId,
    ]);
  }
}

function drawSettings(dice: Dice, operators: Wallet[]): Partial<Settings> {
  const perToken = <Value>(make: (unit: bigint) => Value): Map<string, Value> =>
    new Map(tokens.map(({ address }) => [address, make(unitOf(address))]));
  const isTiered = dice.chance(0.5);
  const isCapped = dice.chance(0.5);
  const collectMinimum = dice.pick([0n, 30n]);
  return {
    operatorAddresses: new Set(operators.map(({ address }) => address)),
    tiers: perToken((unit) =>
      isTiered
        ? [
            { upTo: 50n * unit, playableAt: { depth: 1 } },
            { upTo: 100n * unit, playableAt: { depth: 3 } },
            { upTo: null, playableAt: "safe" as const },
          ]
        : [{ upTo: null, playableAt: { depth: 1 } }],
    ),
    exposureCaps: perToken((unit) =>
      isCapped ? { perPlayer: 120n * unit, inAll: 300n * unit } : { perPlayer: unlimited, inAll: unlimited },
    ),
    collectMinimum: perToken((unit) => collectMinimum * unit),
    approvalLimit: perToken((unit) => 60n * unit),
    confirmAfterMs: blockTimeMs,
    resendAfterMs: 3 * blockTimeMs,
    stuckAfterMs: 10 * blockTimeMs,
  };
}
