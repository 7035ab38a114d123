/** Whole engines on one chain, each on a database of its own, and the player and the operator who use them. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Address, parseAbiItem } from "viem";
import { ApiClient } from "../../scripts/client/api.ts";
import { developmentSigner } from "../../scripts/local/accounts.ts";
import { expectBooksOf } from "../helpers/books.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { createEmptyDatabase, queryOnce, type TestDatabase } from "../helpers/database.ts";
import { findLastingPort } from "../helpers/lasting-port.ts";
import { waitFor } from "../helpers/wait.ts";
import { isAlive, type Run, run } from "../local/started-engine.ts";

export const dollars = (whole: number): bigint => BigInt(whole) * 1_000_000n;
export const marcus = developmentSigner(1);
export const olga = developmentSigner(9);

export interface EngineWorld {
  folder: string;
  chain: TestChain;
  newDatabase(): Promise<TestDatabase>;
  /** What an engine on a database is started with. */
  environmentOf(database: TestDatabase): Record<string, string>;
  /** `npm start` on that database, when it serves or has ended. */
  startChild(database: TestDatabase): Promise<Run>;
  signIn(account: typeof marcus): Promise<ApiClient>;
  /** Makes blocks until nothing is on its way that isn't final, and a recovery has read all that there was. */
  settle(database: TestDatabase): Promise<void>;
  /** Has Marcus withdraw USDC to his own wallet. */
  withdraw(api: ApiClient, amount: bigint): Promise<unknown>;
  /** Each transfer of USDC out of the vault to Marcus, by the chain's own word. */
  paid(vault: Address): Promise<bigint[]>;
  expectBooks(database: TestDatabase): Promise<void>;
  /** Ends what is still running. */
  endChildren(): Promise<void>;
  stop(): Promise<void>;
}

/** @param rpcUrls the nodes that the engines ask; the chain's own unless told */
export async function createEngineWorld({
  rpcUrls = async ({ rpcUrl }) => [rpcUrl],
  environment = {},
}: {
  rpcUrls?: (chain: TestChain) => Promise<string[]>;
  environment?: Record<string, string>;
} = {}): Promise<EngineWorld> {
  const [folder, chain, port] = await Promise.all([
    mkdtemp(join(tmpdir(), "on-the-rail-engine-")),
    startTestChain(),
    findLastingPort().then(String),
  ]);
  const nodes = await rpcUrls(chain);
  const databases: TestDatabase[] = [];
  const children: Run[] = [];
  const environmentOf = ({ appUrl, ownerUrl, signerUrl }: TestDatabase): Record<string, string> => ({
    ...{ DATABASE_URL: appUrl, DATABASE_OWNER_URL: ownerUrl, DATABASE_SIGNER_URL: signerUrl },
    ...{ BASE_RPC_URLS: nodes.join(","), OPERATORS: olga.address, PORT: port, LOG_LEVEL: "fatal" },
    ...environment,
  });
  const endChildren = async () => {
    for (const child of children.splice(0)) {
      if (isAlive(child.pid)) child.signal("SIGKILL");
      await child.ended();
    }
  };
  return {
    folder,
    chain,
    environmentOf,
    endChildren,
    async newDatabase() {
      const database = await createEmptyDatabase();
      databases.push(database);
      return database;
    },
    async startChild(database) {
      const started = run("start.ts", [], environmentOf(database));
      children.push(started);
      await waitFor(() => started.output().includes("On the Rail runs") || !isAlive(started.pid), {
        what: "the engine",
        timeoutMs: 30_000,
        everyMs: 50,
      });
      return started;
    },
    async signIn(account) {
      const api = new ApiClient(`http://localhost:${port}`);
      await api.signIn(account);
      return api;
    },
    async settle(database) {
      await waitFor(
        async () => {
          await chain.mine(1);
          const [open] = await queryOnce<{ open: string }>(
            database.ownerUrl,
            `SELECT (SELECT count(*) FROM instruction WHERE state IN ('gathering', 'queued', 'sending', 'mined'))
               + (SELECT count(*) FROM deposit WHERE state <> 'final')
               + (SELECT count(*) FROM recovery, chain_cursor
                  WHERE ended_at IS NULL AND (until_block IS NULL OR until_block > finalized_number)) AS open`,
          );
          return open?.open === "0";
        },
        { what: "everything to be final", timeoutMs: 30_000, everyMs: 50 },
      );
    },
    withdraw: (api, amount) =>
      api.call("withdraw", {
        body: { token: chain.usdc, amount: amount.toString(), address: marcus.address },
      }),
    async paid(vault) {
      const logs = await chain.testClient.getLogs({
        address: chain.usdc,
        event: parseAbiItem("event Transfer(address indexed from, address indexed to, uint256 value)"),
        args: { from: vault, to: marcus.address },
        fromBlock: 0n,
        strict: true,
      });
      return logs.map(({ args }) => args.value);
    },
    expectBooks: (database) => expectBooksOf(environmentOf(database)),
    async stop() {
      await endChildren();
      await chain.stop();
      for (const each of databases) await each.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The process that a process started for its keys. */
export async function keyHolderOf(pid: number): Promise<number> {
  for (const name of await readdir("/proc")) {
    const status = await readFile(`/proc/${name}/status`, "utf8").catch(() => "");
    if (!status.includes(`\nPPid:\t${pid}\n`)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, "utf8");
    if (command.includes("signer-main")) return Number(name);
  }
  throw new Error(`process ${pid} has started nobody who holds keys`);
}
