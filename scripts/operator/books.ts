/** The books that a command works on: those of DATABASE_URL, or of the local engine, whose folder DATA_DIR may name. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { RpcUnavailableError } from "../../engine/chain/errors.ts";
import { ConfigError, readConfig } from "../../engine/config.ts";
import { isAway } from "../../engine/db/errors.ts";
import { type Foundation, openFoundation } from "../../engine/foundation.ts";
import type { Context } from "../../engine/services/context.ts";
import { knownTokens, sayOtherTokens } from "../../engine/services/tokens.ts";
import { CommandError } from "./arguments.ts";

/** @throws CommandError when they can't be opened or went away; whatever `run` throws */
export async function withBooks(run: (context: Context) => Promise<void>): Promise<void> {
  const foundation = await openBooks();
  try {
    await run(foundation.context);
  } catch (error) {
    if (!isAway(error)) throw error;
    throw new CommandError("The database went away in the middle. Look what was done before you try again.");
  } finally {
    await foundation.close();
  }
}

async function openBooks(): Promise<Foundation> {
  try {
    const config = readConfig({ ...(await readEnvironment()), LOG_LEVEL: "error" });
    const foundation = await openFoundation(config, { keys: "none" });
    const warning = sayOtherTokens(await knownTokens(foundation.context.pool), config.TOKENS);
    if (warning !== null) console.error(warning);
    return foundation;
  } catch (error) {
    throw explainFailure(error);
  }
}

/** Why the books couldn't be opened, in words where a person can mend it. */
export function explainFailure(error: unknown): unknown {
  if (error instanceof ConfigError) return new CommandError(error.message);
  if (error instanceof CommandError || !(error instanceof Error)) return error;
  // A name with several addresses, none of which answers, has an error without a message.
  const why = error.message || ("code" in error ? String(error.code) : error.name);
  const hint = error instanceof RpcUnavailableError ? "Check BASE_RPC_URLS." : "Check DATABASE_URL.";
  return new CommandError(
    `The books can't be opened. ${why}\n${hint} The local engine starts with: npm start`,
  );
}

/** The variables that the engine runs with: ours, or those that the local engine has left. */
export async function readEnvironment(): Promise<Record<string, string | undefined>> {
  if (process.env.DATABASE_URL !== undefined) return process.env;
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const local = await readFile(resolve(root, process.env.DATA_DIR || ".data", "engine.json"), "utf8").catch(
    () => null,
  );
  if (local === null)
    throw new CommandError("Set DATABASE_URL and BASE_RPC_URLS, or start the local engine first: npm start.");
  return JSON.parse(local) as Record<string, string>;
}
