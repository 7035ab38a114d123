import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import pLimit from "p-limit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loader } from "../../scripts/local/loader.ts";
import { callNode } from "../../scripts/local/rpc.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { faultModes, type ModeName } from "../helpers/fault-modes.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { profileNames, ratesOf, seededFaults } from "../helpers/seeded-faults.ts";
import { expectRefusal, runScript } from "../operator/command-line.ts";
import { createSender } from "./watching.ts";

let base: TestChain;
let proxy: RpcProxy;
beforeEach(async () => {
  base = await startTestChain();
  proxy = await startRpcProxy(base.rpcUrl);
});
afterEach(async () => {
  await proxy.stop();
  await base.stop();
});

type Call = [method: string, params: unknown[]];
const calls: Call[] = Array.from({ length: 60 }, (_, index): Call => {
  const number = `0x${(index % 4).toString(16)}`;
  return index % 3 === 0 ? ["eth_blockNumber", []] : ["eth_getBlockByNumber", [number, false]];
});
/** What became of each call: the answer, or how it failed. */
async function play(seed: string, played: readonly Call[]): Promise<Map<string, string[]>> {
  const faults: ModeName[] = [];
  let isSilent: () => void = () => undefined;
  const rates = { failures: 0.3, staleHeads: 0.3, lies: 0, rangeLimit: null, sizeLimit: null };
  const note = (name: ModeName): void => {
    faults.push(name);
    if (name === "hang") isSilent();
  };
  proxy.setFaults(...seededFaults(seed, rates, note));
  const seen = new Map<string, string[]>();
  for (const [method, params] of played) {
    const before = faults.length;
    const silence = new Promise<string>((resolve) => {
      isSilent = () => resolve("failed");
    });
    const answered = callNode(proxy.rpcUrl, method, params, 20_000).then(
      (result) => JSON.stringify(result),
      () => "failed",
    );
    const answer = await Promise.race([answered, silence]);
    const key = `${method} ${JSON.stringify(params)}`;
    const fault = faults[before] ?? "honest";
    seen.set(key, [...(seen.get(key) ?? []), `${fault}: ${answer}`]);
  }
  return seen;
}

describe("the same seed", () => {
  it("does the same to the same calls, in whatever order they come", async () => {
    const first = await play("red", calls);
    expect(await play("red", calls)).toEqual(first);
    const sorted = [...calls].sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
    expect(await play("red", sorted)).toEqual(first);
    expect(await play("blue", calls)).not.toEqual(first);
    const kinds = new Set([...first.values()].flat().map((what) => what.split(":", 1)[0]));
    expect(kinds.size).toBeGreaterThan(4);
  });

  it("draws the same profile, and each profile has a share of faults of its own", () => {
    expect(ratesOf("drawn", "7")).toEqual(ratesOf("drawn", "7"));
    const drawn = Array.from({ length: 50 }, (_, seed) => ratesOf("drawn", String(seed)));
    expect(new Set(drawn.map(({ failures }) => failures))).toEqual(new Set([0, 0.02, 0.05]));
    expect(new Set(drawn.map(({ rangeLimit }) => rangeLimit))).toEqual(new Set([null, 100n, 10n, 1n]));
    expect(profileNames.map((name) => ratesOf(name, "1").failures)).toEqual(
      expect.arrayContaining([0, 0.02, 0.05]),
    );
  });

  it("makes about as many faults as its rate says", async () => {
    let made = 0;
    proxy.setFaults(
      ...seededFaults("1", { ...ratesOf("steady", "1"), failures: 0.05 }, () => {
        made += 1;
      }),
    );
    // Few at a time: one that gives up before it has arrived meets no fault.
    const few = pLimit(20);
    const ask = (index: number) =>
      callNode(proxy.rpcUrl, "eth_getBalance", [`0x${index.toString(16).padStart(40, "0")}`], 3_000);
    await Promise.allSettled(Array.from({ length: 1_000 }, (_, index) => few(() => ask(index))));
    expect(made).toBeGreaterThan(25);
    expect(made).toBeLessThan(85);
  });
});

describe("a mode", () => {
  it("of each name does something else than the node at a call that it fits", async () => {
    const sender = await createSender(base);
    const { hash } = await sender.send(3n);
    await base.mine(25);
    const head = await callNode(base.rpcUrl, "eth_getTransactionReceipt", [hash]);
    const { blockNumber } = head as { blockNumber: string };
    const range = { fromBlock: "0x0", toBlock: blockNumber, address: base.usdc };
    const questions: Call[] = [
      ["eth_chainId", []],
      ["eth_blockNumber", []],
      ["eth_getBlockByNumber", ["finalized", false]],
      ["eth_getLogs", [range]],
      ["eth_getTransactionReceipt", [hash]],
    ];
    const honest = await answersTo(base.rpcUrl, questions);
    for (const [name, mode] of Object.entries(faultModes)) {
      if (name === "huge" || name === "size-limit") continue;
      proxy.setFaults(mode.make(mode.number?.otherwise ?? 0n));
      const isEndless = name === "hang" || name === "trickle";
      const answers = await answersTo(proxy.rpcUrl, questions, isEndless ? 1_000 : patienceMs);
      expect(answers, name).not.toEqual(honest);
    }
    proxy.setFaults(faultModes["size-limit"].make(0n));
    expect(await answersTo(proxy.rpcUrl, questions)).not.toEqual(honest);
    proxy.setFaults();
    expect(await answersTo(proxy.rpcUrl, questions)).toEqual(honest);
  });

  it("that forges tells the same in logs and in receipts", async () => {
    const sender = await createSender(base);
    const { hash } = await sender.send(3n);
    proxy.setFaults(faultModes["forge-logs"].make(0n));
    const { blockHash, logs } = (await callNode(proxy.rpcUrl, "eth_getTransactionReceipt", [hash])) as {
      blockHash: string;
      logs: { data: string }[];
    };
    const listed = await callNode(proxy.rpcUrl, "eth_getLogs", [{ blockHash }]);
    const [whole] = (await callNode(proxy.rpcUrl, "eth_getBlockReceipts", [blockHash])) as [{ logs: [] }];
    expect(logs.map(({ data }) => BigInt(data))).toEqual([6n]);
    expect((listed as { data: string }[]).map(({ data }) => BigInt(data))).toEqual([6n]);
    expect(whole.logs).toEqual(logs);
  });
});

/** Longer than any answer takes on a busy machine. */
const patienceMs = 60_000;
const answersTo = (url: string, questions: readonly Call[], timeoutMs = patienceMs): Promise<string[]> =>
  Promise.all(
    questions.map(([method, params]) =>
      callNode(url, method, params, timeoutMs).then(
        (result) => JSON.stringify(result),
        () => "failed",
      ),
    ),
  );

const script = "test/helpers/fault-proxy.ts";

describe("npm run fault-proxy", () => {
  it("names every profile and every mode in its help", async () => {
    for (const line of [["--help"], []]) {
      const { code, stdout, stderr } = await runScript(script, line);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const name of [...profileNames, ...Object.keys(faultModes)]) expect(stdout).toContain(`  ${name}`);
    }
  });

  const target = ["--target", "http://127.0.0.1:1"];
  it.each<[says: string, code: 1 | 2, line: string[]]>([
    ["Name the node: --target", 2, ["--seed", "7"]],
    ["--target is the http:// address of a node", 2, ["--target", "127.0.0.1:8545"]],
    ["--target is the http:// address of a node", 2, ["--target", "ws://127.0.0.1:8545"]],
    ["--port is a number from 0 to 65535", 2, [...target, "--port", "70000"]],
    ["--port is a number from 0 to 65535", 2, [...target, "--port", "0x10"]],
    ["--seed is any word", 2, [...target, "--seed", " "]],
    ["--seed is given twice", 2, [...target, "--seed", "1", "--seed", "2"]],
    [`There is no profile "wild". There are steady,`, 2, [...target, "--profile", "wild"]],
    [`There is no mode "lie". There are drop,`, 2, [...target, "--mode", "lie"]],
    [`There is no mode "constructor".`, 2, [...target, "--mode", "constructor"]],
    ["html takes no number.", 2, [...target, "--mode", "html=2"]],
    ["stale-head=x: a number of blocks is wanted", 2, [...target, "--mode", "stale-head=x"]],
    ["Unknown option '--nonsense'. See: npm run fault-proxy -- --help", 2, ["--nonsense"]],
    ["No node answers at http://127.0.0.1:1.", 1, target],
  ])("refuses with «%s»", async (says, code, line) => {
    expectRefusal(await runScript(script, line), { code, says });
  });

  it("stands in front of a node, says what it does, and ends when it is told to", async () => {
    const child = spawn(
      process.execPath,
      ["--import", loader, script, "--target", base.rpcUrl, "--mode", "html", "--seed", "red"],
      { cwd: fileURLToPath(new URL("../..", import.meta.url)), stdio: ["ignore", "pipe", "inherit"] },
    );
    const ended = once(child, "close");
    const lines: string[] = [];
    const listening = new Promise<string>((resolve) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        lines.push(line);
        const address = /^(http:\S+) leads to/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
      });
    });
    try {
      const rpcUrl = await listening;
      await expect(callNode(rpcUrl, "eth_chainId")).rejects.toThrow();
    } finally {
      child.kill("SIGTERM");
    }
    expect(await ended).toEqual([0, null]);
    expect(lines[0]).toContain("chain 8453: profile steady, seed red.");
    expect(lines.at(-1)).toBe("Faults made: html 1.");
    expect(lines.some((line) => line.endsWith("eth_chainId: html"))).toBe(true);
  });
});
