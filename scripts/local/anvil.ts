import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { findFoundryBinary } from "./binaries.ts";
import { endWithUs } from "./orphans.ts";
import { endProcess, isPortFree, markOf, type ProcessMark, startProcess } from "./processes.ts";
import { baseChainId } from "./tokens.ts";

const startTimeoutMs = 30_000;

export type Anvil = { rpcUrl: string; wsUrl: string; process: ProcessMark; stop(): Promise<void> };

/**
 * Starts an anvil with Base's chain id and network rules on a loopback port (0 picks a free one), and answers when it
 * listens. Ctrl-C reaches a detached one only through `stop()`, so that the engine comes down first and the state is kept.
 *
 * @throws when the port is taken, or when anvil ends or is silent for 30 s, with what it said.
 */
export async function startAnvil(options: {
  port: number;
  flags: string[];
  detached: boolean;
}): Promise<Anvil> {
  const { port } = options;
  if (port !== 0 && !(await isPortFree(port))) {
    throw new Error(`Port ${port} is taken, so the local chain can't listen on it`);
  }
  const flags = ["--host", "127.0.0.1", "--port", String(port), "--chain-id", String(baseChainId)];
  flags.push("--network", "optimism", "--slots-in-an-epoch", "1", "--no-mining", ...options.flags);
  const child = await startProcess(findFoundryBinary("anvil"), flags, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: options.detached,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("anvil has no process id");
  const mark = markOf(pid);
  if (!options.detached) endWithUs(child, "TERM");

  const address = await waitUntilListening(child);
  return {
    rpcUrl: `http://${address}`,
    wsUrl: `ws://${address}`,
    process: mark,
    stop: () => endProcess(mark, { signal: "SIGTERM", patienceMs: 5_000 }),
  };
}

/** Reads anvil's output until it says where it listens; afterwards the output is read and dropped. */
async function waitUntilListening(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error("anvil was started without pipes");
  const said: string[] = [];
  stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()));

  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stdout });
    const timer = setTimeout(() => fail(`said nothing for ${startTimeoutMs} ms`), startTimeoutMs);
    const fail = (reason: string) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`The local chain didn't start: anvil ${reason}. ${said.join("").trim()}`));
    };
    child.once("exit", (code) => fail(`ended with code ${code}`));
    lines.on("line", (line) => {
      const address = /^Listening on (\S+)$/.exec(line)?.[1];
      if (!address) return;
      clearTimeout(timer);
      lines.close();
      stdout.resume();
      stderr.removeAllListeners("data").resume();
      resolve(address);
    });
  });
}
