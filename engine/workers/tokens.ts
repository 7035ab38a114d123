/** Keeps a process in step with the list of tokens, which another one may change. */
import type { Context } from "../services/context.ts";
import { refreshTokens, sayOtherTokens } from "../services/tokens.ts";
import { runLoop } from "./loop.ts";

const refreshMs = 1_000;

/** Says once when `TOKENS` of this process (`configured`) isn't what is listed, and again when that changes. */
export function keepTokensFresh(
  { pool, log }: Context,
  { configured, signal }: { configured: string[]; signal: AbortSignal },
): Promise<void> {
  let said: string | null = null;
  return runLoop({
    ...{ name: "reading the list of tokens", restMs: refreshMs, log, signal },
    round: async () => {
      const warning = sayOtherTokens(await refreshTokens(pool), configured);
      if (warning !== null && warning !== said) log.warn(warning);
      said = warning;
      return false;
    },
  });
}
