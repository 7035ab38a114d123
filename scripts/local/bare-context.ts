/** What an engine without its edges stands on, for tests, simulations and benchmarks. Free of the test runner. */
import { createLog } from "../../engine/log.ts";
import type { Context, Settings } from "../../engine/services/context.ts";
import { signerPorts } from "../../engine/services/signing.ts";
import { developmentMnemonic, Seed } from "../../wallets/seed.ts";
import { createSigner } from "../../wallets/signer.ts";

export const houseAddress = "0x4ba550190e5793752c4248098ebb85c977815ddc";

/** Signs with the development seed, remembering only what the database says was signed. */
export async function createMoneyContext({
  pool,
  chain,
  tokens: { openwork, usdc },
  settings = {},
  clock = Date.now,
}: Pick<Context, "pool" | "chain"> & {
  tokens: { openwork: string; usdc: string };
  settings?: Partial<Settings>;
  clock?: Context["clock"];
}): Promise<Context> {
  const unlimited = 2n ** 256n - 1n;
  const perToken = <Value>(value: Value): Map<string, Value> =>
    new Map([openwork, usdc].map((token) => [token, value]));
  const signer = createSigner({
    seed: new Seed(developmentMnemonic),
    chainId: 8453,
    chainIsLocal: true,
    tokens: [openwork, usdc].map((address) => ({
      address,
      decimals: 6,
      limits: { perTransaction: unlimited, perHour: unlimited },
    })),
    houseWallet: houseAddress,
    maxTopupWei: 10n ** 18n,
    ...signerPorts(pool, clock),
    now: clock,
  });
  return {
    pool,
    chain,
    signer,
    log: createLog({ level: process.env.TEST_LOG ?? "silent" }),
    clock,
    nudge: () => undefined,
    reached: () => undefined,
    settings: {
      chainId: 8453,
      chainIsLocal: true,
      explorerUrl: "https://basescan.org",
      publicOrigin: "http://localhost:4200",
      houseAddress,
      rakeBps: 500,
      clocks: {
        resultGraceMs: 7_200_000,
        reportWindowMs: 1_800_000,
        disputeWindowMs: 86_400_000,
        undoWindowMs: 60_000,
      },
      tiers: perToken([{ upTo: null, playableAt: { depth: 1 } }]),
      exposureCaps: perToken({ perPlayer: unlimited, inAll: unlimited }),
      collectMinimum: new Map(),
      withdrawalLimit: perToken(unlimited),
      approvalLimit: perToken(unlimited),
      operatorAddresses: new Set(),
      payouts: "batch",
      maxFeePerGasWei: 50_000_000_000n,
      pollIntervalMs: 25,
      sendIntervalMs: 25,
      confirmAfterMs: 0,
      resendAfterMs: 200,
      stuckAfterMs: 600_000,
      termsVersion: "test",
      ...settings,
    },
  };
}
