/**
 * The process that holds the keys. It is given the configuration and nothing else: it opens the seed, asks the chain and
 * reads the database by its own login. Its parent can ask for an address, and for a signature on what is committed.
 */

import { openKeystore } from "../wallets/keystore.ts";
import { readPassphrase } from "../wallets/passphrase.ts";
import { developmentMnemonic, Seed } from "../wallets/seed.ts";
import { createSigner } from "../wallets/signer.ts";
import { hostSigner } from "../wallets/signer-host.ts";
import type { Chain } from "./chain/client.ts";
import { InconsistentAnswerError } from "./chain/errors.ts";
import { readToken } from "./chain/tokens.ts";
import { baseChainId, openChain } from "./chain-facts.ts";
import { type Config, ConfigError } from "./config.ts";
import { createPool } from "./db/pool.ts";
import type { Token } from "./db/tokens.ts";
import { refuseSignersRights } from "./services/rights.ts";
import { signerPorts } from "./services/signing.ts";
import { channelOf, type Given, type Started } from "./signer-process.ts";

// Without a listener this signal would open the inspector, through which memory can be read.
process.on("SIGUSR1", () => undefined);
// Whoever stops the engine stops the parent, and that ends this one last.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
process.once("disconnect", () => process.exit(0));
process.once("message", (given) => {
  start(given as Given).then(
    () => process.send?.({ ok: true } satisfies Started),
    (error: unknown) => {
      const problems = error instanceof ConfigError ? error.problems : null;
      const message = error instanceof Error ? error.message : String(error);
      process.send?.({ ok: false, problems, message } satisfies Started, () => process.exit(1));
    },
  );
});

async function start({ config, known }: Given): Promise<void> {
  const { chain, isLocal, tokens } = await openChain(config);
  const others = known.filter(({ address }) => !config.TOKENS.includes(address));
  const unchanged = await keepUnchanged(chain, others);
  await chain.close();
  const seed = await openSeed(config, isLocal);
  const pool = createPool({
    url: config.DATABASE_SIGNER_URL ?? config.DATABASE_URL,
    maxConnections: 2,
    applicationName: "on-the-rail-signer",
  });
  if (config.DATABASE_SIGNER_URL !== undefined) await refuseSignersRights(pool);
  const signer = createSigner({
    seed,
    chainId: baseChainId,
    chainIsLocal: isLocal,
    tokens: [...tokens, ...unchanged].map(({ address, decimals }) => ({
      address,
      decimals,
      limits: config.OUTFLOW_LIMITS?.get(address),
    })),
    houseWallet: config.HOUSE_ADDRESS,
    ...signerPorts(pool, Date.now),
  });
  hostSigner(signer, channelOf(process));
}

/**
 * Those whose contract still has the decimals that they were listed with, as the chain says and not whoever wrote the
 * row: the usual limits follow from them. Nothing is signed for the others.
 */
async function keepUnchanged(chain: Chain, known: Token[]): Promise<Token[]> {
  const facts = await Promise.all(
    known.map(({ address }) =>
      readToken(chain, address).catch((error: unknown) => {
        if (error instanceof InconsistentAnswerError) return null;
        throw error;
      }),
    ),
  );
  return known.filter((token, index) => {
    const now = facts[index];
    return now?.hasCode === true && now.decimals === token.decimals;
  });
}

async function openSeed(config: Config, chainIsLocal: boolean): Promise<Seed> {
  const { KEYSTORE_FILE: path } = config;
  if (path !== undefined) return openKeystore({ path, passphrase: await passphraseOf(config) });
  if (chainIsLocal) return new Seed(developmentMnemonic);
  throw new ConfigError([
    "KEYSTORE_FILE: name the encrypted seed; the development seed is for local chains only.",
  ]);
}

const passphraseOf = (config: Config): Promise<string> =>
  readPassphrase({
    descriptor: config.KEYSTORE_PASSPHRASE_FD,
    file: config.KEYSTORE_PASSPHRASE_FILE,
    variable: config.KEYSTORE_PASSPHRASE === undefined ? undefined : "KEYSTORE_PASSPHRASE",
  });
