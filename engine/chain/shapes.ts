/** What a node may answer. Everything is checked before it is believed. */
import { z } from "zod";
import { logList } from "./raw-log.ts";
import type { BlockRef } from "./types.ts";

/** A quantity as JSON-RPC writes it. */
export const hex = (value: bigint): string => `0x${value.toString(16)}`;
/** A quantity in hex, at most 2^256 − 1. */
export const quantity = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform(BigInt);
export const hash = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/)
  .transform((text) => text.toLowerCase());
export const bytes = z
  .string()
  .regex(/^0x[0-9a-fA-F]*$/)
  .refine((text) => text.length % 2 === 0);
/** A block's number, or the second it is stamped with: what fits the books and a date, 2^40 at most. */
const ordinary = quantity.refine((value) => value <= 2n ** 40n);
export const header = z
  .object({
    number: ordinary,
    hash,
    parentHash: hash,
    timestamp: ordinary,
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

export const receipt = z.object({
  transactionHash: hash,
  blockNumber: quantity,
  blockHash: hash,
  status: z.enum(["0x0", "0x1"]),
  logs: z.unknown().transform((logs) => logList.parse(logs)),
});
export type RawReceipt = z.output<typeof receipt>;
