/** What a client must know before anybody signs in. */
import type { ClientConfig } from "../contract/operations.ts";
import type { Context } from "./context.ts";
import { knownTokens } from "./tokens.ts";
import { withdrawalLimitOf } from "./withdrawals.ts";

export async function readClientConfig({ pool, settings }: Context): Promise<ClientConfig> {
  const { clocks } = settings;
  const seconds = (ms: number): number => Math.round(ms / 1_000);
  return {
    chainId: settings.chainId,
    chainIsLocal: settings.chainIsLocal,
    explorerUrl: settings.explorerUrl,
    tokens: [...(await knownTokens(pool)).values()].map((token) => ({
      ...token,
      withdrawalLimit: withdrawalLimitOf(settings, token.address).toString(),
    })),
    rakeBps: settings.rakeBps,
    reportWindowSeconds: seconds(clocks.reportWindowMs),
    resultGraceSeconds: seconds(clocks.resultGraceMs),
    disputeWindowSeconds: seconds(clocks.disputeWindowMs),
    undoWindowSeconds: seconds(clocks.undoWindowMs),
    houseAddress: settings.houseAddress,
    termsVersion: settings.termsVersion,
  };
}
