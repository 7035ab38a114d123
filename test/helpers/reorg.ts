import type { Hex } from "viem";
import { z } from "zod";
import { callNode, toQuantity } from "../../scripts/local/rpc.ts";

/** A raw signed transaction to be in one of the new blocks; block 0 is the first of them. */
export type ReorgTransaction = { raw: Hex; block: number };

const blockSchema = z.object({ transactions: z.array(z.string()) });
const touchedSchema = z.record(
  z.string(),
  z.object({ storage: z.record(z.string(), z.string()).optional() }),
);
const traceSchema = z.object({ pre: touchedSchema, post: touchedSchema });

/**
 * Takes away the last `depth` blocks of a fork and makes as many others, with the given transactions in their places.
 *
 * anvil alone doesn't do this right on a fork: accounts and storage that were first written in a removed block keep what
 * was written. So everything that the removed blocks wrote is put back by hand first.
 */
export async function reorganize(
  rpcUrl: string,
  depth: number,
  transactions: readonly ReorgTransaction[],
): Promise<void> {
  const head = Number(await callNode(rpcUrl, "eth_blockNumber"));
  const ancestor = toQuantity(head - depth);
  for (const [address, slots] of await findWritten(rpcUrl, head - depth + 1, head)) {
    await restore(rpcUrl, { address, slots, ancestor });
  }
  await callNode(rpcUrl, "anvil_reorg", [depth, transactions.map(({ raw, block }) => [raw, block])]);
}

/** The accounts that the transactions of these blocks wrote, each with its written storage slots. */
async function findWritten(rpcUrl: string, first: number, last: number): Promise<Map<string, Set<string>>> {
  const written = new Map<string, Set<string>>();
  for (let number = first; number <= last; number++) {
    const answer = await callNode(rpcUrl, "eth_getBlockByNumber", [toQuantity(number), false]);
    for (const hash of blockSchema.parse(answer).transactions) {
      const settings = { tracer: "prestateTracer", tracerConfig: { diffMode: true } };
      const { pre, post } = traceSchema.parse(
        await callNode(rpcUrl, "debug_traceTransaction", [hash, settings]),
      );
      for (const [address, account] of [...Object.entries(pre), ...Object.entries(post)]) {
        const slots = written.get(address) ?? new Set();
        for (const slot of Object.keys(account.storage ?? {})) slots.add(slot);
        written.set(address, slots);
      }
    }
  }
  return written;
}

async function restore(
  rpcUrl: string,
  account: { address: string; slots: Set<string>; ancestor: string },
): Promise<void> {
  const { address, slots, ancestor } = account;
  const put = async (read: string, write: string) =>
    callNode(rpcUrl, write, [address, await callNode(rpcUrl, read, [address, ancestor])]);
  await put("eth_getBalance", "anvil_setBalance");
  await put("eth_getTransactionCount", "anvil_setNonce");
  await put("eth_getCode", "anvil_setCode");
  for (const slot of slots) {
    const value = await callNode(rpcUrl, "eth_getStorageAt", [address, slot, ancestor]);
    await callNode(rpcUrl, "anvil_setStorageAt", [address, slot, value]);
  }
}
