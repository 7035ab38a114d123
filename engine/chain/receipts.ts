/** What became of one transaction. Silence of a node is never "not found". */
import type { Chain } from "./client.ts";
import { InconsistentAnswerError, NotThereError } from "./errors.ts";
import { numbered } from "./heads.ts";
import type { Provider } from "./provider.ts";
import { hex, type RawReceipt, receipt as receiptShape } from "./shapes.ts";
import { isTransferOf, toTransfers } from "./transfers.ts";
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

export type Confirmation =
  /** As many providers as must agree have exactly this transfer in exactly this block. */
  | "confirmed"
  /** A provider has the transaction not at all, elsewhere, or without this transfer. */
  | "denied"
  /** Not enough answers. */
  | "unavailable";

/**
 * Whether enough providers bear out one transfer, block, ordinal, ends and amount included: ask before money that came
 * by it can leave for good, so that no single provider can make it up.
 */
export async function confirmTransfer(chain: Chain, transfer: TransferLog): Promise<Confirmation> {
  const answers = await Promise.allSettled(
    chain.providers.map((provider) => receiptOf(provider, transfer.txHash, [transfer.token])),
  );
  const said = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const bornOut = said.filter((one) => one?.transfers.some((each) => isSame(each, transfer)));
  if (bornOut.length < said.length) return "denied";
  return bornOut.length >= chain.quorum ? "confirmed" : "unavailable";
}

const isSame = (a: TransferLog, b: TransferLog): boolean =>
  a.blockHash === b.blockHash &&
  a.token === b.token &&
  a.ordinal === b.ordinal &&
  a.from === b.from &&
  a.to === b.to &&
  a.amount === b.amount;

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
