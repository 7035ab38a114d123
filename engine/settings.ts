/** From configuration to the rules that services go by, with the defaults that depend on a token's decimals. */

import { largestPayment, limitsOf } from "../wallets/limits.ts";
import type { Config } from "./config.ts";
import type { ConfirmationTier, ExposureCaps } from "./core/tiers.ts";
import type { KnownToken, Token } from "./db/tokens.ts";
import type { Settings } from "./services/context.ts";

const second = 1_000;

/**
 * @param tokens those of `TOKENS`
 * @param known those that were ever listed
 */
export function settingsOf(
  config: Config,
  { chainIsLocal, tokens, known }: { chainIsLocal: boolean; tokens: Token[]; known: KnownToken[] },
): Settings {
  const perToken = <Value>(
    of: Token[],
    set: ReadonlyMap<string, Value> | undefined,
    otherwise: (unit: bigint) => Value,
  ): Map<string, Value> =>
    new Map([
      ...of.map(({ address, decimals }): [string, Value] => [address, otherwise(10n ** BigInt(decimals))]),
      ...(set ?? []),
    ]);
  return {
    chainId: 8453,
    chainIsLocal,
    explorerUrl: config.EXPLORER_URL,
    publicOrigin: config.PUBLIC_ORIGIN,
    houseAddress: config.HOUSE_ADDRESS,
    rakeBps: config.RAKE_BPS,
    clocks: {
      resultGraceMs: config.RESULT_GRACE_SECONDS * second,
      reportWindowMs: config.REPORT_WINDOW_SECONDS * second,
      disputeWindowMs: config.DISPUTE_WINDOW_SECONDS * second,
      undoWindowMs: config.UNDO_WINDOW_SECONDS * second,
    },
    // No default for a token out of play: nobody vouches for it any more, and its deposits count when they are final.
    tiers: perToken(tokens, config.DEPOSIT_TIERS, defaultTiers),
    exposureCaps: perToken(tokens, config.EXPOSURE_CAPS, defaultCaps),
    collectMinimum: perToken(tokens, config.COLLECT_MINIMUM, () => 0n),
    withdrawalLimit: new Map(
      [...known, ...tokens].map(({ address, decimals }) => [
        address,
        largestPayment(limitsOf({ address, decimals, limits: config.OUTFLOW_LIMITS?.get(address) })),
      ]),
    ),
    approvalLimit: perToken([...known, ...tokens], config.APPROVAL_LIMIT, (unit) => 1_000n * unit),
    operatorAddresses: new Set(config.OPERATORS),
    payouts: config.PAYOUTS,
    maxFeePerGasWei: BigInt(config.MAX_FEE_PER_GAS_GWEI) * 1_000_000_000n,
    pollIntervalMs: chainIsLocal ? 250 : 1_000,
    sendIntervalMs: chainIsLocal ? 50 : 250,
    confirmAfterMs: chainIsLocal ? 300 : 4_000,
    resendAfterMs: chainIsLocal ? 5_000 : 15_000,
    stuckAfterMs: chainIsLocal ? 20_000 : 60_000,
    termsVersion: "2026-11",
  };
}

/** Up to 100 tokens in the next block, up to 1,000 after ten, above that when the block is posted to Ethereum. */
const defaultTiers = (unit: bigint): readonly ConfirmationTier[] => [
  { upTo: 100n * unit, playableAt: { depth: 1 } },
  { upTo: 1_000n * unit, playableAt: { depth: 10 } },
  { upTo: null, playableAt: "safe" },
];
/** In play before they are final: 500 tokens a player, 10,000 in all. */
const defaultCaps = (unit: bigint): ExposureCaps => ({ perPlayer: 500n * unit, inAll: 10_000n * unit });
