/** A token is taken out of TOKENS in the middle of everything: it can't be played for any more, and all else goes on. */
import pg from "pg";
import { type Address, erc20Abi } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { readConfig } from "../../engine/config.ts";
import { type Engine, startEngine } from "../../engine/main.ts";
import { readSolvency } from "../../engine/services/solvency.ts";
import { ApiClient } from "../../scripts/client/api.ts";
import { developmentAccounts, developmentSigner } from "../../scripts/local/accounts.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import { callNode } from "../../scripts/local/rpc.ts";
import { withBooks } from "../../scripts/operator/books.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { createTestDatabase, type TestDatabase } from "../helpers/database.ts";
import { findLastingPort } from "../helpers/lasting-port.ts";
import { waitFor } from "../helpers/wait.ts";
import { value } from "../services/wager-world.ts";

const dollars = (whole: number): bigint => BigInt(whole) * 1_000_000n;
interface Person {
  api: ApiClient;
  address: Address;
  depositAddress: Address;
}
let database: TestDatabase;
let books: pg.Client;
let chain: TestChain;
let engine: Engine;
let environment: Record<string, string>;
let marcus: Person;
let ana: Person;
let stranger: Address;
/** Made while the token could be played for. */
let before: { gameId: string; offerId: string; refundedItem: string; withdrawn: string; sent: string };

const start = (tokens: Address[]): Promise<Engine> =>
  startEngine(readConfig({ ...environment, TOKENS: tokens.join() }));
async function read<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
  return (await books.query(text, values)).rows as Row[];
}
const listed = () => read("SELECT address, listed FROM token ORDER BY position");
const automine = (isOn: boolean) => callNode(chain.rpcUrl, "evm_setAutomine", [isOn]);

async function enter(accountIndex: number, handle: string): Promise<Person> {
  const development = developmentAccounts[accountIndex];
  if (development === undefined) throw new Error("there is no such account");
  const api = new ApiClient(environment.PUBLIC_ORIGIN ?? "");
  await api.signIn(privateKeyToAccount(development.privateKey));
  await api.call("changeMe", { body: { handle } });
  const { address: depositAddress } = await api.call("readDepositAddress");
  return { api, address: development.address, depositAddress: depositAddress as Address };
}

/** Makes blocks until nothing is on its way that isn't final. */
const settle = () =>
  waitFor(
    async () => {
      await chain.mine(1);
      const [open] = await read<{ open: string }>(
        `SELECT (SELECT count(*) FROM instruction WHERE state IN ('gathering', 'queued', 'sending', 'mined'))
           + (SELECT count(*) FROM deposit WHERE state <> 'final') AS open`,
      );
      return open?.open === "0";
    },
    { what: "everything to be final", timeoutMs: 30_000, everyMs: 50 },
  );
const withdrawalIs = (id: string, state: string) =>
  waitFor(
    async () => {
      const [row] = await read<{ state: string }>(
        "SELECT instruction.state FROM withdrawal JOIN instruction ON instruction.id = instruction_id WHERE withdrawal.id = $1",
        [id],
      );
      return row?.state === state;
    },
    { what: `the withdrawal to be ${state}`, timeoutMs: 20_000 },
  );
async function withdraw({ api, address }: Person, amount: bigint): Promise<string> {
  const body = { token: chain.usdc, amount: amount.toString(), address };
  return (await api.call("withdraw", { body })).id;
}
const offer = ({ api }: Person, proposerStake: bigint, takerStake: bigint) =>
  api.call("propose", {
    body: {
      ...{ opponent: null, token: chain.usdc, terms: "First to 21", expectedMinutes: 60 },
      ...{ proposerStake: proposerStake.toString(), takerStake: takerStake.toString() },
    },
  });

beforeAll(async () => {
  [database, chain] = await Promise.all([createTestDatabase(), startTestChain()]);
  books = new pg.Client({ connectionString: database.ownerUrl });
  await books.connect();
  const port = String(await findLastingPort());
  environment = {
    ...{ PORT: port, PUBLIC_ORIGIN: `http://localhost:${port}`, LOG_LEVEL: process.env.TEST_LOG ?? "fatal" },
    ...{ DATABASE_URL: database.appUrl, BASE_RPC_URLS: chain.rpcUrl },
    OPERATORS: developmentAccounts[1]?.address ?? "",
  };
  engine = await start([chain.openwork, chain.usdc]);
  await chain.setEther(engine.gasAddress as Address, 10n ** 20n);
  [marcus, ana] = [await enter(1, "marcus"), await enter(2, "ana")];
  await chain.mint(chain.usdc, marcus.depositAddress, dollars(100));
  await chain.mint(chain.usdc, ana.depositAddress, dollars(20_000));
  stranger = developmentSigner(5).address.toLowerCase() as Address;
  await chain.mint(chain.usdc, stranger, dollars(9));
  await minedReceipt(
    chain.testClient,
    await chain.testClient.writeContract({
      ...{ address: chain.usdc, abi: erc20Abi, functionName: "transfer" },
      args: [engine.vaultAddress as Address, dollars(9)],
      ...{ account: developmentSigner(5), chain: chain.testClient.chain },
    }),
  );
  await settle();
});
afterAll(async () => {
  await engine?.stop();
  await books?.end();
  await chain?.stop();
  await database?.drop();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it("a command that only looks leaves the list alone, and says that its own TOKENS aren't the list", async () => {
  const list = await listed();
  const names = ["DATABASE_URL", "BASE_RPC_URLS"] as const;
  for (const name of names) vi.stubEnv(name, environment[name]);
  vi.stubEnv("TOKENS", chain.usdc);
  const said = vi.spyOn(console, "error").mockReturnValue(undefined);
  await withBooks(async (context) => {
    const report = value(await readSolvency(context));
    expect(report.tokens.map(({ symbol }) => symbol)).toEqual(["OPENWORK", "USDC"]);
  });
  expect(said).toHaveBeenCalledWith(
    expect.stringContaining(`it lacks OPENWORK (${chain.openwork}), which is listed`),
  );
  expect(await listed()).toEqual(list);
});

it("an engine without the token takes it out of play while money of it is on every way", async () => {
  await marcus.api.call("changeMe", { body: { winningsTo: "wallet" } });
  const { id } = await offer(marcus, dollars(10), dollars(5));
  const { gameId } = await ana.api.call("acceptProposal", { params: { id } });
  await settle();
  const { id: offerId } = await offer(marcus, dollars(2), dollars(1));
  const [item] = await read<{ id: string }>("SELECT id FROM deposit WHERE suspense_state = 'open'");

  await chain.mint(chain.usdc, ana.depositAddress, dollars(20));
  const notFinal = "SELECT 1 FROM deposit WHERE credited AND state = 'playable'";
  await waitFor(async () => (await read(notFinal)).length === 1, { what: "the deposit that isn't final" });
  const withdrawn = await withdraw(marcus, dollars(3));
  await withdrawalIs(withdrawn, "mined");
  await automine(false);
  const sent = await withdraw(ana, dollars(4));
  await waitFor(
    async () =>
      ((await callNode(chain.rpcUrl, "txpool_status", [])) as { pending: string }).pending === "0x1",
    { what: "the other withdrawal on its way" },
  );
  await engine.stop();
  expect(await read(notFinal)).toHaveLength(1);
  await withdrawalIs(withdrawn, "mined");
  await withdrawalIs(sent, "sending");
  before = { gameId, offerId, refundedItem: item?.id ?? "", withdrawn, sent };

  // While no engine runs: the payment is mined, and more of the token comes in.
  await chain.mine(1);
  await automine(true);
  await chain.mint(chain.usdc, ana.depositAddress, dollars(7));
  await chain.mint(chain.openwork, marcus.depositAddress, 5n * 10n ** 18n);
  await automine(false);
  engine = await start([chain.openwork]);
  await waitFor(
    async () => {
      const { tokens } = await ana.api.call("readConfig");
      return tokens.map(({ symbol, listed }) => `${symbol} ${listed}`).join() === "OPENWORK true,USDC false";
    },
    { what: "the other list" },
  );
});

it("its deposits are found and credited when they are final, the listed token's at once", async () => {
  const deposits = () =>
    read("SELECT token, amount, credited FROM deposit WHERE amount IN ($1, $2) ORDER BY id", [
      dollars(7).toString(),
      (5n * 10n ** 18n).toString(),
    ]);
  const late = { token: chain.usdc, amount: dollars(7).toString() };
  const other = { token: chain.openwork, amount: (5n * 10n ** 18n).toString(), credited: true };
  await waitFor(
    async () =>
      (await read("SELECT 1 FROM deposit WHERE token = $1 AND credited", [chain.openwork])).length > 0,
    {
      what: "the listed token's deposit",
    },
  );
  expect(await deposits()).toEqual([{ ...late, credited: false }, other]);
  await automine(true);
  await settle();
  expect(await deposits()).toEqual([{ ...late, credited: true }, other]);
});

it("what was mined or sent of it is paid once", async () => {
  for (const id of [before.withdrawn, before.sent]) await withdrawalIs(id, "final");
  expect(await chain.balanceOf(chain.usdc, marcus.address)).toBe(dollars(3));
  expect(await chain.balanceOf(chain.usdc, ana.address)).toBe(dollars(4));
});

it("new offers in it are refused in words, and an old one can be called off", async () => {
  const refusal = {
    problem: {
      status: 409,
      code: "token_not_listed",
      detail: expect.stringContaining("USDC was taken out of play"),
    },
  };
  await expect(offer(marcus, dollars(1), dollars(1))).rejects.toMatchObject(refusal);
  const body = { proposerStake: "1", takerStake: "2", terms: "First to 11", lapseSeconds: 600 };
  const params = { id: before.offerId };
  await expect(ana.api.call("counterProposal", { params, body })).rejects.toMatchObject(refusal);
  expect(await marcus.api.call("cancelProposal", { params })).toMatchObject({ state: "cancelled" });
});

it("its game is settled and paid, what nobody was credited for goes back, and what is held can be withdrawn", async () => {
  for (const { api } of [marcus, ana])
    await api.call("reportResult", { params: { id: before.gameId }, body: { outcome: "red" } });
  await marcus.api.call("refundSuspense", {
    params: { id: before.refundedItem },
    body: { reason: "Not a player's." },
  });
  const rest = await withdraw(ana, dollars(6));
  await settle();
  expect(await marcus.api.call("readGame", { params: { id: before.gameId } })).toMatchObject({
    payouts: [{ money: { amount: "14250000", symbol: "USDC" }, state: "final" }],
  });
  expect(await chain.balanceOf(chain.usdc, marcus.address)).toBe(dollars(3) + 14_250_000n);
  expect(await chain.balanceOf(chain.usdc, stranger)).toBe(dollars(9));
  await withdrawalIs(rest, "final");
  expect(await chain.balanceOf(chain.usdc, ana.address)).toBe(dollars(10));
});

it("the limits of what leaves hold for it", async () => {
  await expect(withdraw(ana, dollars(10_001))).rejects.toThrow("withdrawal_too_large");
});

it("every page that shows it answers", async () => {
  const { balances } = await ana.api.call("readBalances");
  expect(balances.map(({ free }) => [free.symbol, free.amount])).toEqual([
    ["OPENWORK", "0"],
    ["USDC", dollars(20_000 - 5 + 20 - 4 + 7 - 6).toString()],
  ]);
  const reads = [
    "readListings",
    "readLeaderboard",
    "readSolvency",
    "readOverview",
    "listSuspense",
    "listInstructions",
  ] as const;
  for (const name of [
    ...reads,
    "readHistory",
    "listDeposits",
    "listWithdrawals",
    "listGames",
    "listProposals",
    "readAudit",
  ] as const)
    await expect(marcus.api.call(name), name).resolves.toBeDefined();
  await expect(marcus.api.call("readPlayer", { params: { handle: "ana" } })).resolves.toBeDefined();
});
