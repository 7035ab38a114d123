/** "I have sent something and don't see it": what became of one transaction, in words. */
import type { z } from "zod";
import { readReceipt } from "../chain/receipts.ts";
import type { foundDeposit } from "../contract/account.ts";
import { accept, type Result } from "../contract/problems.ts";
import { readCursor } from "../db/cursor.ts";
import { readDepositsByTransaction, type ShownDeposit } from "../db/deposit-list.ts";
import { findWallets } from "../db/wallets.ts";
import type { Context } from "./context.ts";
import { depositView } from "./deposit-view.ts";
import { knownTokens } from "./tokens.ts";

type FoundDeposit = z.output<typeof foundDeposit>;

const sentences = {
  credited: "It arrived and is in your pool.",
  waiting: "It is on the chain and on its way into your pool.",
  orphaned: "Its block fell out of the chain. If the chain takes it up again, it is credited by itself.",
  yours: "It arrived, and you sent it: it goes into your pool by itself once its block is final.",
  claimable: "It arrived, but we can't tell whose it is. Link the wallet that sent it, and it is yours.",
  minted: "It arrived, made out of nothing, so no wallet can prove whose it is. Tell an operator this hash.",
  refunded: "It arrived, couldn't be credited to anybody, and went back to its sender.",
  elsewhere: "It arrived and was credited to the player whose address it was sent to.",
  unseen: "It is on the chain and sent to us; we haven't come to its block yet.",
  missed: "It was sent to us, but it isn't in our books. Tell an operator this hash.",
  not_ours: "This transaction sends none of our tokens to a wallet of ours.",
  failed: "The chain carried this transaction out, and it failed: nothing was sent.",
  not_found: "The chain doesn't know this transaction: it was never sent, or it isn't in a block yet.",
  unavailable: "The chain can't be asked right now. Try again in a minute.",
} as const;

/**
 * Looks for a transaction, in the books first and then on the chain. Only the asker's own deposits are listed, and what a wallet of theirs has
 * sent into suspense; what
 * another player was credited for is only hinted at, as the chain shows it to anybody.
 */
export async function findDeposit(
  context: Context,
  { by, txHash }: { by: string; txHash: string },
): Promise<Result<FoundDeposit>> {
  const rows = await readDepositsByTransaction(context.pool, txHash);
  if (rows.length === 0) return accept(await askChain(context, txHash));
  const tokens = await knownTokens(context.pool);
  const mine = rows.filter((row) => row.player_id === by);
  // What the asker sent and nobody was credited for is the very item that the operator sees.
  const sent = rows.filter((row) => row.player_id === null && row.sender_player_id === by);
  const deposits = [...mine, ...sent].map((row) => depositView(tokens, row));
  return accept({ ...(mine.length > 0 ? sayMine(mine) : sayOthers(rows, by)), deposits });
}

type Answer = Pick<FoundDeposit, "status" | "explanation">;
const say = (status: FoundDeposit["status"], sentence: keyof typeof sentences): Answer => ({
  status,
  explanation: sentences[sentence],
});

function sayMine(rows: ShownDeposit[]): Answer {
  if (rows.some(({ state }) => state === "seen")) return say("waiting", "waiting");
  if (rows.every(({ state }) => state === "orphaned")) return say("waiting", "orphaned");
  return say("credited", "credited");
}

function sayOthers(rows: ShownDeposit[], by: string): Answer {
  const open = rows.filter((row) => row.suspense_state === "open");
  if (open.some((row) => row.sender_player_id === by)) return say("suspense", "yours");
  if (open.some((row) => row.is_claimable)) return say("suspense", "claimable");
  if (open.length > 0) return say("suspense", "minted");
  if (rows.some((row) => row.suspense_state === "refunded")) return say("suspense", "refunded");
  return say("not_ours", "elsewhere");
}

async function askChain(context: Context, txHash: string): Promise<FoundDeposit> {
  const tokens = [...(await knownTokens(context.pool)).keys()];
  const receipt = await readReceipt(context.chain, txHash, tokens);
  const answer = (status: FoundDeposit["status"], sentence: keyof typeof sentences): FoundDeposit => ({
    ...say(status, sentence),
    deposits: [],
  });
  if ("unknown" in receipt) return answer("unavailable", "unavailable");
  if (!receipt.found) return answer("not_found", "not_found");
  if (!receipt.succeeded) return answer("failed", "failed");
  const arriving = receipt.transfers.filter(({ amount }) => amount > 0n);
  const ours = await findWallets(
    context.pool,
    arriving.map(({ to }) => to),
  );
  if (ours.size === 0) return answer("not_ours", "not_ours");
  const head = (await readCursor(context.pool))?.head_number ?? 0n;
  return receipt.blockNumber > head ? answer("waiting", "unseen") : answer("waiting", "missed");
}
