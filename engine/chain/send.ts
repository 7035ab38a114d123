/** Broadcasting signed bytes. An answer is a hint about what to do next, never proof that something was (not) sent. */
import { z } from "zod";
import type { Chain } from "./client.ts";
import { RpcRefusedError } from "./errors.ts";
import { hash } from "./shapes.ts";

export type BroadcastOutcome =
  /** The node took it. */
  | { outcome: "accepted" }
  /** The node has it already. */
  | { outcome: "known" }
  /** The nonce is spent: by these bytes, by another attempt, or by a stranger. The receipts tell. */
  | { outcome: "nonce_too_low" }
  /** A transaction of the same nonce with a higher fee waits already, or the fee is below what the node takes. */
  | { outcome: "underpriced" }
  | { outcome: "insufficient_funds" }
  /** No answer, or one that nobody has seen before. It may be on its way. */
  | { outcome: "unknown"; detail: string };

// The standard has no codes for these; nodes agree on the words well enough for a hint.
const meanings: [pattern: RegExp, outcome: Exclude<BroadcastOutcome["outcome"], "unknown">][] = [
  [/already (known|imported)|known transaction/i, "known"],
  [/nonce too low|nonce .*already been used/i, "nonce_too_low"],
  [/underpriced|fee too low|max fee per gas less than block base fee/i, "underpriced"],
  [/insufficient funds/i, "insufficient_funds"],
];

/** Sends the bytes to every provider. Sending them again is harmless. */
export async function broadcast(chain: Chain, raw: string): Promise<BroadcastOutcome> {
  const answers = await chain.askEach("eth_sendRawTransaction", [raw], hash);
  const outcomes = answers.map((answer): BroadcastOutcome => {
    if (answer.status === "fulfilled") return { outcome: "accepted" };
    return outcomeOf(answer.reason);
  });
  // The most favourable word counts: one provider that has it is enough.
  return (
    outcomes.find(({ outcome }) => outcome === "accepted") ??
    outcomes.find(({ outcome }) => outcome !== "unknown") ??
    outcomes[0] ?? { outcome: "unknown", detail: "no provider" }
  );
}

/** Several at once, as one wallet's transactions in nonce order: nodes queue what comes early. */
export const broadcastMany = (chain: Chain, raws: string[]): Promise<BroadcastOutcome[]> =>
  inChunks(raws, 25, (raw) => broadcast(chain, raw));

function outcomeOf(error: unknown): BroadcastOutcome {
  if (error instanceof RpcRefusedError) {
    const meaning = meanings.find(([pattern]) => pattern.test(error.message));
    if (meaning !== undefined) return { outcome: meaning[1] };
  }
  const detail =
    error instanceof z.ZodError
      ? "an answer that isn't a hash"
      : error instanceof Error
        ? error.message
        : String(error);
  return { outcome: "unknown", detail: detail.slice(0, 200) };
}

async function inChunks<Item, Answer>(
  items: Item[],
  size: number,
  work: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < items.length; at += size)
    answers.push(...(await Promise.all(items.slice(at, at + size).map(work))));
  return answers;
}
