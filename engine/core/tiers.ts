import { assert } from "./rejection.ts";

/**
 * How deep a deposit must lie before it may be played with: so many blocks (1 = it is in a block), Base's `safe` (posted
 * to Ethereum) or `finalized` (beyond reorg).
 */
export type PlayableAt = { depth: number } | "safe" | "finalized";

/** Amounts up to and including `upTo` (base units); null is everything above the tier before. */
export interface ConfirmationTier {
  upTo: bigint | null;
  playableAt: PlayableAt;
}

/** Block numbers of one moment. finalized ≤ safe ≤ latest. */
export interface Heads {
  latest: bigint;
  safe: bigint;
  finalized: bigint;
}

export interface ExposureCaps {
  /** Most base units of a token that one player may have in play before they are final. */
  perPlayer: bigint;
  /** The same for all players together. */
  inAll: bigint;
}

/** Depths beyond this are never meant: `finalized` comes first. */
export const deepestDepth = 10_000;

/** Throws unless the tiers of a token rise in amount, never ask less of more, and cover every amount. */
export function checkTiers(tiers: readonly ConfirmationTier[]): void {
  assert(tiers.length > 0 && tiers.at(-1)?.upTo === null, "the last tier covers every amount above");
  let before: ConfirmationTier | null = null;
  for (const tier of tiers) {
    assert(isDepth(tier.playableAt), `a tier's depth is 1 to ${deepestDepth} blocks`);
    assert(tier.upTo === null || tier.upTo > (before?.upTo ?? 0n), "tiers rise in amount");
    assert(before === null || before.upTo !== null, "only the last tier is without a limit");
    assert(
      before === null || caution(tier.playableAt) >= caution(before.playableAt),
      "more money asks for more depth",
    );
    before = tier;
  }
}

/** The tier's demand for an amount. */
export function playableAt(tiers: readonly ConfirmationTier[], amount: bigint): PlayableAt {
  const tier = tiers.find(({ upTo }) => upTo === null || amount <= upTo);
  assert(tier !== undefined, `a tier covers ${amount}`);
  return tier.playableAt;
}

/** Whether a canonical block lies as deep as the tier demands. */
export function isPlayable({
  tier,
  block,
  heads,
}: {
  tier: PlayableAt;
  block: bigint;
  heads: Heads;
}): boolean {
  if (tier === "finalized") return block <= heads.finalized;
  if (tier === "safe") return block <= heads.safe;
  return heads.latest - block + 1n >= BigInt(tier.depth);
}

/** Whether one more amount that isn't final keeps within both caps. */
export function withinExposure({
  playerNotFinal,
  totalNotFinal,
  amount,
  caps,
}: {
  playerNotFinal: bigint;
  totalNotFinal: bigint;
  amount: bigint;
  caps: ExposureCaps;
}): boolean {
  return playerNotFinal + amount <= caps.perPlayer && totalNotFinal + amount <= caps.inAll;
}

function isDepth(demand: PlayableAt): boolean {
  if (typeof demand === "string") return true;
  return Number.isInteger(demand.depth) && demand.depth >= 1 && demand.depth <= deepestDepth;
}

/** Orders demands: any depth, then safe, then finalized. */
function caution(demand: PlayableAt): number {
  if (demand === "finalized") return deepestDepth + 2;
  return demand === "safe" ? deepestDepth + 1 : demand.depth;
}
