/** What a client must know before anybody signs in. */
import type { ClientConfig } from "../contract/operations.ts";
import type { Context } from "./context.ts";
import { listedTokens } from "./tokens.ts";

export async function readClientConfig({ pool, settings }: Context): Promise<ClientConfig> {
  const { clocks } = settings;
  const seconds = (ms: number): number => Math.round(ms / 1_000);
  return {
    chainId: settings.chainId,
    chainIsLocal: settings.chainIsLocal,
    explorerUrl: settings.explorerUrl,
    tokens: [...(await listedTokens(pool)).values()],
    rakeBps: settings.rakeBps,
    reportWindowSeconds: seconds(clocks.reportWindowMs),
    resultGraceSeconds: seconds(clocks.resultGraceMs),
    disputeWindowSeconds: seconds(clocks.disputeWindowMs),
    undoWindowSeconds: seconds(clocks.undoWindowMs),
    houseAddress: settings.houseAddress,
    termsVersion: settings.termsVersion,
  };
}
