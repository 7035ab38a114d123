import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Address,
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  erc20Abi,
  http,
} from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Outcome } from "../../engine/contract/primitives.ts";
import type { Game } from "../../engine/contract/wager.ts";
import { type Actor, enter } from "../../scripts/demo/actors.ts";
import { balanceOnChain } from "../../scripts/demo/checks.ts";
import { developmentSigner, setEther } from "../../scripts/local/accounts.ts";
import { localBase } from "../../scripts/local/chain-definition.ts";
import { type LocalEngine, startLocalEngine } from "../../scripts/local/engine.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import { callNode } from "../../scripts/local/rpc.ts";
import { usdcAddress } from "../../scripts/local/tokens.ts";
import { waitFor } from "../helpers/wait.ts";
import { expectRefusal, runOperator } from "./command-line.ts";

/** Each command is a process that has to load the engine first. */
const token: Address = usdcAddress;
const house: Address = "0x4ba550190e5793752c4248098ebb85c977815ddc";
const patience = { timeoutMs: 40_000, everyMs: 200 };
let folder: string;
let engine: LocalEngine;
let marcus: Actor;
let ana: Actor;
let operator: Actor;
let agreed: Game;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "on-the-rail-operator-"));
  engine = await startLocalEngine({
    dataDir: join(folder, "engine"),
    port: 0,
    persist: false,
    blockTimeSeconds: 1,
    logLevel: "error",
    // An operator's decision can be undone all the time here, and its rake stays where it is.
    environment: { UNDO_WINDOW_SECONDS: "3600" },
  });
  const { origin, rpcUrl } = engine;
  marcus = await enter({ origin, rpcUrl, accountIndex: 1, handle: "marcus" });
  ana = await enter({ origin, rpcUrl, accountIndex: 2, handle: "ana" });
  operator = await enter({ origin, rpcUrl, accountIndex: 9, handle: "olga" });
  await Promise.all([deposit(marcus), deposit(ana)]);
  agreed = await play({ stakes: [20_000_019n, 10_000_007n], reports: ["red", "red"] });
});
afterAll(async () => {
  for (const actor of [marcus, ana, operator]) actor?.live.close();
  await engine?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Where the local engine's books are is all that the command knows. */
const operate = (...line: string[]) =>
  runOperator(line, { environment: { DATA_DIR: join(folder, "engine") } });
const held = (address: string): Promise<bigint> => balanceOnChain(engine.rpcUrl, token, address as Address);
const readGame = (id: string): Promise<Game> => marcus.api.call("readGame", { params: { id } });

async function deposit({ api, pay, live }: Actor): Promise<void> {
  const { address } = await api.call("readDepositAddress");
  const hash = await pay({ token, to: address as Address, amount: 100_000_000n });
  await live.until(
    "deposit:update",
    (update) => update.deposit.txHash === hash && update.deposit.state !== "seen",
  );
}

/** Marcus (red) against Ana (blue). */
async function play(input: { stakes: [bigint, bigint]; reports: [Outcome, Outcome] }): Promise<Game> {
  const [proposerStake, takerStake] = input.stakes.map(String) as [string, string];
  const opponent = { handle: ana.handle };
  const { id } = await marcus.api.call("propose", {
    body: { opponent, token, proposerStake, takerStake, terms: "First to 21", expectedMinutes: 30 },
  });
  const { gameId } = await ana.api.call("acceptProposal", { params: { id } });
  for (const [index, { api }] of [marcus, ana].entries()) {
    const outcome = input.reports[index] ?? "draw";
    await api.call("reportResult", { params: { id: gameId }, body: { outcome } });
  }
  return readGame(gameId);
}

it("solvency shows what is owed and held, and the ten invariants hold", async () => {
  await waitFor(async () => (await marcus.api.call("readSolvency")).blockNumber, {
    what: "a check of the books with the chain",
    ...patience,
  });
  const { code, stdout, stderr } = await operate("solvency");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const numbers = [...stdout.matchAll(/^ ?(\d+)\. holds {2}\w/gm)].map(([, number]) => Number(number));
  expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  // 200 paid in, less the rake of the one game.
  expect(stdout).toContain(
    "USDC: players 198.499999 USDC, in escrow 0.00 USDC, house 1.500001 USDC, suspense 0",
  );
  expect(stdout).toMatch(/^The books balance \(checked 20.+ at block \d+\)\.$/m);
  expect(stdout).not.toMatch(/BROKEN|stopped/);
});

it("a dispute is listed with what both say and decided once, by an operator only", async () => {
  const { id, state } = await play({ stakes: [5_000_000n, 3_000_000n], reports: ["red", "blue"] });
  expect(state).toBe("disputed");
  await ana.api.call("addEvidence", { params: { id }, body: { text: "19 to 21, see the clip" } });

  const listed = await operate("disputes");
  expect(listed).toMatchObject({ code: 0, stderr: "" });
  expect(listed.stdout).toMatch(new RegExp(`^${id}  pot 8.00 USDC  due 20\\S+Z  no referee$`, "m"));
  expect(listed.stdout).toContain('"First to 21"  red marcus says red, blue ana says blue');
  expect(listed.stdout).toContain("ana: 19 to 21, see the clip");

  const decide = (as: string) =>
    operate("decide", id, "--outcome", "blue", "--reason", "The clip shows 19 to 21.", "--as", as);
  const unknown = "0b0e7f3a-5d1c-4c7e-9a52-3a3a6f1f4d10";
  const [player, nobody, nothing] = await Promise.all([
    decide("marcus"),
    decide("nobody"),
    operate("decide", unknown, "--outcome", "red", "--reason", "Nothing."),
  ]);
  expectRefusal(player, { code: 1, says: "marcus isn't an operator" });
  expectRefusal(nobody, { code: 1, says: "Operator nobody has never signed in" });
  expectRefusal(nothing, {
    code: 1,
    says: `There is no game ${unknown}. \`disputes\` lists those that wait.`,
  });
  expect((await readGame(id)).state).toBe("disputed");

  expect(await decide("Olga")).toEqual({
    code: 0,
    stderr: "",
    stdout: "Decided: blue. Payouts: ana 7.60 USDC.\n",
  });
  const decided = await readGame(id);
  expect(decided).toMatchObject({
    state: "settled",
    outcome: "blue",
    decision: { by: "olga", reason: "The clip shows 19 to 21." },
  });
  const [second, rest] = await Promise.all([
    operate("decide", id, "--outcome", "red", "--reason", "On second thoughts."),
    operate("disputes"),
  ]);
  expectRefusal(second, { code: 1, says: "This game isn't in dispute." });
  expect(second.stderr).toBe("This game isn't in dispute.\n");
  expect(await readGame(id)).toEqual(decided);
  expect(rest).toEqual({ code: 0, stderr: "", stdout: "Nobody waits for a decision.\n" });
});

it("a stranger's money is in suspense and goes back to the stranger, to the unit and once", async () => {
  const empty = operate("suspense");
  const stranger = developmentSigner(5);
  const { vaultAddress, rpcUrl } = engine;
  const before = await held(stranger.address);
  expect(await empty).toEqual({ code: 0, stderr: "", stdout: "Nothing is in suspense.\n" });
  const transport = http(rpcUrl);
  const hash = await createWalletClient({ account: stranger, chain: localBase, transport }).writeContract({
    address: token,
    abi: erc20Abi,
    functionName: "transfer",
    args: [vaultAddress as Address, 7_654_321n],
  });
  const reader = createPublicClient({ chain: localBase, transport, pollingInterval: 100 });
  const { blockNumber } = await minedReceipt(reader, hash);
  const finalized = async () =>
    BigInt((await operator.api.call("readOverview")).chain.finalizedNumber) >= blockNumber;
  await waitFor(finalized, { what: "the stranger's transfer to be final", ...patience });

  const listed = await operate("suspense");
  expect(listed).toMatchObject({ code: 0, stderr: "" });
  const from = stranger.address.toLowerCase();
  const line = new RegExp(`^(\\d+)  7.654321 USDC  unknown_sender  from ${from}  open  ${hash}\n$`);
  expect(listed.stdout).toMatch(line);
  const [, item = ""] = line.exec(listed.stdout) ?? [];

  const [nothing, sentBack] = await Promise.all([
    operate("refund", "999999", "--reason", "A stranger's."),
    operate("refund", item, "--reason", "Nobody knows the sender."),
  ]);
  expectRefusal(nothing, {
    code: 1,
    says: "There is no item 999999. `suspense` lists them.",
  });
  expect(sentBack).toEqual({ code: 0, stderr: "", stdout: `7.654321 USDC goes back to ${from}.\n` });
  await waitFor(async () => (await held(stranger.address)) === before, {
    what: "the refund on the chain",
    ...patience,
  });
  const instructions = await operator.api.call("listInstructions", { query: { limit: 100 } });
  expect(instructions.items.filter(({ kind }) => kind === "refund")).toEqual([
    expect.objectContaining({ source: vaultAddress.toLowerCase(), destination: from }),
  ]);

  const [again, list] = await Promise.all([
    operate("refund", item, "--reason", "Once more."),
    operate("suspense"),
  ]);
  expectRefusal(again, { code: 1, says: "This item was dealt with already." });
  expect(list.stdout).toContain(`${from}  refunded  ${hash}`);
  const { items } = await operator.api.call("readAudit");
  expect(items[0]).toMatchObject({ action: "refund_suspense", subject: `deposit:${item}` });
  expect(items[0]?.actor).toContain("olga");
});

it("a sweep moves the free rake that was looked at, to the unit and once; what can be undone stays", async () => {
  const rake = 1_500_001n; // 5% of a pot of 30.000026, rounded down.
  const dryRun = () => operate("sweep", "--token", "usdc", "--dry-run");
  const confirm = (total: bigint) => operate("sweep", "--token", token, "--confirm", `${total}`);
  const isFree = async () =>
    (await operator.api.call("sweep", { body: { token, dryRun: true } })).lines.length > 0;
  await waitFor(isFree, { what: "the rake to be final", ...patience });
  const before = { house: await held(house), escrow: await held(agreed.escrow.address) };
  const sweeps = async () => {
    const { items } = await operator.api.call("listInstructions", { query: { limit: 100 } });
    return items.filter(({ kind }) => kind === "sweep");
  };
  const unmoved = async () => {
    expect({ house: await held(house), escrow: await held(agreed.escrow.address) }).toEqual(before);
    expect(await sweeps()).toEqual([]);
  };

  const looked = await dryRun();
  expect(looked).toMatchObject({ code: 0, stderr: "" });
  expect(looked.stdout).toContain(`  ${agreed.id}  rake 1.500001 USDC  dust 0.00 USDC\n`);
  expect(looked.stdout).toMatch(/^ {2}\S+ {2}0.40 USDC stays: The settlement can be undone until 20/m);
  expect(looked.stdout).toContain(
    `A sweep would move 1.500001 USDC (${rake} base units) to ${house}. Nothing was written.\n`,
  );
  const [otherTotal, otherToken] = await Promise.all([
    confirm(rake + 1n),
    operate("sweep", "--token", "DOGE", "--dry-run"),
  ]);
  expectRefusal(otherTotal, { code: 1, says: "The amount has changed since the dry run." });
  expect(otherTotal.stderr).toContain(`(total ${rake})`);
  expectRefusal(otherToken, { code: 1, says: "--token is one of " });
  await unmoved();

  const swept = await confirm(rake);
  expect(swept).toMatchObject({ code: 0, stderr: "" });
  expect(swept.stdout).toContain(`Sweeping 1.500001 USDC (${rake} base units) to ${house}.\n`);
  await waitFor(async () => (await sweeps())[0]?.state === "final", {
    what: "the sweep to be final",
    ...patience,
  });
  expect({ house: await held(house), escrow: await held(agreed.escrow.address) }).toEqual({
    house: before.house + rake,
    escrow: before.escrow - rake,
  });

  const [second, lookedAgain, listed] = await Promise.all([
    confirm(rake),
    dryRun(),
    operate("instructions", "--state", "final"),
  ]);
  expectRefusal(second, { code: 1, says: "Nothing is earned and free." });
  expect(lookedAgain.code).toBe(0);
  expect(lookedAgain.stdout).toMatch(/^There is nothing to sweep now\.$/m);
  expect(await sweeps()).toHaveLength(1);
  expect(listed.stdout).toMatch(
    new RegExp(`^\\d+  sweep  final  1.500001 USDC  from ${agreed.escrow.address} to ${house}  0x`, "m"),
  );
});

it("books that don't balance are told in detail, and the command fails", async () => {
  const { rpcUrl, vaultAddress } = engine;
  await callNode(rpcUrl, "anvil_impersonateAccount", [vaultAddress]);
  await setEther(rpcUrl, vaultAddress, 10n ** 18n);
  const theft = encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [house, 1n] });
  await callNode(rpcUrl, "eth_sendTransaction", [{ from: vaultAddress, to: token, data: theft }]);
  const isFound = async () =>
    (await marcus.api.call("readSolvency")).invariants.some(({ number, ok }) => number === 6 && !ok);
  await waitFor(isFound, { what: "the check to see the theft", ...patience });
  const { code, stdout } = await operate("solvency");
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ 6\. BROKEN Wallets hold what they back: \S/m);
  expect(stdout).toMatch(/^Outflows are stopped since 20\S+: \S/m);
  expect(stdout).toContain("The books DON'T balance, or weren't checked yet.\n");
});
