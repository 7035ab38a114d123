/** Starts the process that holds the keys, and speaks with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { RemoteSigner } from "../wallets/remote-signer.ts";
import type { Signer } from "../wallets/signer.ts";
import type { Channel } from "../wallets/signer-protocol.ts";
import { type Config, ConfigError } from "./config.ts";
import type { Token } from "./db/tokens.ts";

/** What the process is given. */
export interface Given {
  config: Config;
  /** Tokens that were ever listed: what is owed of one that `TOKENS` names no more is paid all the same. */
  known: Token[];
}
/** What the process says once: it holds the keys, or why it can't. */
export type Started = { ok: true } | { ok: false; problems: string[] | null; message: string };

export interface SignerProcess {
  signer: Signer;
  /** What `signer` asks over. */
  channel: Channel;
  pid: number;
  /** Fulfilled when the process ends, whether it was asked to or not. */
  ended: Promise<void>;
  close(): Promise<void>;
}

/** @throws ConfigError, or with a sentence that says what to do */
export async function startSignerProcess(
  config: Config,
  { known }: Pick<Given, "known">,
): Promise<SignerProcess> {
  const child = spawnWithoutTraces(config.KEYSTORE_PASSPHRASE_FD);
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  try {
    const started = await new Promise<Started>((said, failed) => {
      child.once("message", (message) => said(message as Started));
      child.once("error", failed);
      child.once("exit", () => failed(new Error("The process that holds the keys ended at its start.")));
      child.send({ config: whatItNeeds(config), known } satisfies Given);
    });
    if (!started.ok)
      throw started.problems === null ? new Error(started.message) : new ConfigError(started.problems);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  const channel = channelOf(child);
  return {
    signer: new RemoteSigner(channel),
    channel,
    pid: child.pid ?? 0,
    ended,
    close: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/**
 * A core dump of at most one byte is none, also where the kernel hands it to a program: there a limit of nothing isn't
 * looked at. Without `prlimit`, or below a limit of nothing that can't be raised, it stays at that.
 */
const withoutDump = 'prlimit --core=1:1 --pid $$ 2>/dev/null || ulimit -c 0; exec "$0" "$@"';

/**
 * No core dump, no inspector, no options that somebody put into the environment. The passphrase goes by the environment, a
 * file or a descriptor as the configuration says; of the last nothing stays here, of the first what the kernel keeps of
 * the environment that this process began with.
 */
function spawnWithoutTraces(passphraseDescriptor: number | undefined): ChildProcess {
  const main = fileURLToPath(new URL("./signer-main.ts", import.meta.url));
  const loader = fileURLToPath(new URL("./loader.mjs", import.meta.url));
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...environment } = process.env;
  const child = spawn("/bin/sh", ["-c", withoutDump, process.execPath, "--import", loader, main], {
    stdio: stdioWith(passphraseDescriptor),
    serialization: "advanced",
    env: environment,
  });
  delete process.env.KEYSTORE_PASSPHRASE;
  if (passphraseDescriptor !== undefined) closeSync(passphraseDescriptor);
  return child;
}

/** The descriptor keeps its number; the channel takes the first one that is free. */
function stdioWith(descriptor: number | undefined): ("ignore" | "inherit" | "ipc" | number)[] {
  const stdio: ("ignore" | "inherit" | "ipc" | number)[] = ["ignore", "inherit", "inherit"];
  if (descriptor !== undefined) {
    while (stdio.length <= descriptor) stdio.push("ignore");
    stdio[descriptor] = descriptor;
  }
  const free = stdio.indexOf("ignore", 3);
  stdio[free === -1 ? stdio.length : free] = "ipc";
  return stdio;
}

/** The owner's login is for migrations alone, and the passphrase goes another way. */
function whatItNeeds(config: Config): Config {
  const { KEYSTORE_FILE: path, KEYSTORE_PASSPHRASE: passphrase } = config;
  return {
    ...config,
    DATABASE_OWNER_URL: undefined,
    KEYSTORE_FILE: path === undefined ? undefined : resolve(path),
    KEYSTORE_PASSPHRASE: passphrase === undefined ? undefined : "in the environment",
  };
}

/** The channel between a process and the one that it started, from either side. */
export function channelOf(side: Pick<NodeJS.Process, "on" | "send"> | ChildProcess): Channel {
  const process = side as NodeJS.Process;
  return {
    send: (message) => void process.send?.(message),
    onMessage: (heard) => void process.on("message", heard),
    onClose: (heard) => void process.on("disconnect", heard),
  };
}
