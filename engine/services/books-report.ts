/** What must always be true (docs/money.md), looked at: one moment of the database, against itself and against the chain. */
import { readBalances } from "../chain/balances.ts";
import { InconsistentAnswerError, RpcRefusedError, RpcUnavailableError } from "../chain/errors.ts";
import { type BooksCheck, findFaults } from "../db/books.ts";
import { chainChecks } from "../db/books-chain.ts";
import { gameChecks } from "../db/books-games.ts";
import { findChangedRows, ledgerChecks, readLastRow } from "../db/books-ledger.ts";
import { type ExpectedBalance, readExpectedBalances, walletChecks } from "../db/books-wallets.ts";
import { readCursor } from "../db/cursor.ts";
import { snapshot, type Tx } from "../db/pool.ts";
import type { Context } from "./context.ts";

const names = [
  "Debits equal credits",
  "No balance below zero",
  "Every stake comes out again",
  "Every deposit is credited once",
  "Every payout is ours and paid once",
  "Wallets hold what they back",
  "Nonces have no gap",
  "One settlement a game, no late stake",
  "Sign-in nonces are used once",
  "Finality only grows",
] as const;
const checks: readonly BooksCheck[] = [...ledgerChecks, ...gameChecks, ...chainChecks, ...walletChecks];
/** So many of wallets and tokens are compared with the chain: the newest, and as many of the others in turn. */
const defaultBalancesAtOnce = 10_000;
const longestDetail = 900;
/** Books grow, and a check that is cancelled proves nothing. */
const longestStatementMs = 300_000;
/** Of the ledger so many rows are read again at once. */
const rowsAtOnce = 50_000;

export interface InvariantResult {
  /** 1 to 10, as in docs/money.md. */
  number: number;
  name: string;
  ok: boolean;
  /** What is wrong, or why it couldn't be looked at in full. */
  detail: string | null;
}
export interface BooksReport {
  invariants: InvariantResult[];
  /** The final block whose balances were compared; null when the chain wasn't asked or didn't answer. */
  blockNumber: bigint | null;
  /** What all our wallets hold there, base units by token; null as well when only some were looked at. */
  onChain: Map<string, bigint> | null;
}

export interface ReportOptions {
  /** Also asks the chain what our wallets hold; true unless told. */
  onChain?: boolean;
  /**
   * Every ledger row is held against those before it, and every wallet against the chain; otherwise the newest, and others
   * in turn. True unless told.
   */
  everyRow?: boolean;
  /** The newest wallets and tokens that are compared each time; of the others as many in turn. 10,000 unless told. */
  balancesAtOnce?: number;
}

/** Every check, in one snapshot. */
export async function reportBooks(
  context: Context,
  { onChain = true, everyRow = true, balancesAtOnce = defaultBalancesAtOnce }: ReportOptions = {},
): Promise<BooksReport> {
  const turn = everyRow ? 0 : nextTurn(context);
  const atOnce = everyRow ? Number.MAX_SAFE_INTEGER : balancesAtOnce;
  const look = async (tx: Tx) => {
    const faults: { number: number; faults: string[] }[] = [];
    const last = await readLastRow(tx);
    const ranges = everyRow ? [{ from: 1, to: last }] : rowsInTurn(last, turn);
    for (const range of ranges) faults.push({ number: 1, faults: await findChangedRows(tx, range) });
    for (const check of checks) faults.push({ number: check.number, faults: await findFaults(tx, check) });
    const atBlock = onChain ? ((await readCursor(tx))?.finalized_number ?? null) : null;
    const expected = atBlock === null ? null : await readExpectedBalances(tx, { atBlock, atOnce, turn });
    return { faults, atBlock, expected };
  };
  const seen = await snapshot(context.pool, look, { statementTimeoutMs: longestStatementMs });
  // After the snapshot: what a final block holds doesn't change any more, and no connection waits for the chain.
  const { atBlock, expected } = seen;
  const compared =
    atBlock === null || expected === null
      ? null
      : await compareWithChain(context, expected.balances, atBlock);
  const invariants = names.map((name, index): InvariantResult => {
    const number = index + 1;
    const faults = seen.faults.filter((row) => row.number === number).flatMap((row) => row.faults);
    if (number === 6) faults.push(...(compared?.faults ?? []));
    const note = number === 6 ? (compared?.note ?? null) : null;
    const detail = faults.length > 0 ? faults.join("; ").slice(0, longestDetail) : note;
    return { number, name, ok: faults.length === 0, detail };
  });
  const totals = compared?.totals ?? null;
  return {
    invariants,
    blockNumber: totals === null ? null : atBlock,
    onChain: expected?.areAll === true ? totals : null,
  };
}

const turns = new WeakMap<Context["pool"], number>();
/** Each check another part; a new process begins anywhere, so that one which restarts often doesn't always begin alike. */
function nextTurn({ pool, clock }: Context): number {
  const turn = (turns.get(pool) ?? Math.floor(clock() / 1_000)) + 1;
  turns.set(pool, turn);
  return turn;
}

/**
 * The newest ledger rows, and one part of the older ones: each turn another. Rows are immutable; who changes one all the
 * same is found within as many checks as there are parts.
 */
export function rowsInTurn(last: number, turn: number): { from: number; to: number }[] {
  const newest = { from: Math.max(1, last - rowsAtOnce + 1), to: last };
  const parts = Math.ceil((newest.from - 1) / rowsAtOnce);
  if (parts === 0) return [newest];
  const from = (turn % parts) * rowsAtOnce + 1;
  return [{ from, to: Math.min(from + rowsAtOnce, newest.from) - 1 }, newest];
}

interface Compared {
  faults: string[];
  totals: Map<string, bigint> | null;
  note: string | null;
}

/** A node that doesn't answer proves nothing: then the balances count as not looked at. */
async function compareWithChain(
  context: Context,
  expected: ExpectedBalance[],
  atBlock: bigint,
): Promise<Compared> {
  try {
    const held = await readBalances(context.chain, expected, atBlock);
    const totals = new Map<string, bigint>();
    const silent = new Set<string>();
    const faults = expected.flatMap(({ address, token, amount }, index) => {
      const onChain = held[index] ?? null;
      if (onChain === null) {
        silent.add(token);
        return [];
      }
      totals.set(token, (totals.get(token) ?? 0n) + onChain);
      if (onChain === amount) return [];
      return [
        `wallet ${address} holds ${onChain} of ${token} at block ${atBlock}, its accounts make ${amount}`,
      ];
    });
    const notes = [...silent].map((token) => `Token ${token} doesn't say what wallets hold.`);
    return { faults, totals, note: notes.length === 0 ? null : notes.join(" ") };
  } catch (error) {
    const isSilence =
      error instanceof RpcUnavailableError ||
      error instanceof RpcRefusedError ||
      error instanceof InconsistentAnswerError;
    if (!isSilence) throw error;
    context.log.warn({ error, atBlock: atBlock.toString() }, "the chain doesn't say what our wallets hold");
    return { faults: [], totals: null, note: "The chain didn't say what the wallets hold." };
  }
}
