/** What every process of ours stands on: the database with its rights checked, the chain, the tokens, the keys. */

import { keylessSigner } from "../wallets/keyless.ts";
import { openKeystore } from "../wallets/keystore.ts";
import { readPassphrase } from "../wallets/passphrase.ts";
import { developmentMnemonic, Seed } from "../wallets/seed.ts";
import { createSigner, type Signer } from "../wallets/signer.ts";
import { type Chain, createChain } from "./chain/client.ts";
import { readToken } from "./chain/tokens.ts";
import { type Config, ConfigError } from "./config.ts";
import { createPool, type Pool } from "./db/pool.ts";
import { listTokens, type Token } from "./db/tokens.ts";
import { createLog } from "./log.ts";
import type { Context } from "./services/context.ts";
import { refuseDangerousRights } from "./services/rights.ts";
import { signerPorts } from "./services/signing.ts";
import { listedTokens } from "./services/tokens.ts";
import { settingsOf } from "./settings.ts";

const baseChainId = 8453;

export interface Foundation {
  /** `nudge` does nothing until the caller sets it. */
  context: Context;
  close(): Promise<void>;
}

/**
 * @param keys `own` opens the seed; `none` is for commands that only write to the books
 * @throws ConfigError, or with a sentence that says what to do
 */
export async function openFoundation(
  config: Config,
  { keys }: { keys: "own" | "none" },
): Promise<Foundation> {
  const log = createLog({ level: config.LOG_LEVEL });
  const pool = createPool({ url: config.DATABASE_URL, maxConnections: config.DATABASE_CONNECTIONS });
  let chain: Chain | undefined;
  const close = async (): Promise<void> => {
    await chain?.close();
    await pool.end();
  };
  try {
    await refuseDangerousRights(pool);
    chain = await createChain({
      rpcUrls: config.BASE_RPC_URLS,
      expectedChainId: baseChainId,
      requestTimeoutMs: 10_000,
    });
    const chainIsLocal = config.nodesAreLoopback && (await chain.isDevelopmentNode());
    const tokens = await readTokens(chain, config.TOKENS);
    await listTokens(pool, tokens);
    // Known from here on: a transaction that had to ask would need a second connection, and all could be taken.
    await listedTokens(pool);
    const signer = keys === "own" ? await openSigner(config, { pool, chainIsLocal, tokens }) : keylessSigner;
    const settings = settingsOf(config, { chainIsLocal, tokens });
    return {
      context: { pool, chain, signer, settings, log, clock: Date.now, nudge: () => undefined },
      close,
    };
  } catch (error) {
    await close();
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

async function openSigner(
  config: Config,
  facts: { pool: Pool; chainIsLocal: boolean; tokens: Token[] },
): Promise<Signer> {
  const { KEYSTORE_FILE: path } = config;
  if (path === undefined && !facts.chainIsLocal) {
    throw new ConfigError([
      "KEYSTORE_FILE: name the encrypted seed; the development seed is for local chains only.",
    ]);
  }
  const seed =
    path === undefined
      ? new Seed(developmentMnemonic)
      : await openKeystore({ path, passphrase: await passphraseOf(config) });
  return createSigner({
    seed,
    chainId: baseChainId,
    chainIsLocal: facts.chainIsLocal,
    tokens: facts.tokens.map(({ address, decimals }) => ({
      address,
      decimals,
      limits: config.OUTFLOW_LIMITS?.get(address),
    })),
    houseWallet: config.HOUSE_ADDRESS,
    ...(await signerPorts(facts.pool, Date.now())),
  });
}

const passphraseOf = (config: Config): Promise<string> =>
  readPassphrase({
    descriptor: config.KEYSTORE_PASSPHRASE_FD,
    file: config.KEYSTORE_PASSPHRASE_FILE,
    variable: config.KEYSTORE_PASSPHRASE === undefined ? undefined : "KEYSTORE_PASSPHRASE",
  });
