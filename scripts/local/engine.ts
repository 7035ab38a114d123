/** A whole engine on this machine: its own Postgres, its own Base, development wallets with money in them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEther } from "viem";
import { readConfig, variables } from "../../engine/config.ts";
import { startEngine } from "../../engine/main.ts";
import { developmentAccounts, fundDevelopmentAccounts, setEther } from "./accounts.ts";
import { startLocalBase } from "./base.ts";
import { lockFolder } from "./folder-lock.ts";
import { startLocalPostgres } from "./postgres.ts";
import { findFreePort } from "./processes.ts";
import { callNode } from "./rpc.ts";
import { openworkAddress, usdcAddress } from "./tokens.ts";

export interface LocalEngineOptions {
  dataDir: string;
  /** 0 picks a free one. */
  port: number;
  /** Whether everything comes back at the next start. */
  persist: boolean;
  logLevel?: string;
  blockTimeSeconds?: number;
  /** Variables of the configuration that differ from the local defaults. */
  environment?: Record<string, string>;
  /** Long work says what it does. */
  progress?: (what: string) => void;
  /** Gives up a start that isn't done yet, and ends what it has started. */
  signal?: AbortSignal;
}
export interface LocalEngine {
  origin: string;
  rpcUrl: string;
  wsUrl: string;
  databaseUrl: string;
  databaseOwnerUrl: string;
  vaultAddress: string;
  gasAddress: string;
  /** Fulfilled with a sentence when it can't go on. */
  failed: Promise<string>;
  stop(): Promise<void>;
}

/** The player whose wallet is the last development account settles disputes. */
const operatorIndex = 9;

/**
 * Waits while an engine that works on the folder stops; what a killed one left running is taken over.
 *
 * @throws FolderInUseError when another engine works on the folder.
 */
export async function startLocalEngine(options: LocalEngineOptions): Promise<LocalEngine> {
  const { dataDir, persist, progress = () => undefined, signal } = options;
  const lock = await lockFolder(dataDir, {
    waits: (pid) => progress(`The engine that ran here is still stopping, as process ${pid}: this one waits`),
    ...(signal && { signal }),
  });
  const stops = [() => lock.release()];
  const stop = async (): Promise<void> => {
    const parts = stops.splice(0).reverse();
    if (parts.length > 0) await lock.announceStop();
    for (const part of parts) await part();
  };
  try {
    progress("Postgres and a local Base start");
    const starting = {
      postgres: startLocalPostgres({ dataDir: join(dataDir, "postgres"), persist }),
      base: startLocalBase({
        dataDir: join(dataDir, "base"),
        persist,
        blockTimeSeconds: options.blockTimeSeconds ?? 2,
        ...(process.env.BASE_FORK_URL === undefined ? {} : { forkUrl: process.env.BASE_FORK_URL }),
      }),
    };
    const [postgres, base] = await Promise.allSettled([starting.postgres, starting.base]);
    if (postgres.status === "fulfilled") stops.push(() => postgres.value.stop());
    if (base.status === "fulfilled") stops.push(() => base.value.stop());
    if (postgres.status === "rejected") throw postgres.reason;
    if (base.status === "rejected") throw base.reason;
    signal?.throwIfAborted();
    const { rpcUrl, wsUrl } = base.value;
    if (await areWalletsEmpty(rpcUrl)) {
      progress("Development wallets get ether and tokens");
      await fundDevelopmentAccounts(rpcUrl, [
        { token: usdcAddress, amount: 10_000n * 10n ** 6n },
        { token: openworkAddress, amount: 1_000_000n * 10n ** 18n },
      ]);
    }
    signal?.throwIfAborted();
    progress("The engine starts");
    const port = options.port === 0 ? await findFreePort() : options.port;
    const configured = {
      PORT: String(port),
      DATABASE_URL: postgres.value.appUrl,
      DATABASE_OWNER_URL: postgres.value.ownerUrl,
      DATABASE_SIGNER_URL: postgres.value.signerUrl,
      BASE_RPC_URLS: `${rpcUrl},${wsUrl}`,
      OPERATORS: developmentAccounts[operatorIndex]?.address,
      LOG_LEVEL: options.logLevel ?? "warn",
      ...options.environment,
    };
    // For the operator's commands, which work on the same books; it holds the database's passwords.
    const ours = Object.fromEntries(Object.entries(configured).filter(([name]) => name in variables));
    await writeFile(join(dataDir, "engine.json"), JSON.stringify(ours), { mode: 0o600 });
    const engine = await startEngine(readConfig(configured));
    stops.push(() => engine.stop());
    await setEther(rpcUrl, engine.gasAddress, parseEther("100"));
    const { origin, vaultAddress, gasAddress, failed } = engine;
    await lock.announce(origin);
    return {
      origin,
      rpcUrl,
      wsUrl,
      databaseUrl: postgres.value.appUrl,
      databaseOwnerUrl: postgres.value.ownerUrl,
      vaultAddress,
      gasAddress,
      failed,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** An engine that was killed before it had funded them funds them at the next start. */
async function areWalletsEmpty(rpcUrl: string): Promise<boolean> {
  const [first] = developmentAccounts;
  if (first === undefined) return false;
  const data = `0x70a08231${first.address.slice(2).padStart(64, "0")}`; // balanceOf(address)
  return BigInt(String(await callNode(rpcUrl, "eth_call", [{ to: openworkAddress, data }, "latest"]))) === 0n;
}
