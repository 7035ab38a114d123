/** The commands that decide or move something: each in the name of an operator, for the audit. */
import { z } from "zod";
import { outcome } from "../../engine/contract/primitives.ts";
import { accept, type Result } from "../../engine/contract/problems.ts";
import {
  type PlayerRow,
  readPlayerByAddress,
  readPlayerByHandle,
  readPlayerWallets,
} from "../../engine/db/players.ts";
import type { Token } from "../../engine/db/tokens.ts";
import { assignSuspense } from "../../engine/services/assigning.ts";
import type { Context } from "../../engine/services/context.ts";
import { decideAsOperator } from "../../engine/services/games.ts";
import { giveBack } from "../../engine/services/giving-back.ts";
import { refundSuspense } from "../../engine/services/suspense.ts";
import { sweep } from "../../engine/services/sweep.ts";
import { thaw } from "../../engine/services/thawing.ts";
import { knownTokens } from "../../engine/services/tokens.ts";
import { CommandError, type Options, UsageError } from "./arguments.ts";
import { type Command, show, unwrap } from "./command.ts";

export const decide: Command = {
  subject: "GAME",
  options: ["outcome", "reason", "as"],
  prepare: (options) => {
    const gameId = z.uuid().safeParse(options.subject);
    if (!gameId.success) throw new UsageError("GAME is the id of a disputed game, as `disputes` lists them.");
    const verdict = outcome.safeParse(options.outcome);
    if (!verdict.success) throw new UsageError("--outcome is red, blue, draw or no_contest.");
    const reason = reasonOf(options);
    return async (context) => {
      const { id: by } = await operatorOf(context, options);
      const game = unwrap(
        await decideAsOperator(context, { by, gameId: gameId.data, outcome: verdict.data, reason }),
        { not_found: `There is no game ${gameId.data}. \`disputes\` lists those that wait.` },
      );
      const payouts = game.payouts.map(({ player, money }) => `${player.handle} ${show(money)}`);
      console.log(`Decided: ${verdict.data}. Payouts: ${payouts.join(", ")}.`);
    };
  },
};

/** A command on something that another command lists with a number at the front of each line. */
interface Listed {
  subject: string;
  listedBy: string;
  /** What it is when there is none. */
  what: string;
  /** Whether a player is named as well. */
  isToPlayer?: boolean;
  /** What was done, in a sentence. */
  act: (
    context: Context,
    request: { by: { playerId: string; handle: string }; id: string; reason: string; to: string },
  ) => Promise<Result<string>>;
}

const onListed = ({ subject, listedBy, what, isToPlayer = false, act }: Listed): Command => ({
  subject,
  options: ["reason", "as", ...(isToPlayer ? (["to"] as const) : [])],
  prepare: (options) => {
    const id = options.subject;
    if (!/^[1-9]\d{0,17}$/.test(id))
      throw new UsageError(`${subject} is the number at the front of a line of \`${listedBy}\`.`);
    const to = options.to?.replace(/^@/, "") ?? "";
    if (isToPlayer && to === "") throw new UsageError("Name the player: --to HANDLE.");
    const reason = reasonOf(options);
    return async (context) => {
      const { id: playerId, handle } = await operatorOf(context, options);
      const done = await act(context, { by: { playerId, handle }, id, reason, to });
      console.log(unwrap(done, { not_found: `There is no ${what} ${id}. \`${listedBy}\` lists them.` }));
    };
  },
});

export const refund = onListed({
  ...{ subject: "ITEM", listedBy: "suspense", what: "item" },
  act: async (context, { id: depositId, ...request }) => {
    const refunded = await refundSuspense(context, { ...request, depositId });
    return refunded.ok
      ? accept(`${show(refunded.value.money)} goes back to ${refunded.value.sender}.`)
      : refunded;
  },
});

export const assigning = onListed({
  ...{ subject: "ITEM", listedBy: "suspense", what: "item", isToPlayer: true },
  act: async (context, { id: depositId, to: handle, ...request }) => {
    const assigned = await assignSuspense(context, { ...request, handle, depositId });
    return assigned.ok
      ? accept(
          `${show(assigned.value.money)} is in the pool of ${assigned.value.claimedBy?.handle ?? handle}.`,
        )
      : assigned;
  },
});

export const givingBack = onListed({
  ...{ subject: "TRANSFER", listedBy: "instructions --state parked", what: "transfer" },
  act: async (context, { id: instructionId, ...request }) => {
    const given = await giveBack(context, { ...request, instructionId });
    if (!given.ok) return given;
    const where = given.value.kind === "refund" ? "in suspense" : "in its player's pool";
    return accept(`Given back: the money is ${where}.`);
  },
});

export const thawing = onListed({
  ...{ subject: "WALLET", listedBy: "frozen", what: "wallet" },
  act: async (context, { id: walletId, ...request }) => {
    const thawed = await thaw(context, { ...request, walletId });
    return thawed.ok ? accept("Thawed: it pays again.") : thawed;
  },
});

export const sweeping: Command = {
  subject: null,
  options: ["token", "dry-run", "confirm", "as"],
  prepare: (options) => {
    const { token: wanted, confirm, "dry-run": dryRun = false } = options;
    if (wanted === undefined || wanted === "") throw new UsageError("Name the token: --token USDC.");
    if (dryRun === (confirm !== undefined)) {
      throw new UsageError(
        "Look first: sweep --token … --dry-run. Then, without --dry-run, confirm its total: --confirm TOTAL.",
      );
    }
    if (confirm !== undefined && !/^\d{1,78}$/.test(confirm))
      throw new UsageError("TOTAL is in base units, digits only, as the dry run says.");
    return async (context) => {
      const token = await tokenOf(context, wanted);
      const { id: playerId, handle } = await operatorOf(context, options);
      const confirmTotal = confirm === undefined ? undefined : BigInt(confirm);
      const plan = unwrap(
        await sweep(context, { by: { playerId, handle }, token: token.address, dryRun, confirmTotal }),
      );
      for (const { gameId, rake, dust } of plan.lines)
        console.log(`  ${gameId}  rake ${show(rake)}  dust ${show(dust)}`);
      for (const { gameId, money, why } of plan.heldBack)
        console.log(`  ${gameId}  ${show(money)} stays: ${why}`);
      const total = `${show(plan.total)} (${plan.total.amount} base units) to ${plan.destination}`;
      if (!dryRun) console.log(`Sweeping ${total}.`);
      else if (plan.total.amount === "0") console.log("There is nothing to sweep now.");
      else console.log(`A sweep would move ${total}. Nothing was written.`);
    };
  },
};

async function tokenOf({ pool }: Context, wanted: string): Promise<Token> {
  const tokens = [...(await knownTokens(pool)).values()];
  const found = tokens.filter(
    ({ address, symbol }) =>
      address === wanted.toLowerCase() || symbol.toLowerCase() === wanted.toLowerCase(),
  );
  const [token] = found;
  if (token === undefined)
    throw new CommandError(`--token is one of ${tokens.map(({ symbol }) => symbol).join(", ")}.`);
  if (found.length > 1)
    throw new CommandError(
      `Several tokens are called ${token.symbol}: name one by its address, ${found.map(({ address }) => address).join(" or ")}.`,
    );
  return token;
}

export async function operatorOf({ pool, settings }: Context, { as }: Options): Promise<PlayerRow> {
  const [first] = settings.operatorAddresses;
  const who = as ?? first;
  if (who === undefined)
    throw new CommandError("Nobody is an operator: name your wallet in OPERATORS, for the engine too.");
  const player = who.startsWith("0x")
    ? await readPlayerByAddress(pool, who.toLowerCase())
    : await readPlayerByHandle(pool, who);
  if (player === null)
    throw new CommandError(
      `Operator ${who} has never signed in: do that once in the browser, so that the audit can name you.`,
    );
  const wallets = await readPlayerWallets(pool, player.id);
  if (!wallets.some(({ address }) => settings.operatorAddresses.has(address)))
    throw new CommandError(
      `${player.handle} isn't an operator: none of their wallets is named in OPERATORS. Say who acts: --as HANDLE.`,
    );
  return player;
}

/** As long as the API lets it be. */
const longestReason = 1_000;
export function reasonOf({ reason = "" }: Options): string {
  if (reason.trim() === "") throw new UsageError('Give a reason: --reason "…".');
  if (reason.length > longestReason)
    throw new UsageError(`A reason has at most ${longestReason} characters.`);
  return reason;
}
