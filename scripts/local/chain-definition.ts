import { defineChain } from "viem";
import { baseChainId, multicall3Address } from "./tokens.ts";

/** Base as clients of a local chain know it. Addresses of nodes are given to each client, not taken from here. */
export const localBase = defineChain({
  id: baseChainId,
  name: "Local Base",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [] } },
  contracts: { multicall3: { address: multicall3Address } },
});

export type LocalBase = typeof localBase;
