/** The smallest shapes that cross the wire. Every schema is strict about form, so that a service never has to be. */
import { isAddress } from "viem/utils";
import { z } from "zod";

/** 2^256 − 1, the largest amount an ERC-20 can hold. */
const maxUint256 = (1n << 256n) - 1n;

/** An amount in base units as a decimal string: no sign, no leading zero, no exponent, at most 2^256 − 1. */
export const baseUnits = z
  .string()
  .max(78, "An amount has at most 78 digits.")
  .regex(/^(0|[1-9][0-9]*)$/, "Write the amount in base units: digits only, like 50000000.")
  .refine((text) => !/^[0-9]{1,78}$/.test(text) || BigInt(text) <= maxUint256, "That is more than 2^256 - 1.")
  .meta({ id: "BaseUnits", example: "50000000" });

/** An amount above zero. */
export const positiveBaseUnits = baseUnits.refine((text) => text !== "0", "The amount must be above zero.");

/**
 * An address as people write it; decoded to lower case. Mixed case must carry a right EIP-55 checksum, the zero
 * address is refused.
 */
export const address = z
  .string()
  .max(42, "An address has 42 characters.")
  .regex(/^0x[0-9a-fA-F]{40}$/, { error: "An address is 0x and 40 hex digits.", abort: true })
  .refine(
    (text) => isAddress(text, { strict: text !== text.toLowerCase() }),
    "The checksum of this address is wrong: copy it again.",
  )
  .refine((text) => !/^0x0{40}$/.test(text), "The zero address can't be used.")
  .transform((text) => text.toLowerCase())
  .meta({ id: "Address", example: "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913" });

/** A lower-case address in an answer. */
export const addressOut = z.string().regex(/^0x[0-9a-f]{40}$/);
/** The hash of a chain transaction or block, lower case. */
export const hash32 = z.string().regex(/^0x[0-9a-f]{64}$/, "A transaction hash is 0x and 64 hex digits.");
/** A moment as ISO 8601 in UTC. */
export const moment = z.iso.datetime();
/** A row's id: decimal digits. */
export const rowId = z.string().regex(/^[1-9][0-9]{0,18}$/, "An id is a whole number.");
/** The id of a proposal, game or withdrawal. */
export const publicId = z.uuid("This isn't an id of ours.");
/** 3–20 letters, digits or underscores; compared without regard to case. */
export const handle = z
  .string()
  .regex(/^[A-Za-z0-9_]{3,20}$/, "A handle has 3 to 20 letters, digits or underscores.");

/** An amount with everything that is needed to show it. */
export const money = z
  .strictObject({
    amount: baseUnits,
    token: addressOut,
    symbol: z.string(),
    decimals: z.int().min(0).max(36),
  })
  .meta({ id: "Money" });
export type Money = z.infer<typeof money>;

/** How a player is named to others. */
export const playerRef = z.strictObject({ id: rowId, handle: z.string() }).meta({ id: "PlayerRef" });
export type PlayerRef = z.infer<typeof playerRef>;

/** A page of a list: newest first; `nextCursor` is null on the last page. */
export const page = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });
export const pageQuery = z.strictObject({
  cursor: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(25),
});

export const side = z.enum(["red", "blue"]);
export type Side = z.infer<typeof side>;
export const outcome = z.enum(["red", "blue", "draw", "no_contest"]);
export type Outcome = z.infer<typeof outcome>;
