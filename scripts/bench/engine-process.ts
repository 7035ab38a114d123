/** The engine under test in a process of its own, so that the load generator's work isn't counted as the engine's. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { LocalEngine, LocalEngineOptions } from "../local/engine.ts";
import { loader } from "../local/loader.ts";

export type RunningEngine = Omit<LocalEngine, "stop"> & { stop(): Promise<void> };

/** Starts `engine-child.ts` and waits until it answers where it listens. */
export async function startEngineProcess(
  options: Omit<LocalEngineOptions, "progress">,
): Promise<RunningEngine> {
  const child = fork(
    fileURLToPath(new URL("./engine-child.ts", import.meta.url)),
    [JSON.stringify(options)],
    {
      execArgv: ["--import", loader],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    },
  );
  const over = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const facts = await new Promise<Omit<LocalEngine, "stop">>((resolve, reject) => {
    child.once("message", (message) => resolve(message as Omit<LocalEngine, "stop">));
    child.once("exit", (code) => reject(new Error(`the engine under test ended with code ${code}`)));
  });
  return {
    ...facts,
    stop: async () => {
      child.send("stop");
      await over;
    },
  };
}
