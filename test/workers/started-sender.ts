/** The process of `sender-process.ts`, from without. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Step } from "../../engine/services/context.ts";
import { loader } from "../../scripts/local/loader.ts";
import type { MoneyWorld } from "../helpers/money-world.ts";
import { waitFor } from "../helpers/wait.ts";
import type { SenderProcessFacts } from "./sender-process.ts";

export interface StartedSender {
  /** Sends a signal, and no wait. */
  signal(signal: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  ended(): Promise<number | NodeJS.Signals>;
  /** Gives it no chance to put anything away. */
  kill(): Promise<void>;
}

/**
 * One that pays as the world does; answers when it begins to work. The world ends it, if nothing has before.
 * @param diesAt where it kills itself; absent: nowhere
 */
export async function startSenderProcess(world: MoneyWorld, diesAt?: Step): Promise<StartedSender> {
  const facts: SenderProcessFacts = {
    databaseUrl: world.database.appUrl,
    rpcUrls: [world.base.rpcUrl],
    tokens: { openwork: world.base.openwork, usdc: world.base.usdc },
    payouts: world.context.settings.payouts,
    ...(diesAt && { diesAt }),
  };
  const script = fileURLToPath(new URL("./sender-process.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", loader, script, JSON.stringify(facts)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exit;
  };
  world.endsAfter(kill);
  const first = await Promise.race([once(child.stdout, "data"), exit.then(() => "ended" as const)]);
  if (first === "ended") throw new Error("the process ended by itself");
  return {
    signal: (signal) => void child.kill(signal),
    ended: () =>
      waitFor(() => child.signalCode ?? child.exitCode ?? undefined, {
        what: "the end of a process",
        timeoutMs: 10_000,
      }),
    kill,
  };
}

/** Nobody has to wait until the lease of a process runs out that we know to be dead. */
export const endLease = (world: MoneyWorld) =>
  world.query("UPDATE lease SET expires_at = now() - interval '1 second'");
