/** What clients and machines ask before anything else. */
import { accept, reject } from "../../contract/problems.ts";
import { readClientConfig } from "../../services/client-config.ts";
import type { Context } from "../../services/context.ts";
import { checkHealth } from "../../services/health.ts";
import { readSolvencyOfLate } from "../../services/solvency.ts";
import type { HandlersOf } from "../call.ts";

export function serviceHandlers(
  context: Context,
): HandlersOf<"readConfig" | "readSolvency" | "live" | "ready"> {
  return {
    readConfig: async () => accept(await readClientConfig(context)),
    readSolvency: () => readSolvencyOfLate(context),
    live: async () => accept({ ok: true, checks: {} }),
    ready: async () => {
      const health = await checkHealth(context);
      return health.ok ? accept(health) : reject("overloaded", { facts: health.checks });
    },
  };
}
