import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address, Hash } from "viem";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiClient } from "../../scripts/client/api.ts";
import { developmentAccounts, developmentSigner } from "../../scripts/local/accounts.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import { usdcAddress } from "../../scripts/local/tokens.ts";
import { createChainClient } from "../helpers/chain.ts";
import { tokenAbi } from "../helpers/contracts.ts";
import { findLastingPort } from "../helpers/lasting-port.ts";
import { waitFor } from "../helpers/wait.ts";
import {
  areRunning,
  endParts,
  type Run,
  readParts,
  run,
  type StartedEngine,
  untilStarted,
} from "./started-engine.ts";

const marcus = developmentSigner(1);
const ana = developmentSigner(2);
const usdc = { address: usdcAddress, abi: tokenAbi } as const;
const usdcOf = (whole: number): bigint => BigInt(whole) * 1_000_000n;
const storyTimeoutMs = 480_000;
const chainTimeoutMs = 60_000;

let dataDir: string;
let environment: Record<string, string>;
let runs: Run[];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "on-the-rail-restart-"));
  environment = { DATA_DIR: dataDir, PORT: String(await findLastingPort()) };
  runs = [];
});
afterEach(async () => {
  for (const each of runs) each.signal("SIGTERM");
  for (const each of runs) await each.ended();
  await endParts(dataDir);
  await rm(dataDir, { recursive: true, force: true });
});

/** `npm start`, without a wait. */
function launch(): Run {
  const launched = run("start.ts", [], environment);
  runs.push(launched);
  return launched;
}

async function start(): Promise<StartedEngine> {
  return untilStarted(launch(), dataDir);
}

/** A real transfer to the player's own address; its hash once it is in a block. */
async function pay(
  { rpcUrl }: StartedEngine,
  { from, api, amount }: { from: typeof marcus; api: ApiClient; amount: bigint },
): Promise<Hash> {
  const { address } = await api.call("readDepositAddress");
  const client = createChainClient(rpcUrl);
  const args = [address as Address, amount] as const;
  const hash = await client.writeContract({
    ...usdc,
    functionName: "transfer",
    args,
    account: from,
    chain: client.chain,
    // Not estimated: it costs more when the address is emptied between the estimate and the block.
    gas: 120_000n,
  });
  expect((await minedReceipt(client, hash)).status).toBe("success");
  return hash;
}

async function untilFinal(api: ApiClient, hash: Hash): Promise<void> {
  const isFinal = async () =>
    (await api.call("listDeposits")).items.some(
      ({ txHash, state, posted }) => txHash === hash && state === "final" && posted,
    );
  await waitFor(isFinal, {
    what: `the deposit ${hash} to be final`,
    timeoutMs: chainTimeoutMs,
    everyMs: 100,
  });
}

async function readFree(api: ApiClient): Promise<bigint> {
  const { balances } = await api.call("readBalances");
  return BigInt(balances.find(({ free }) => free.token.toLowerCase() === usdcAddress)?.free.amount ?? 0);
}

/** All that the engine shows a player of what is the player's. */
async function readPlayer(api: ApiClient) {
  return {
    me: await api.call("readMe"),
    balances: await api.call("readBalances"),
    deposits: await api.call("listDeposits"),
    proposals: await api.call("listProposals"),
    history: await api.call("readHistory"),
  };
}

/** The newest block, and who holds what there: each wallet, and the engine all that no wallet has. */
async function readChain({ rpcUrl }: StartedEngine) {
  const client = createChainClient(rpcUrl);
  const { number: blockNumber, hash } = await client.getBlock();
  const wallets: bigint[] = [];
  for (const { address } of developmentAccounts)
    wallets.push(
      await client.readContract({ ...usdc, functionName: "balanceOf", args: [address], blockNumber }),
    );
  const supply = await client.readContract({ ...usdc, functionName: "totalSupply", blockNumber });
  const ours = supply - wallets.reduce((sum, held) => sum + held, 0n);
  return { number: blockNumber, hash, held: { wallets, ours } };
}

async function expectBooksBalance(engine: StartedEngine): Promise<void> {
  const api = new ApiClient(engine.origin);
  const now = new Date().toISOString();
  const isChecked = async () => {
    const { booksBalance, checkedAt } = await api.call("readSolvency");
    return booksBalance && checkedAt !== null && checkedAt > now;
  };
  await waitFor(isChecked, { what: "a check of the books", timeoutMs: chainTimeoutMs, everyMs: 100 });
  const solvency = run("operator.ts", ["solvency"], engine.configuration);
  expect([await solvency.ended(), solvency.errors()]).toEqual([0, ""]);
  const verdicts = [...solvency.output().matchAll(/^ ?(\d+)\. (\S+)/gm)].map(([, ...verdict]) => verdict);
  expect(verdicts).toEqual(Array.from({ length: 10 }, (_, index) => [String(index + 1), "holds"]));
}

test(
  "after a SIGTERM and a new start everything is as it was, after a SIGKILL and another one as well, and goes on",
  async () => {
    let engine = await start();
    const [marcusApi, anaApi] = [new ApiClient(engine.origin), new ApiClient(engine.origin)];
    await marcusApi.signIn(marcus);
    await anaApi.signIn(ana);
    const { handle } = await anaApi.call("changeMe", { body: { handle: "ana" } });
    await untilFinal(marcusApi, await pay(engine, { from: marcus, api: marcusApi, amount: usdcOf(80) }));
    await marcusApi.call("propose", {
      body: {
        opponent: { handle },
        token: usdcAddress,
        proposerStake: `${usdcOf(50)}`,
        takerStake: `${usdcOf(10)}`,
        terms: "First to 21",
        lapseSeconds: 86_400,
      },
    });
    const cookie = marcusApi.cookieHeader;
    for (const [done, signal] of (["SIGTERM", "SIGKILL"] as const).entries()) {
      const before = await readPlayer(marcusApi);
      expect([before.proposals.items.length, before.deposits.items.length]).toEqual([1, 1]);
      const parts = await readParts(dataDir);
      expect(areRunning(parts)).toEqual([true, true, true]);
      // Paid at the last moment: the engine may not have seen it yet.
      const lastHash = await pay(engine, { from: ana, api: anaApi, amount: usdcOf(30) });
      const chainBefore = await readChain(engine);
      expect(chainBefore.held.ours).toBe(usdcOf(110 + 30 * done));

      engine.signal(signal);
      expect(await engine.ended()).toBe(signal === "SIGKILL" ? signal : 0);
      // A killed engine leaves all three behind.
      expect(new Set(areRunning(parts))).toEqual(new Set([signal === "SIGKILL"]));

      const { origin } = engine;
      engine = await start();
      expect(areRunning(parts)).toEqual([false, false, false]);
      expect(engine.origin).toBe(origin);
      expect(await readPlayer(marcusApi)).toEqual(before);
      expect(marcusApi.cookieHeader).toBe(cookie);
      const chainAfter = await readChain(engine);
      expect(chainAfter.number).toBeGreaterThanOrEqual(chainBefore.number);
      expect(chainAfter.held).toEqual(chainBefore.held);
      const sameBlock = await createChainClient(engine.rpcUrl).getBlock({ blockNumber: chainBefore.number });
      expect(sameBlock.hash).toBe(chainBefore.hash);

      await untilFinal(anaApi, lastHash);
      expect(await readFree(anaApi)).toBe(usdcOf(30 + 30 * done));
    }
    const free = await readFree(marcusApi);
    await untilFinal(marcusApi, await pay(engine, { from: marcus, api: marcusApi, amount: usdcOf(7) }));
    expect(await readFree(marcusApi)).toBe(free + usdcOf(7));
    await expectBooksBalance(engine);

    engine.signal("SIGTERM");
    expect(await engine.ended()).toBe(0);
    expect(areRunning(await readParts(dataDir))).toEqual([false, false, false]);
  },
  storyTimeoutMs,
);

test(
  "a second start on the same folder says in one line who is there and ends; one made while the first stops comes up",
  async () => {
    const first = await start();
    const refused = launch();
    expect(await refused.ended()).toBe(1);
    expect(refused.errors()).toBe(
      `An engine runs on the data folder ${dataDir} already, as process ${first.pid} at ${first.origin}: use that one, or stop it (kill ${first.pid}) and start again, or name another folder in DATA_DIR.\n`,
    );
    expect(areRunning(await readParts(dataDir))).toEqual([true, true, true]);
    await new ApiClient(first.origin).call("ready");

    first.signal("SIGTERM");
    await waitFor(() => first.output().includes("Stopping"), { what: "the first to hear of it" });
    const next = await start();
    expect(await first.ended()).toBe(0);
    await new ApiClient(next.origin).call("ready");
  },
  storyTimeoutMs,
);

test(
  "a stop that comes before the start is done leaves nothing running",
  async () => {
    for (let isEarly = false; !isEarly; ) {
      const launched = launch();
      const parts = await waitFor(() => readParts(dataDir), {
        what: "Postgres and the chain to be started",
        timeoutMs: 30_000,
      });
      launched.signal("SIGINT");
      launched.signal("SIGINT");
      expect(await launched.ended()).toBe(0);
      expect(areRunning(parts)).toEqual([false, false, false]);
      // We may have been too slow: then on a new folder.
      isEarly = !launched.output().includes("On the Rail runs");
      if (!isEarly) await rm(dataDir, { recursive: true });
    }
  },
  storyTimeoutMs,
);
