/** What a node may answer. Everything is checked before it is believed. */
import { z } from "zod";
import type { BlockRef } from "./types.ts";

const maxUint256 = (1n << 256n) - 1n;

/** A quantity as JSON-RPC writes it. */
export const hex = (value: bigint): string => `0x${value.toString(16)}`;
/** A quantity in hex, at most 2^256 − 1. */
export const quantity = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform(BigInt);
/** A quantity that fits a safe integer, such as a log index. */
export const smallQuantity = quantity
  .refine((value) => value <= BigInt(Number.MAX_SAFE_INTEGER))
  .transform(Number);
export const hash = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/)
  .transform((text) => text.toLowerCase());
export const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text.toLowerCase());
export const bytes = z.string().regex(/^0x([0-9a-fA-F]{2})*$/);
/** An address as a log's topic. */
const addressTopic = z
  .string()
  .regex(/^0x0{24}[0-9a-fA-F]{40}$/)
  .transform((text) => `0x${text.slice(26)}`.toLowerCase());

export const header = z
  .object({
    number: quantity,
    hash,
    parentHash: hash,
    timestamp: quantity,
    logsBloom: z.string().regex(/^0x[0-9a-fA-F]{512}$/),
  })
  .transform(({ timestamp, ...rest }) => ({ ...rest, timestampSeconds: timestamp }));
export type Header = z.output<typeof header>;
/** What is kept of a block. */
export const refOf = ({ number, hash, parentHash, timestampSeconds }: Header): BlockRef => ({
  ...{ number, hash, parentHash, timestampSeconds },
});

/** keccak256("Transfer(address,address,uint256)") */
export const transferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

export const log = z.object({
  address,
  topics: z.array(hash).max(4),
  data: bytes,
  blockNumber: quantity,
  blockHash: hash,
  transactionHash: hash,
  transactionIndex: smallQuantity,
  logIndex: smallQuantity,
  removed: z.boolean().optional(),
});
export type RawLog = z.output<typeof log>;

/** The indexed form that the standard asks for; other logs under the same topic (an NFT's) have no amount in `data`. */
export const transferBody = z.object({
  topics: z.tuple([z.literal(transferTopic), addressTopic, addressTopic]),
  data: z
    .string()
    .regex(/^0x[0-9a-fA-F]{64}$/)
    .transform(BigInt)
    .refine((amount) => amount <= maxUint256),
});

export const receipt = z.object({
  transactionHash: hash,
  blockNumber: quantity,
  blockHash: hash,
  status: z.enum(["0x0", "0x1"]),
  logs: z.array(log),
});
export type RawReceipt = z.output<typeof receipt>;
