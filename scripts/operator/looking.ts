/** The commands that only look. */
import { readBooksCheck } from "../../engine/db/books.ts";
import { instructionState } from "../../engine/db/instruction-list.ts";
import type { Context } from "../../engine/services/context.ts";
import { listDisputes } from "../../engine/services/game-reads.ts";
import { listInstructions } from "../../engine/services/instruction-list.ts";
import { readOverview } from "../../engine/services/overview.ts";
import { readSolvency } from "../../engine/services/solvency.ts";
import { listSuspense } from "../../engine/services/suspense.ts";
import { UsageError } from "./arguments.ts";
import { type Command, show, unwrap } from "./command.ts";

export const solvency: Command = {
  subject: null,
  options: [],
  prepare: () => async (context) => {
    const [report, overview] = [unwrap(await readSolvency(context)), unwrap(await readOverview(context))];
    for (const row of report.tokens) {
      console.log(
        `${row.symbol}: players ${show(row.owedToPlayers)}, in escrow ${show(row.inEscrow)}, house ${show(row.earnedByHouse)}, suspense ${show(row.inSuspense)}; on the chain ${show(row.onChain)}`,
      );
    }
    // The public report leaves out what exactly is wrong.
    const check = await readBooksCheck(context.pool);
    for (const { number, name, ok, detail } of check?.result.invariants ?? [])
      console.log(
        `${String(number).padStart(2)}. ${ok ? "holds " : "BROKEN"} ${name}${detail === null ? "" : `: ${detail}`}`,
      );
    if (overview.outflowsStopped !== null)
      console.log(
        `Outflows are stopped since ${overview.outflowsStopped.since}: ${overview.outflowsStopped.reason}`,
      );
    console.log(
      report.booksBalance
        ? `The books balance (checked ${report.checkedAt} at block ${report.blockNumber}).`
        : "The books DON'T balance, or weren't checked yet.",
    );
    if (!report.booksBalance) process.exitCode = 1;
  },
};

export const disputes: Command = {
  subject: null,
  options: [],
  prepare: () => async (context) => {
    const { items } = await listDisputes(context);
    if (items.length === 0) console.log("Nobody waits for a decision.");
    for (const { game, dueAt } of items) {
      const referee = game.referee === null ? "no referee" : `referee ${game.referee.handle}`;
      console.log(
        `${game.id}  pot ${show(game.pot)}  due ${dueAt}  ${referee}\n  "${game.terms}"  red ${game.red.player.handle} says ${game.red.report ?? "nothing"}, blue ${game.blue.player.handle} says ${game.blue.report ?? "nothing"}`,
      );
      for (const { player, text, url } of game.evidence)
        console.log(
          `  ${player.handle}: ${text.replaceAll("\n", "\n    ")}${url === null ? "" : `  ${url}`}`,
        );
    }
  },
};

/** A command that lists something, a line each. */
const listing = (read: (context: Context) => Promise<string[]>, none: string): Command => ({
  subject: null,
  options: [],
  prepare: () => async (context) => {
    const lines = await read(context);
    for (const line of lines.length === 0 ? [none] : lines) console.log(line);
  },
});

export const suspense = listing(async (context) => {
  const { items } = unwrap(await listSuspense(context));
  return items.map(
    ({ id, money, cause, sender, state, txHash }) =>
      `${id}  ${show(money)}  ${cause}  from ${sender}  ${state}  ${txHash}`,
  );
}, "Nothing is in suspense.");

export const frozen = listing(async (context) => {
  const { frozenWallets } = unwrap(await readOverview(context));
  return frozenWallets.map(({ id, purpose, address, reason }) => `${id}  ${purpose}  ${address}  ${reason}`);
}, "No wallet is frozen.");

export const instructions: Command = {
  subject: null,
  options: ["state"],
  prepare: ({ state }) => {
    if (!instructionState.optional().safeParse(state).success)
      throw new UsageError(`--state is one of ${instructionState.options.join(", ")}.`);
    return async (context) => {
      const { items, nextCursor } = unwrap(await listInstructions(context, { state, limit: 50 }));
      if (items.length === 0) console.log("There are none.");
      for (const item of items) {
        const what = item.money === null ? "gas" : show(item.money);
        console.log(
          `${item.id}  ${item.kind}  ${item.state}  ${what}  from ${item.source} to ${item.destination}  ${item.txHash ?? "not sent"}${item.note === null ? "" : `  ${item.note}`}`,
        );
      }
      if (nextCursor !== null) console.log("There are older ones: name a --state.");
    };
  },
};
