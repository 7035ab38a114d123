/** One function a command. Each prints what a person needs to decide the next step. */
import { z } from "zod";
import { type Money, outcome } from "../../engine/contract/primitives.ts";
import type { Result } from "../../engine/contract/problems.ts";
import { problemStatus } from "../../engine/contract/problems.ts";
import { formatAmount } from "../../engine/core/money.ts";
import { type PlayerRow, readPlayerByAddress, readPlayerByHandle } from "../../engine/db/players.ts";
import type { Context } from "../../engine/services/context.ts";
import { listDisputes } from "../../engine/services/game-reads.ts";
import { decideAsOperator } from "../../engine/services/games.ts";
import { readSolvency } from "../../engine/services/solvency.ts";
import { listSuspense, refundSuspense } from "../../engine/services/suspense.ts";
import { sweep } from "../../engine/services/sweep.ts";
import { listedTokens } from "../../engine/services/tokens.ts";

export interface Options {
  subject?: string | undefined;
  as?: string | undefined;
  token?: string | undefined;
  confirm?: string | undefined;
  outcome?: string | undefined;
  reason?: string | undefined;
  "dry-run": boolean;
}
/** Something the person at the keyboard can mend; printed without a stack. */
export class CommandError extends Error {}

export const help = `npm run operator -- COMMAND

  solvency                                    what we owe, what we hold, the ten invariants
  disputes                                    games that wait for a decision
  decide GAME --outcome red|blue|draw|no_contest --reason "…"
  suspense                                    money that nobody could be credited for
  refund ITEM --reason "…"                    send it back to its sender
  sweep --token USDC --dry-run                what a sweep would move
  sweep --token USDC --confirm TOTAL          move it; TOTAL in base units, as the dry run says

  create-keystore FILE                        a new encrypted seed for production

  --as HANDLE or ADDRESS                      which operator acts (default: the first in OPERATORS)`;

export const commands: Record<string, (context: Context, options: Options) => Promise<void>> = {
  solvency: async (context) => {
    const report = unwrap(await readSolvency(context));
    for (const row of report.tokens) {
      console.log(
        `${row.symbol}: players ${show(row.owedToPlayers)}, in escrow ${show(row.inEscrow)}, house ${show(row.earnedByHouse)}, suspense ${show(row.inSuspense)}; on the chain ${show(row.onChain)}`,
      );
    }
    for (const { number, name, ok, detail } of report.invariants)
      console.log(
        `${String(number).padStart(2)}. ${ok ? "holds " : "BROKEN"} ${name}${detail === null ? "" : `: ${detail}`}`,
      );
    console.log(
      report.booksBalance
        ? `The books balance (checked ${report.checkedAt} at block ${report.blockNumber}).`
        : "The books DON'T balance, or weren't checked yet.",
    );
    if (!report.booksBalance) process.exitCode = 1;
  },
  disputes: async (context) => {
    const { items } = await listDisputes(context);
    if (items.length === 0) console.log("Nobody waits for a decision.");
    for (const { game, dueAt } of items) {
      console.log(
        `${game.id}  pot ${show(game.pot)}  due ${dueAt}\n  "${game.terms}"  red ${game.red.player.handle} says ${game.red.report ?? "nothing"}, blue ${game.blue.player.handle} says ${game.blue.report ?? "nothing"}`,
      );
    }
  },
  decide: async (context, options) => {
    const verdict = outcome.safeParse(options.outcome);
    if (!verdict.success) throw new CommandError("--outcome is red, blue, draw or no_contest.");
    const { id: by } = await operatorOf(context, options);
    const gameId = idOf(options, "Name the game: decide GAME …");
    const game = unwrap(
      await decideAsOperator(context, { by, gameId, outcome: verdict.data, reason: reasonOf(options) }),
    );
    console.log(
      `Decided: ${verdict.data}. Payouts: ${game.payouts.map(({ player, money }) => `${player.handle} ${show(money)}`).join(", ")}.`,
    );
  },
  suspense: async (context) => {
    const { items } = unwrap(await listSuspense(context));
    if (items.length === 0) console.log("Nothing is in suspense.");
    for (const { id, money, cause, sender, state, txHash } of items)
      console.log(`${id}  ${show(money)}  ${cause}  from ${sender}  ${state}  ${txHash}`);
  },
  refund: async (context, options) => {
    const { id: playerId, handle } = await operatorOf(context, options);
    const depositId = options.subject;
    if (depositId === undefined || !/^[1-9]\d{0,18}$/.test(depositId))
      throw new CommandError("Name the item: refund ITEM …");
    const item = unwrap(
      await refundSuspense(context, { by: { playerId, handle }, depositId, reason: reasonOf(options) }),
    );
    console.log(`${show(item.money)} goes back to ${item.sender}.`);
  },
  sweep: async (context, options) => {
    const tokens = await listedTokens(context.pool);
    const wanted = options.token?.toLowerCase();
    const token = [...tokens.values()].find(
      ({ address, symbol }) => address === wanted || symbol.toLowerCase() === wanted,
    );
    if (token === undefined)
      throw new CommandError(
        `--token is one of ${[...tokens.values()].map(({ symbol }) => symbol).join(", ")}.`,
      );
    const { id: playerId, handle } = await operatorOf(context, options);
    if (!options["dry-run"] && !/^\d{1,78}$/.test(options.confirm ?? ""))
      throw new CommandError(
        "Look first: sweep --token … --dry-run. Then confirm its total: --confirm TOTAL.",
      );
    const confirmTotal = options.confirm === undefined ? undefined : BigInt(options.confirm);
    const plan = unwrap(
      await sweep(context, {
        by: { playerId, handle },
        token: token.address,
        dryRun: options["dry-run"],
        confirmTotal,
      }),
    );
    for (const { gameId, rake, dust } of plan.lines)
      console.log(`  ${gameId}  rake ${show(rake)}  dust ${show(dust)}`);
    for (const { gameId, money, why } of plan.heldBack)
      console.log(`  ${gameId}  ${show(money)} stays: ${why}`);
    const total = `${show(plan.total)} (${plan.total.amount} base units) to ${plan.destination}`;
    console.log(
      options["dry-run"] ? `A sweep would move ${total}. Nothing was written.` : `Sweeping ${total}.`,
    );
  },
};

async function operatorOf({ pool, settings }: Context, { as }: Options): Promise<PlayerRow> {
  const [first] = settings.operatorAddresses;
  const who = (as ?? first ?? "").toLowerCase();
  const player = who.startsWith("0x")
    ? await readPlayerByAddress(pool, who)
    : await readPlayerByHandle(pool, who);
  if (player === null)
    throw new CommandError(
      `Operator ${who} has never signed in: do that once in the browser, so that the audit can name you.`,
    );
  const { rows } = await pool.query("SELECT address FROM player_wallet WHERE player_id = $1", [player.id]);
  const wallets = z.array(z.object({ address: z.string() })).parse(rows);
  if (!wallets.some(({ address }) => settings.operatorAddresses.has(address)))
    throw new CommandError(`${player.handle} isn't an operator (OPERATORS).`);
  return player;
}

function unwrap<Value>(result: Result<Value>): Value {
  if (result.ok) return result.value;
  const { code, message, facts } = result.rejection;
  throw new CommandError(
    `${problemStatus[code][1]}.${message === undefined ? "" : ` ${message}`}${facts === undefined ? "" : ` ${JSON.stringify(facts)}`}`,
  );
}
function reasonOf({ reason }: Options): string {
  if (reason === undefined || reason.trim() === "") throw new CommandError('Give a reason: --reason "…".');
  return reason;
}
function idOf({ subject }: Options, otherwise: string): string {
  const id = z.uuid().safeParse(subject);
  if (!id.success) throw new CommandError(otherwise);
  return id.data;
}
const show = ({ amount, decimals, symbol }: Money): string =>
  `${formatAmount(BigInt(amount), decimals)} ${symbol}`;
