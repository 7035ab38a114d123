/** How much may leave our wallets, per token. A stolen request path can then lose an hour's limit, not the house. */

/** Base units of the token. A transfer of exactly the limit passes. */
export interface TokenLimits {
  /** The most one transfer may take out of our wallets, alone or in a batch. */
  perTransaction: bigint;
  /** The most that may leave within any {@link outflowWindowMs}. */
  perHour: bigint;
}

/** A token that may be moved at all. */
export interface TokenRule {
  /** The contract, lower case. */
  address: string;
  /** As read from the chain and checked at start; used for the default limits only. */
  decimals: number;
  limits?: Partial<TokenLimits> | undefined;
}

export const outflowWindowMs = 3_600_000;

/** wei: forty times what a transfer costs at 1 gwei, twenty gwei on a transfer of 100,000 gas. */
export const defaultMaxFeeWei = 2_000_000_000_000_000n;
/** wei: enough for hundreds of plain transfers, not worth stealing. */
export const defaultMaxTopupWei = 5_000_000_000_000_000n;

const usdc = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";

/**
 * The limits of a token that configures none: 10,000 and 50,000 of USDC, because its unit is worth a dollar, and
 * 1,000,000 and 5,000,000 whole tokens of any other, whose price nobody here knows. Set them in production.
 */
export function limitsOf(rule: TokenRule): TokenLimits {
  const unit = 10n ** BigInt(rule.decimals);
  const [perTransaction, perHour] = rule.address === usdc ? [10_000n, 50_000n] : [1_000_000n, 5_000_000n];
  return {
    perTransaction: rule.limits?.perTransaction ?? perTransaction * unit,
    perHour: rule.limits?.perHour ?? perHour * unit,
  };
}

/** The most that one payment can ever be: above the limit of an hour it would wait for room that never comes. */
export const largestPayment = ({ perTransaction, perHour }: TokenLimits): bigint =>
  perTransaction < perHour ? perTransaction : perHour;
