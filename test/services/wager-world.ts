/** Players with money, on a database of their own; the chain isn't asked by anything that a wager does. */
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { createPool, type Pool, transaction } from "../../engine/db/pool.ts";
import { listTokens } from "../../engine/db/tokens.ts";
import { createLog } from "../../engine/log.ts";
import { checkBooks } from "../../engine/services/books.ts";
import type { Context, Settings } from "../../engine/services/context.ts";
import * as games from "../../engine/services/games.ts";
import { post } from "../../engine/services/ledger.ts";
import * as proposals from "../../engine/services/proposals.ts";
import type { Idempotency } from "../../engine/services/transaction.ts";
import { prepareWallets } from "../../engine/services/wallets.ts";
import { developmentMnemonic, Seed } from "../../wallets/seed.ts";
import { createSigner } from "../../wallets/signer.ts";
import { createTestDatabase, longQueues } from "../helpers/database.ts";

export const usdc = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";
export const openwork = "0x299c30dd5974bf4d5bfe42c340ca40462816ab07";
const tokens = [
  { address: openwork, symbol: "OPENWORK", decimals: 18 },
  { address: usdc, symbol: "USDC", decimals: 6 },
];
/** Whole USDC in base units. */
export const dollars = (whole: number): bigint => BigInt(whole) * 1_000_000n;

export interface World {
  context: Context;
  /** A second process: its own connections, the same clock. */
  other: Context;
  time: { nowMs: number };
  /** May do everything in the database. */
  ownerUrl: string;
  addPlayer(handle: string, money?: Partial<Record<string, bigint>>): Promise<string>;
  /** What stands in a player's pool. */
  poolOf(playerId: string, token?: string): Promise<{ available: bigint; held: bigint }>;
  /** Gives a player money from outside; with `untilBlock`, money that isn't final before that block. */
  deposit(playerId: string, deposit: { token?: string; amount: bigint; untilBlock?: bigint }): Promise<void>;
  rows(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** The invariants of docs/money.md, but for those that compare with the chain. */
  expectBooksToBalance(): Promise<void>;
  end(): Promise<void>;
}

export async function createWorld(changes: Partial<Settings> = {}): Promise<World> {
  const database = await createTestDatabase();
  const pools = [0, 1].map(() => createPool({ url: database.appUrl, maxConnections: 12, ...longQueues }));
  const [pool, otherPool] = pools as [Pool, Pool];
  const time = { nowMs: Date.parse("2026-05-01T12:00:00.000Z") };
  await listTokens(pool, tokens);
  const contextOn = (db: Pool): Context => ({
    pool: db,
    chain: unasked,
    signer: createSigner({
      seed: new Seed(developmentMnemonic),
      chainId: 8453,
      chainIsLocal: true,
      tokens: tokens.map(({ address, decimals }) => ({ address, decimals, limits: undefined })),
      houseWallet: settings.houseAddress,
      readInstruction: async () => null,
      findWallet: async () => null,
    }),
    settings: { ...settings, ...changes },
    log: createLog({ level: "silent" }),
    clock: () => time.nowMs,
    nudge: () => undefined,
    reached: () => undefined,
  });
  const [context, other] = [contextOn(pool), contextOn(otherPool)];
  await prepareWallets(context);

  const rows = async (text: string, values: unknown[] = []) => (await pool.query(text, values)).rows;
  const deposit: World["deposit"] = async (playerId, { token = usdc, amount, untilBlock }) => {
    const key = `test:${randomUUID()}`;
    await transaction(pool, async (tx) => {
      const from = { kind: "outside", address: "0x1111111111111111111111111111111111111111" } as const;
      const to = { kind: "player.available", playerId } as const;
      const posted = await post(tx, [{ from, to, token, amount, reason: "deposit", key }], { cause: key });
      expect(posted.ok).toBe(true);
      if (untilBlock === undefined) return;
      await tx.query(
        "INSERT INTO exposure (player_id, token, amount, until_block, business_key) VALUES ($1, $2, $3, $4, $5)",
        [playerId, token, amount.toString(), untilBlock.toString(), key],
      );
    });
  };
  return {
    context,
    other,
    time,
    ownerUrl: database.ownerUrl,
    rows,
    deposit,
    async addPlayer(handle, money = { [usdc]: dollars(100) }) {
      const [player] = await rows("INSERT INTO player (handle) VALUES ($1) RETURNING id", [handle]);
      const playerId = String(player?.id);
      for (const [token, amount = 0n] of Object.entries(money)) {
        if (amount > 0n) await deposit(playerId, { token, amount });
      }
      return playerId;
    },
    async poolOf(playerId, token = usdc) {
      const found = await rows("SELECT kind, balance FROM account WHERE player_id = $1 AND token = $2", [
        playerId,
        token,
      ]);
      const of = (kind: string) => BigInt(String(found.find((row) => row.kind === kind)?.balance ?? 0));
      return { available: of("player.available"), held: of("player.held") };
    },
    async expectBooksToBalance() {
      const faults = (await checkBooks(context, { onChain: false })).filter(({ ok }) => !ok);
      expect(faults.filter(({ number }) => !ofTheChain.includes(number))).toEqual([]);
    },
    async end() {
      await Promise.all(pools.map((each) => each.end()));
      await database.drop();
    },
  };
}

/** Invariants of docs/money.md that compare with the chain's logs: the money here came by a ledger row alone. */
const ofTheChain: readonly number[] = [4, 6];

/** Whoever asks the chain for a wager makes the test fail. */
const unasked = new Proxy({} as Context["chain"], {
  get: (_, name) => {
    throw new Error(`a wager asked the chain: ${String(name)}`);
  },
});

export const settings: Settings = {
  chainId: 8453,
  chainIsLocal: true,
  explorerUrl: "https://basescan.org",
  publicOrigin: "http://localhost:4200",
  houseAddress: "0x4ba550190e5793752c4248098ebb85c977815ddc",
  rakeBps: 500,
  clocks: {
    resultGraceMs: 7_200_000,
    reportWindowMs: 1_800_000,
    disputeWindowMs: 86_400_000,
    undoWindowMs: 60_000,
  },
  tiers: new Map(),
  exposureCaps: new Map(),
  collectMinimum: new Map(),
  withdrawalLimit: new Map(),
  approvalLimit: new Map([[usdc, dollars(1_000)]]),
  operatorAddresses: new Set([
    "0x0000000000000000000000000000000000000aaa",
    "0x0000000000000000000000000000000000000bbb",
  ]),
  payouts: "batch",
  maxFeePerGasWei: 5_000_000_000n,
  pollIntervalMs: 1_000,
  sendIntervalMs: 1_000,
  confirmAfterMs: 1_000,
  resendAfterMs: 1_000,
  stuckAfterMs: 1_000,
  termsVersion: "2026-11",
};

/** A key of its own for one request. */
export const keyFor = (playerId: string, key: string = randomUUID(), request = key): Idempotency => ({
  playerId,
  key,
  request,
});

/** What an offer is when a test doesn't care: 50.00 to 10.00, open, for ten minutes. */
export function offerBy(by: string, more: Partial<proposals.NewOffer> = {}): proposals.NewOffer {
  return {
    by,
    idempotency: keyFor(by),
    opponent: null,
    token: usdc,
    proposerStake: dollars(50),
    takerStake: dollars(10),
    terms: "First to 21.",
    lapseSeconds: 600,
    expectedMinutes: 60,
    ...more,
  };
}

/** The value of a result that must be one. */
export function value<Value>(result: { ok: true; value: Value } | { ok: false; rejection: unknown }): Value {
  if (!result.ok) throw new Error(`rejected: ${JSON.stringify(result.rejection)}`);
  return result.value;
}
/** The code of a result that must be a rejection; `ok` when it isn't. */
export const codeOf = (result: { ok: true } | { ok: false; rejection: { code: string } }): string =>
  result.ok ? "ok" : result.rejection.code;

/** An offer by one player that another takes; answers the game's id. */
export async function startGame(
  { context }: Pick<World, "context">,
  { red, blue, ...more }: { red: string; blue: string } & Partial<proposals.NewOffer>,
): Promise<string> {
  const { id } = value(await proposals.propose(context, offerBy(red, more)));
  const taken = await proposals.accept(context, { by: blue, idempotency: keyFor(blue), proposalId: id });
  return value(taken).gameId;
}

export const report = (
  context: Context,
  by: string,
  gameId: string,
  outcome: "red" | "blue" | "draw" | "no_contest",
) => games.report(context, { by, idempotency: keyFor(by), gameId, outcome });
