/** What every process of ours stands on: the database with its rights checked, the chain, the tokens, the keys. */

import { keylessSigner } from "../wallets/keyless.ts";
import { type ChainFacts, openChain } from "./chain-facts.ts";
import { type Config, ConfigError } from "./config.ts";
import { createPool } from "./db/pool.ts";
import { createLog } from "./log.ts";
import type { Context } from "./services/context.ts";
import { refuseDangerousRights } from "./services/rights.ts";
import { type TriedToken, tryTokens } from "./services/token-watch.ts";
import { refreshTokens } from "./services/tokens.ts";
import { settingsOf } from "./settings.ts";
import { type SignerProcess, startSignerProcess } from "./signer-process.ts";

const nothing = (): void => undefined;

export interface Foundation {
  /** `nudge` does nothing until the caller sets it, `reached` never. */
  context: Context;
  /** What a process with keys may list when it leads; empty for one without. */
  tried: TriedToken[];
  /** Fulfilled when the process that holds the keys has ended; never where there is none. */
  keysLost: Promise<void>;
  close(): Promise<void>;
}

/**
 * @param keys `own` starts the process that holds them, and tries the tokens of `TOKENS`; `none` is for whoever only
 * works on the books
 * @throws ConfigError, or with a sentence that says what to do
 */
export async function openFoundation(
  config: Config,
  { keys }: { keys: "own" | "none" },
): Promise<Foundation> {
  const log = createLog({ level: config.LOG_LEVEL });
  const pool = createPool({ url: config.DATABASE_URL, maxConnections: config.DATABASE_CONNECTIONS });
  let facts: ChainFacts | undefined;
  let keyHolder: SignerProcess | undefined;
  const close = async (): Promise<void> => {
    await keyHolder?.close();
    await facts?.chain.close();
    await pool.end();
  };
  try {
    await refuseDangerousRights(pool);
    // Known from here on: a transaction that had to ask would need a second connection, and all could be taken.
    const known = [...(await refreshTokens(pool)).values()];
    facts = await openChain(config);
    const { chain, isLocal: chainIsLocal, tokens } = facts;
    const { tried, unfit } =
      keys === "own" ? await tryTokens({ pool, chain }, tokens) : { tried: [], unfit: [] };
    if (unfit.length > 0) throw new ConfigError(unfit.map((sentence) => `TOKENS: ${sentence}`));
    if (keys === "own") keyHolder = await startSignerProcess(config, { known });
    const signer = keyHolder?.signer ?? keylessSigner;
    const settings = settingsOf(config, { chainIsLocal, tokens, known });
    return {
      context: { pool, chain, signer, settings, log, clock: Date.now, nudge: nothing, reached: nothing },
      tried,
      keysLost: keyHolder?.ended ?? new Promise(() => undefined),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
