import { type Address, encodeFunctionData, erc20Abi, type Hex, keccak256 as hashOf } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { expect } from "vitest";
import type { Chain } from "../../engine/chain/client.ts";
import {
  type BlockId,
  type BlockRef,
  type ChainEvent,
  type FollowOptions,
  follow,
  type TransferLog,
} from "../../engine/chain/follow.ts";
import type { TestChain } from "../helpers/chain.ts";
import { waitFor } from "../helpers/wait.ts";

export const recipient: Address = "0x00000000000000000000000000000000000000aa";

/** A reader of the follower, with the canonical picture that its events add up to. */
export type Watcher = {
  events: ChainEvent[];
  blocks: BlockRef[];
  transfers(): TransferLog[];
  finalized(): BlockId | null;
  reorgs(): Extract<ChainEvent, { type: "reorg" }>[];
  /** Waits for a transfer of a transaction. */
  sees(hash: string): Promise<TransferLog>;
  /** Waits until the picture ends in the node's newest block. */
  reaches(): Promise<void>;
  failure(): unknown;
  /** Ends it. The options that go on from here. */
  stop(): Promise<Pick<FollowOptions, "from" | "recentBlocks" | "finalized">>;
};

export function watch(chain: Chain, base: TestChain, options: Partial<FollowOptions> = {}): Watcher {
  const stopping = new AbortController();
  const events: ChainEvent[] = [];
  const blocks: BlockRef[] = [...(options.recentBlocks ?? [])];
  let transfers: TransferLog[] = [];
  let finalized: BlockId | null = options.finalized ?? null;
  let failure: unknown = null;

  /** The block that it began at may become final, too. */
  const known = (): BlockId[] => (options.from == null ? blocks : [options.from, ...blocks]);

  const take = (event: ChainEvent): void => {
    events.push(event);
    switch (event.type) {
      case "block":
        blocks.push(event.block);
        transfers.push(...event.transfers);
        return;
      case "reorg":
        expect(blocks.splice(-event.orphaned.length)).toEqual(event.orphaned);
        expect(blocks.at(-1)).toEqual(event.commonAncestor);
        transfers = transfers.filter(({ blockNumber }) => blockNumber <= event.commonAncestor.number);
        return;
      case "finalized":
        expect(event.block.number).toBeGreaterThanOrEqual(finalized?.number ?? 0n);
        expect(event.safe?.number ?? event.block.number).toBeGreaterThanOrEqual(event.block.number);
        expect(known().at(-1)?.number).toBeGreaterThanOrEqual(event.safe?.number ?? event.block.number);
        expect(known()).toContainEqual(expect.objectContaining(event.block));
        finalized = event.block;
    }
  };
  const done = (async () => {
    const tokens = [base.usdc, base.openwork];
    const start = { from: null, recentBlocks: [], finalized: null, tokens, pollIntervalMs: 50 };
    for await (const event of follow(chain, { ...start, ...options, signal: stopping.signal })) take(event);
  })().catch((error: unknown) => {
    failure = error;
  });

  return {
    events,
    blocks,
    transfers: () => transfers,
    finalized: () => finalized,
    reorgs: () => events.filter((event) => event.type === "reorg"),
    sees: (hash) =>
      waitFor(() => transfers.find(({ txHash }) => txHash === hash), {
        what: `transfer ${hash}`,
        timeoutMs: 20_000,
      }),
    reaches: async () => {
      await waitFor(
        async () => {
          if (failure !== null) throw failure;
          return blocks.at(-1)?.hash === (await base.testClient.getBlock()).hash;
        },
        { what: "the newest block", timeoutMs: 40_000 },
      );
    },
    failure: () => failure,
    stop: async () => {
      stopping.abort();
      await done;
      return { from: blocks.at(-1) ?? null, recentBlocks: [...blocks], finalized };
    },
  };
}

export type Signed = { raw: Hex; hash: Hex };

export type Sender = {
  address: Address;
  sign(units: bigint, nonce: number): Promise<Signed>;
  /** Signs with the next nonce and has it mined. */
  send(units: bigint): Promise<Signed>;
};

/** Somebody with ether and USDC, minted in a block that is final, who pays the recipient. */
export async function createSender(base: TestChain, balance = 1_000_000n): Promise<Sender> {
  const account = privateKeyToAccount(generatePrivateKey());
  await base.setEther(account.address, 10n ** 18n);
  await base.mint(base.usdc, account.address, balance);
  await base.mine(3);
  const sign: Sender["sign"] = async (units, nonce) => {
    const args = [recipient, units] as const;
    const raw = await account.signTransaction({
      chainId: 8453,
      type: "eip1559",
      to: base.usdc,
      data: encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args }),
      nonce,
      gas: 200_000n,
      maxFeePerGas: 10n ** 10n,
      maxPriorityFeePerGas: 10n ** 6n,
    });
    return { raw, hash: hashOf(raw) };
  };
  return {
    address: account.address,
    sign,
    send: async (units) => {
      const nonce = await base.testClient.getTransactionCount({ address: account.address });
      const signed = await sign(units, nonce);
      await base.testClient.sendRawTransaction({ serializedTransaction: signed.raw });
      await waitFor(() => base.testClient.getTransactionReceipt({ hash: signed.hash }).catch(() => null), {
        what: `the receipt of ${signed.hash}`,
        timeoutMs: 20_000,
      });
      return signed;
    },
  };
}

/** Whether each block is the parent of the next, but for blocks that were left out (final and empty ones may be). */
export const isUnbroken = (blocks: readonly BlockRef[], { mayLeaveOut = false } = {}): boolean =>
  blocks.every((block, index) => {
    const before = blocks[index - 1];
    if (before === undefined || before.hash === block.parentHash) return true;
    return mayLeaveOut && block.number > before.number + 1n;
  });

/** A block as a cursor. */
export async function cursorAt(base: TestChain, blockNumber?: bigint): Promise<BlockId> {
  const block = await base.testClient.getBlock(blockNumber === undefined ? {} : { blockNumber });
  return { number: block.number, hash: block.hash };
}
