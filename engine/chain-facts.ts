/** The chain that the configuration names, asked before anything else is done with it. */
import { type Chain, createChain } from "./chain/client.ts";
import { readToken } from "./chain/tokens.ts";
import { type Config, ConfigError } from "./config.ts";
import type { Token } from "./db/tokens.ts";

/** Base. */
export const baseChainId = 8453;

export interface ChainFacts {
  chain: Chain;
  /** True only for a chain on this machine, where nothing has value. */
  isLocal: boolean;
  /** The tokens of the configuration, with what their contracts say. */
  tokens: Token[];
}

/** @throws ConfigError when an address of TOKENS isn't a token's, and when nothing usable answers */
export async function openChain(config: Config): Promise<ChainFacts> {
  const chain = await createChain({
    rpcUrls: config.BASE_RPC_URLS,
    expectedChainId: baseChainId,
    requestTimeoutMs: 10_000,
  });
  try {
    const isLocal = config.nodesAreLoopback && (await chain.isDevelopmentNode());
    return { chain, isLocal, tokens: await readTokens(chain, config.TOKENS) };
  } catch (error) {
    await chain.close();
    throw error;
  }
}

/** Symbol and decimals as each contract says; an address without a token's contract is a mistake in TOKENS. */
async function readTokens(chain: Chain, addresses: string[]): Promise<Token[]> {
  return Promise.all(
    addresses.map(async (address) => {
      const token = await readToken(chain, address);
      if (!token.hasCode) throw new ConfigError([`TOKENS: there is no token contract at ${address}.`]);
      return { address, symbol: token.symbol, decimals: token.decimals };
    }),
  );
}
