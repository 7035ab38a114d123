/** Moves earned rake from the escrow wallets to the house wallet: only what is earned and free, and exactly once. */
import { randomUUID } from "node:crypto";
import type { z } from "zod";
import type { sweepPlan } from "../contract/operations.ts";
import { accept, type Result, reject } from "../contract/problems.ts";
import type { PlannedTransfer } from "../core/ledger.ts";
import { mayMoneyLeave } from "../db/breaches.ts";
import { lockAccounts } from "../db/ledger.ts";
import type { Queryable, Tx } from "../db/pool.ts";
import { type EarnedRow, readEarned } from "../db/sweep.ts";
import { actorName, recordAct } from "./audit.ts";
import type { Context } from "./context.ts";
import { post } from "./ledger.ts";
import { knownTokens, moneyOf } from "./tokens.ts";
import { change } from "./transaction.ts";

type SweepPlan = z.output<typeof sweepPlan>;
/** Wallets looked at in one sweep; the rest is for the next one. */
const mostWallets = 500;

export interface SweepRequest {
  /** The operator. */
  by: { playerId: string; handle: string };
  token: string;
  /** Only says what would happen; nothing is written. */
  dryRun: boolean;
  /** What a dry run said, base units. */
  confirmTotal?: bigint | undefined;
}

/**
 * @returns `token_unknown`, and without `dryRun`: `outflows_stopped`, `nothing_to_sweep`, or `sweep_total_changed` with
 * the fact `total` when `confirmTotal` isn't what is free now.
 */
export async function sweep(context: Context, request: SweepRequest): Promise<Result<SweepPlan>> {
  const tokens = await knownTokens(context.pool);
  if (!tokens.has(request.token)) return reject("token_unknown", { field: "token" });
  if (request.dryRun) {
    const found = await findFree(context, context.pool, request.token);
    return accept(await planView(context, request.token, found, []));
  }
  return change(context, async (tx) => {
    if (!(await mayMoneyLeave(tx))) return reject("outflows_stopped");
    // Another sweep of the same wallets waits here for the locks, and then finds them empty.
    await lockEarned(tx, request.token, await findFree(context, tx, request.token));
    const found = await findFree(context, tx, request.token);
    const total = totalOf(found.free);
    if (total === 0n) return reject("nothing_to_sweep");
    if (request.confirmTotal !== total) {
      return reject("sweep_total_changed", {
        field: "confirmTotal",
        message: "This isn't what is free now. Look at a dry run, and confirm its total.",
        facts: { total: total.toString() },
      });
    }
    const moved = await takeEarned(context, tx, { token: request.token, rows: found.free });
    if (!moved.ok) return moved;
    const destination = context.settings.houseAddress;
    const games = found.free.map((row) => row.game_id);
    await recordAct(tx, {
      actor: actorName(request.by),
      action: "sweep",
      subject: `token:${request.token}`,
      detail: { total: total.toString(), destination, games, instructionIds: moved.value },
    });
    return accept(await planView(context, request.token, found, moved.value));
  });
}

interface Found {
  free: EarnedRow[];
  heldBack: { row: EarnedRow; why: string }[];
}
const totalOf = (rows: EarnedRow[]): bigint => rows.reduce((sum, { rake, dust }) => sum + rake + dust, 0n);

async function findFree(context: Context, db: Queryable, token: string): Promise<Found> {
  const rows = await readEarned(db, { token, limit: mostWallets });
  const mayLeave = await mayMoneyLeave(db);
  const found: Found = { free: [], heldBack: [] };
  for (const row of rows) {
    const why = mayLeave ? whyNot(row, context.clock()) : "Outflows are stopped.";
    if (why === null) found.free.push(row);
    else found.heldBack.push({ row, why });
  }
  return found;
}

function whyNot(row: EarnedRow, nowMs: number): string | null {
  if (row.state !== "settled") return `The game is ${row.state}.`;
  if (row.undo_until !== null && row.undo_until.getTime() > nowMs) {
    return `The settlement can be undone until ${row.undo_until.toISOString()}.`;
  }
  if (row.frozen_reason !== null) return `The wallet is frozen: ${row.frozen_reason}`;
  if (row.open_instructions > 0) return "A transfer of this game isn't final on the chain.";
  if (!row.is_covered) return "A deposit behind this game isn't final on the chain.";
  return null;
}

async function lockEarned(tx: Tx, token: string, { free }: Found): Promise<void> {
  await lockAccounts(
    tx,
    free.flatMap(({ game_id: gameId }) =>
      ["house.rake", "house.dust"].map((kind) => ({ kind, token, gameId, playerId: null, walletId: null })),
    ),
  );
}

/** One chain transfer for each wallet, rake and dust together. Answers the instructions' ids. */
export async function takeEarned(
  context: Context,
  tx: Tx,
  { token, rows }: { token: string; rows: EarnedRow[] },
): Promise<Result<string[]>> {
  const sweepId = randomUUID();
  const to = { kind: "outside", address: context.settings.houseAddress } as const;
  const instructionIds = new Set<string>();
  for (const { game_id: gameId, rake, dust } of rows) {
    const cause = `sweep:${gameId}:${sweepId}`;
    const take = (kind: "house.rake" | "house.dust", amount: bigint): PlannedTransfer[] =>
      amount === 0n
        ? []
        : [{ from: { kind, gameId }, to, token, amount, reason: "sweep", key: `${cause}:${kind.slice(6)}` }];
    const posted = await post(tx, [...take("house.rake", rake), ...take("house.dust", dust)], {
      cause,
      gameId,
      notBefore: new Date(context.clock()),
    });
    if (!posted.ok) return reject("sweep_total_changed");
    for (const id of posted.value.instructionIds) instructionIds.add(id);
  }
  return accept([...instructionIds]);
}

async function planView(
  context: Context,
  token: string,
  { free, heldBack }: Found,
  instructionIds: string[],
): Promise<SweepPlan> {
  const tokens = await knownTokens(context.pool);
  const money = (amount: bigint) => moneyOf(tokens, token, amount);
  return {
    token,
    destination: context.settings.houseAddress,
    total: money(totalOf(free)),
    lines: free.map((row) => ({
      gameId: row.game_id,
      escrow: row.escrow,
      rake: money(row.rake),
      dust: money(row.dust),
    })),
    heldBack: heldBack.map(({ row, why }) => ({
      gameId: row.game_id,
      money: money(row.rake + row.dust),
      why,
    })),
    instructionIds,
  };
}
