/** Broadcasting signed bytes. An answer is a hint about what to do next, never proof that something was (not) sent. */
import { keccak256 } from "viem";
import type { Chain } from "./client.ts";
import { InconsistentAnswerError, ProviderFailedError, RpcRefusedError, WrongChainError } from "./errors.ts";
import { type Provider, reasonOf } from "./provider.ts";
import { hash } from "./shapes.ts";
import type { Shape } from "./types.ts";

export type BroadcastOutcome =
  /** A node took it. */
  | { outcome: "accepted" }
  /** A node has it already. */
  | { outcome: "known" }
  /** The nonce is spent: by these bytes, by another attempt, or by a stranger. The receipts tell. */
  | { outcome: "nonce_too_low" }
  /** A transaction of the same nonce with a higher fee waits already, or the fee is below what the node takes. */
  | { outcome: "underpriced" }
  | { outcome: "insufficient_funds" }
  /** No answer, or one that nobody has seen before. It may be on its way. */
  | { outcome: "unknown"; detail: string };

/** What one provider's answer comes to; `unreached`: the bytes certainly never left for it. */
type Heard = BroadcastOutcome | { outcome: "unreached"; detail: string };

// The standard has no codes for these; nodes agree on the words well enough for a hint, and the rest is "unknown".
const meanings: [
  pattern: RegExp,
  outcome: "known" | "nonce_too_low" | "underpriced" | "insufficient_funds",
][] = [
  [/already (known|imported)|alreadyknown|known transaction/i, "known"],
  [/nonce (is )?too low|nonce .*already been used|invalid nonce.*lower/i, "nonce_too_low"],
  [/underpriced|fee too low|less than block base fee/i, "underpriced"],
  [/insufficient (funds|balance)/i, "insufficient_funds"],
];

/** In one request; the node takes them one after the other. */
const sentTogether = 20;

/** Sends the bytes to every provider, and answers as soon as one has them. Sending them again is harmless. */
export async function broadcast(chain: Chain, raw: string): Promise<BroadcastOutcome> {
  const [outcome] = await broadcastMany(chain, [raw]);
  return outcome ?? { outcome: "unknown", detail: "nothing was sent" };
}

/** Sends several, in the order given: put those of one wallet in nonce order. The outcomes come in the same order. */
export async function broadcastMany(chain: Chain, raws: readonly string[]): Promise<BroadcastOutcome[]> {
  const outcomes: BroadcastOutcome[] = [];
  for (let start = 0; start < raws.length; start += sentTogether) {
    const part = raws.slice(start, start + sentTogether);
    outcomes.push(...(await sendToAll(chain.providers, part)));
  }
  return outcomes;
}

/** Doesn't wait for slow providers once one has everything. */
async function sendToAll(
  providers: readonly Provider[],
  raws: readonly string[],
): Promise<BroadcastOutcome[]> {
  const sendings = providers.map((provider) => sendTo(provider, raws));
  const taken = sendings.map(async (sending) => {
    const heard = await sending;
    if (!heard.every(isTaken)) throw new Error("not all are taken");
    return [heard];
  });
  const heard = await Promise.any(taken).catch(() => Promise.all(sendings));
  return raws.map((_, index) => summarize(heard.flatMap((one) => one[index] ?? [])));
}

async function sendTo(provider: Provider, raws: readonly string[]): Promise<Heard[]> {
  const questions = raws.map((raw) => ({
    method: "eth_sendRawTransaction",
    params: [raw],
    shape: hashOf(raw),
  }));
  try {
    const answers = await provider.askTogether(questions);
    const heard = answers.map((answer) =>
      answer.status === "fulfilled" ? ({ outcome: "accepted" } as const) : meaningOf(answer.reason),
    );
    if (raws.length === 1 || !heard.every(({ outcome }) => outcome === "unknown")) return heard;
  } catch (error) {
    if (raws.length === 1) return [meaningOf(error)];
  }
  // A node that takes one at a time only; what it took of them after all is "known" now.
  const heard: Heard[] = [];
  for (const raw of raws) heard.push(...(await sendTo(provider, [raw])));
  return heard;
}

const isTaken = ({ outcome }: Heard): boolean => outcome === "accepted" || outcome === "known";

/** One provider that has it is enough; short of that, one unclear answer makes the whole unclear. */
function summarize(heard: readonly Heard[]): BroadcastOutcome {
  const one = (outcome: Heard["outcome"]): Heard | undefined =>
    heard.find((each) => each.outcome === outcome);
  const best =
    one("accepted") ?? one("known") ?? one("unknown") ?? heard.find(({ outcome }) => outcome !== "unreached");
  if (best !== undefined && best.outcome !== "unreached") return best;
  const unreached = one("unreached");
  return {
    outcome: "unknown",
    detail: unreached !== undefined && "detail" in unreached ? unreached.detail : "no provider",
  };
}

function meaningOf(error: unknown): Heard {
  if (error instanceof RpcRefusedError) {
    const meaning = meanings.find(([pattern]) => pattern.test(error.message));
    if (meaning !== undefined) return { outcome: meaning[1] };
  }
  const neverLeft =
    error instanceof WrongChainError || (error instanceof ProviderFailedError && !error.mayHaveArrived);
  return { outcome: neverLeft ? "unreached" : "unknown", detail: reasonOf(error) };
}

/** A node that took the bytes names their hash; another hash is no sign that it did. */
const hashOf = (raw: string): Shape<string> => ({
  parse(answer) {
    const named = hash.parse(answer);
    if (named !== keccak256(raw as `0x${string}`))
      throw new InconsistentAnswerError("the node names another hash than that of the bytes");
    return named;
  },
});
