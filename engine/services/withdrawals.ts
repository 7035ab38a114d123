/** Money out of a pool, to a wallet that its player has signed in with. */
import { randomUUID } from "node:crypto";
import type { Withdrawal } from "../contract/account.ts";
import { type Result, reject } from "../contract/problems.ts";
import type { PlannedTransfer } from "../core/ledger.ts";
import { formatAmount, maxUint256 } from "../core/money.ts";
import { lockAccounts } from "../db/ledger.ts";
import type { Queryable, Tx } from "../db/pool.ts";
import type { Token } from "../db/tokens.ts";
import {
  insertWithdrawal,
  listWithdrawals as readList,
  readNotFinal,
  readWalletOwner,
  readWithdrawalsOf,
  type WithdrawalRow,
} from "../db/withdrawals.ts";
import type { Context, Settings } from "./context.ts";
import { pageOf, placeOf } from "./cursor.ts";
import { payoutStateOf } from "./game-view.ts";
import { post } from "./ledger.ts";
import { rooms, tell } from "./outbox.ts";
import { balanceTellings } from "./pools.ts";
import { requireKnownBalances } from "./reading-again.ts";
import { knownTokens, moneyOf } from "./tokens.ts";
import { changeOnce, type Idempotency } from "./transaction.ts";

export interface WithdrawalRequest {
  by: string;
  token: string;
  /** Base units, more than zero. */
  amount: bigint;
  /** Lower case. */
  address: string;
  idempotency: Idempotency;
}

/**
 * Takes money out of the pool at once and owes it to the wallet on the chain. It may be asked for while outflows are
 * stopped: then it waits.
 * @returns `switched_off` while balances aren't known (`requireKnownBalances`), `token_unknown`, `amount_not_positive`, `wallet_not_verified`, with the fact `most` `withdrawal_too_large`, or,
 * with the facts `free` and `withdrawable`, `insufficient_funds` or `not_final_yet`.
 */
export async function withdraw(context: Context, request: WithdrawalRequest): Promise<Result<Withdrawal>> {
  const tokens = await knownTokens(context.pool);
  const token = tokens.get(request.token);
  if (token === undefined) return reject("token_unknown", { field: "token" });
  if (request.amount <= 0n) return reject("amount_not_positive", { field: "amount" });
  return changeOnce(context, request.idempotency, async (tx) => {
    if ((await readWalletOwner(tx, request.address)) !== request.by) {
      return reject("wallet_not_verified", { field: "address" });
    }
    const covered = await checkCovered(tx, request, token);
    if (!covered.ok) return covered;
    const fitting = checkFits(context.settings, request, token);
    if (!fitting.ok) return fitting;
    const owed = await owe(context, tx, request);
    return owed.ok ? { ok: true, value: owed.value.withdrawal } : owed;
  });
}

/** The most that one withdrawal of a token may be, base units. */
export const withdrawalLimitOf = ({ withdrawalLimit }: Settings, token: string): bigint =>
  withdrawalLimit.get(token) ?? maxUint256;

/** More than the signer ever lets out at once would be taken out of the pool and never leave. */
function checkFits(settings: Settings, { amount }: WithdrawalRequest, token: Token): Result<null> {
  const most = withdrawalLimitOf(settings, token.address);
  if (amount <= most) return { ok: true, value: null };
  const said = `${formatAmount(most, token.decimals, { group: true })} ${token.symbol}`;
  const message = `At most ${said} can be withdrawn at once. Withdraw the rest after that.`;
  return reject("withdrawal_too_large", {
    ...{ field: "amount", message },
    facts: { most: most.toString(), token: token.address },
  });
}

/** The account stays locked from here on, so that neither the balance nor what of it isn't final can change. */
async function checkCovered(tx: Tx, request: WithdrawalRequest, token: Token): Promise<Result<null>> {
  const { by: playerId, amount } = request;
  const key = { kind: "player.available", token: token.address, playerId, gameId: null, walletId: null };
  const [account] = await lockAccounts(tx, [key]);
  const known = await requireKnownBalances(tx);
  if (!known.ok) return known;
  const free = account?.balance ?? 0n;
  const notFinal = await readNotFinal(tx, { playerId, token: token.address });
  const withdrawable = free > notFinal ? free - notFinal : 0n;
  if (amount <= withdrawable) return { ok: true, value: null };
  const say = (units: bigint) => `${formatAmount(units, token.decimals, { group: true })} ${token.symbol}`;
  const facts = { free: free.toString(), withdrawable: withdrawable.toString(), token: token.address };
  if (amount > free) {
    const message = `You have ${say(free)} free, ${say(withdrawable)} of it withdrawable.`;
    const short = (amount - free).toString();
    return reject("insufficient_funds", { field: "amount", message, facts: { ...facts, short } });
  }
  const message = `${say(withdrawable)} is withdrawable now; the rest when its blocks are final, in about 20 minutes.`;
  return reject("not_final_yet", { field: "amount", message, facts });
}

/** What a withdrawal is in the ledger. */
export const withdrawalTransfer = (withdrawal: {
  id: string;
  playerId: string;
  token: string;
  amount: bigint;
  address: string;
}): PlannedTransfer => ({
  from: { kind: "player.available", playerId: withdrawal.playerId },
  to: { kind: "outside", address: withdrawal.address },
  ...{ token: withdrawal.token, amount: withdrawal.amount },
  ...{ reason: "withdrawal", key: `withdrawal:${withdrawal.id}` },
});

/** Takes it out of the pool, which must hold it, and owes it to the wallet. */
export async function owe(
  context: Context,
  tx: Tx,
  request: Omit<WithdrawalRequest, "idempotency">,
): Promise<Result<{ instructionId: string; withdrawal: Withdrawal }>> {
  const { by: playerId, token, amount, address } = request;
  const id = randomUUID();
  const at = new Date(context.clock());
  const transfer = withdrawalTransfer({ id, playerId, token, amount, address });
  const posted = await post(tx, [transfer], {
    cause: transfer.key,
    playerId,
    notBefore: at,
  });
  if (!posted.ok) return posted;
  const [instructionId] = posted.value.instructionIds;
  if (instructionId === undefined) throw new Error(`withdrawal ${id} owes nothing on the chain`);
  await insertWithdrawal(tx, { id, playerId, token, amount, address, instructionId, at });
  const [made] = await viewWithdrawals(context, tx, { instructionIds: [instructionId] });
  if (made === undefined) throw new Error(`withdrawal ${id} is gone`);
  const { withdrawal } = made;
  await tell(tx, [
    { rooms: [rooms.player(playerId)], name: "withdrawal:update", data: { withdrawal } },
    ...balanceTellings([playerId], token),
  ]);
  return { ok: true, value: { instructionId, withdrawal } };
}

/** The withdrawals among some instructions, and whose they are; for telling their players. */
export async function viewWithdrawals(
  context: Context,
  db: Queryable,
  { instructionIds }: { instructionIds: string[] },
): Promise<{ playerId: string; withdrawal: Withdrawal }[]> {
  const tokens = await knownTokens(context.pool);
  const rows = await readWithdrawalsOf(db, instructionIds);
  return rows.map((row) => ({ playerId: row.player_id, withdrawal: withdrawalView(tokens, row) }));
}

/** A page of a player's withdrawals, newest first. */
export async function listWithdrawals(
  context: Context,
  query: { by: string; cursor?: string | undefined; limit: number },
): Promise<Result<{ items: Withdrawal[]; nextCursor: string | null }>> {
  const below = query.cursor === undefined ? null : placeOf(query.cursor);
  if (below === null && query.cursor !== undefined) return reject("request_invalid", { field: "cursor" });
  const tokens = await knownTokens(context.pool);
  const rows = await readList(context.pool, { playerId: query.by, below, limit: query.limit + 1 });
  const value = pageOf(rows, query.limit, {
    place: (row) => ({ at: row.created_at, id: row.id }),
    item: (row) => withdrawalView(tokens, row),
  });
  return { ok: true, value };
}

export const withdrawalView = (tokens: ReadonlyMap<string, Token>, row: WithdrawalRow): Withdrawal => ({
  id: row.id,
  money: moneyOf(tokens, row.token, row.amount),
  address: row.address,
  state: payoutStateOf(row.state),
  txHash: row.hash,
  createdAt: row.created_at.toISOString(),
});
