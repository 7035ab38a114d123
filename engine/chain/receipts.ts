/** What became of one transaction. Silence of a node is never "not found". */
import type { Chain } from "./client.ts";
import { InconsistentAnswerError, NotThereError } from "./errors.ts";
import { numbered } from "./heads.ts";
import type { Provider } from "./provider.ts";
import { hex, type RawReceipt, receipt as receiptShape } from "./shapes.ts";
import { isTransferOf, type TransferClaim, toTransfers } from "./transfers.ts";
import type { Shape, TransferLog } from "./types.ts";

export interface FoundReceipt {
  found: true;
  blockNumber: bigint;
  blockHash: string;
  succeeded: boolean;
  transfers: TransferLog[];
}
export type ReceiptAnswer = FoundReceipt | { found: false } | { unknown: true };

/**
 * The receipt of exactly this hash (never of a replacement), in the block that is canonical at its number, with the
 * transfers of the given tokens. `found: false` only when every provider says so.
 */
export async function readReceipt(
  chain: Chain,
  hash: string,
  tokens: readonly string[],
): Promise<ReceiptAnswer> {
  const asked = chain.providers.map((provider) => receiptOf(provider, hash, tokens));
  const found = asked.map(async (one) => (await one) ?? Promise.reject(new NotThereError("no receipt")));
  try {
    return await Promise.any(found);
  } catch {
    const answers = await Promise.allSettled(asked);
    return answers.every(({ status }) => status === "fulfilled") ? { found: false } : { unknown: true };
  }
}

/**
 * The same by the word of as many providers as must agree: ask before money can leave for good by it. `unknown` when too
 * few answer, or tell different things.
 */
export async function readAgreedReceipt(
  chain: Chain,
  hash: string,
  tokens: readonly string[],
): Promise<ReceiptAnswer> {
  const answers = await Promise.allSettled(
    chain.providers.map((provider) => receiptOf(provider, hash, tokens)),
  );
  const said = new Map<string, { answer: FoundReceipt | null; times: number }>();
  for (const answer of answers) {
    if (answer.status === "rejected") continue;
    const key = answer.value === null ? "none" : textOf(answer.value);
    const times = (said.get(key)?.times ?? 0) + 1;
    said.set(key, { answer: answer.value, times });
    if (times >= chain.quorum) return answer.value ?? { found: false };
  }
  return { unknown: true };
}

const textOf = ({ blockHash, succeeded, transfers }: FoundReceipt): string =>
  [blockHash, succeeded, ...transfers.map(identityOf)].join();

/** What is the same in every true account of a transfer. */
export const identityOf = ({ blockHash, txHash, token, ordinal, from, to, amount }: TransferClaim): string =>
  [blockHash, txHash, token, ordinal, from, to, amount].join();

export type Confirmation =
  /** As many providers as must agree have exactly this transfer in exactly this block. */
  | "confirmed"
  /** As many have the transaction not at all, elsewhere, or without this transfer. */
  | "denied"
  /** Too few answers, or they differ. */
  | "unavailable";

/** Whether enough providers bear out one transfer, block, ordinal, ends and amount included: none alone can make it up. */
export async function confirmTransfer(chain: Chain, transfer: TransferClaim): Promise<Confirmation> {
  const receipt = await readAgreedReceipt(chain, transfer.txHash, [transfer.token]);
  if ("unknown" in receipt) return "unavailable";
  const isThere = receipt.found && receipt.transfers.some((one) => identityOf(one) === identityOf(transfer));
  return isThere ? "confirmed" : "denied";
}

/** @throws when the provider fails, or names a block that isn't canonical (yet): a pre-confirmation, or an orphan */
async function receiptOf(
  provider: Provider,
  hash: string,
  tokens: readonly string[],
): Promise<FoundReceipt | null> {
  const receipt = await provider.ask("eth_getTransactionReceipt", [hash], receiptFor(hash));
  if (receipt === null) return null;
  const { blockNumber, blockHash, status } = receipt;
  const block = await provider.ask("eth_getBlockByNumber", [hex(blockNumber), false], numbered(blockNumber));
  if (block.hash !== blockHash)
    throw new InconsistentAnswerError(`the receipt is of block ${blockHash}, which isn't canonical`);
  const logs = receipt.logs.filter((log) => isTransferOf(log, tokens));
  return {
    found: true,
    blockNumber,
    blockHash,
    succeeded: status === "0x1",
    transfers: toTransfers(logs, block, tokens),
  };
}

const receiptFor = (hash: string): Shape<RawReceipt | null> => ({
  parse(answer) {
    const receipt = receiptShape.nullable().parse(answer);
    if (receipt !== null && receipt.transactionHash !== hash)
      throw new InconsistentAnswerError("the receipt of another transaction was answered");
    if (receipt?.logs.some(({ transactionHash }) => transactionHash !== hash))
      throw new InconsistentAnswerError("a receipt with logs of another transaction was answered");
    return receipt;
  },
});
