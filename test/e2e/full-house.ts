/** An engine with something on every screen: offers both ways, games in each state, money that nobody owns or can't leave. */
import pg from "pg";
import { type Address, createPublicClient, encodeFunctionData, http, parseAbi } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { ApiClient, signMessage } from "../../scripts/client/api.ts";
import { type Actor, enter } from "../../scripts/demo/actors.ts";
import { developmentAccounts, mintToken } from "../../scripts/local/accounts.ts";
import type { LocalEngine } from "../../scripts/local/engine.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import { callNode } from "../../scripts/local/rpc.ts";
import { usdcAddress } from "../../scripts/local/tokens.ts";

export interface FullHouse {
  marcus: Actor;
  ana: Actor;
  operator: Actor;
  /** Signed in, and hasn't accepted the terms. */
  newcomer: ApiClient;
  playing: string;
  disputed: string;
  settled: string;
  close(): void;
}

const usdc = (whole: number): string => `${whole}000000`;
/** So many that both stand on the leaderboard. */
const settledGames = 3;

export async function fillHouse({
  origin,
  rpcUrl,
  vaultAddress,
  databaseOwnerUrl,
}: LocalEngine): Promise<FullHouse> {
  const [marcus, ana, operator, newcomer] = await Promise.all([
    enter({ origin, rpcUrl, accountIndex: 1, handle: "marcus" }),
    enter({ origin, rpcUrl, accountIndex: 2, handle: "ana_of_the_long_line" }),
    enter({ origin, rpcUrl, accountIndex: 9, handle: "operator" }),
    enterWithoutTerms(origin, 3),
  ]);
  for (const actor of [marcus, ana]) {
    const { address } = await actor.api.call("readDepositAddress");
    await mintToken(rpcUrl, usdcAddress, address as Address, 500_000_000n);
  }
  await mintToken(rpcUrl, usdcAddress, vaultAddress, 7_000_000n);
  for (const actor of [marcus, ana])
    await actor.live.until("deposit:update", ({ deposit }) => deposit.state === "final");

  let settled = "";
  for (let count = 0; count < settledGames; count += 1) {
    settled = await play(marcus, ana, "First to 21. Win by two.");
    for (const { api } of [marcus, ana])
      await api.call("reportResult", { params: { id: settled }, body: { outcome: "red" } });
  }
  const disputed = await play(marcus, ana, "Best of three at the bar");
  await marcus.api.call("reportResult", { params: { id: disputed }, body: { outcome: "red" } });
  await ana.api.call("reportResult", { params: { id: disputed }, body: { outcome: "blue" } });
  await ana.api.call("addEvidence", {
    params: { id: disputed },
    body: { text: "Here is the last rally.", url: "https://example.com/clips/the-last-rally-of-the-evening" },
  });
  await withdraw(marcus, 20, "mined");
  await blockAtIssuer(rpcUrl, marcus.address);
  await withdraw(marcus, 5, "parked");
  const { escrow } = await marcus.api.call("readGame", { params: { id: disputed } });
  await freeze(databaseOwnerUrl, escrow.address);
  const playing = await play(marcus, ana, "Sudden death");
  await offer(marcus, null, "Anyone, one rack");
  const first = await offer(marcus, ana, "Five racks");
  await ana.api.call("counterProposal", {
    params: { id: first },
    body: { proposerStake: usdc(12), takerStake: usdc(12), terms: "Seven racks" },
  });
  return {
    marcus,
    ana,
    operator,
    newcomer,
    playing,
    disputed,
    settled,
    close: () => [marcus, ana, operator].forEach(({ live }) => void live.close()),
  };
}

async function enterWithoutTerms(origin: string, accountIndex: number): Promise<ApiClient> {
  const development = developmentAccounts[accountIndex];
  if (development === undefined) throw new Error(`there is no development account ${accountIndex}`);
  const account = privateKeyToAccount(development.privateKey);
  const api = new ApiClient(origin);
  const { message } = await api.call("createChallenge", { body: { address: account.address } });
  await api.call("verifyChallenge", { body: { message, signature: await signMessage(account, message) } });
  return api;
}

async function withdraw({ api, live, address }: Actor, whole: number, until: "mined" | "parked") {
  const { id } = await api.call("withdraw", { body: { token: usdcAddress, amount: usdc(whole), address } });
  await live.until(
    "withdrawal:update",
    ({ withdrawal }) => withdrawal.id === id && withdrawal.state === until,
  );
}

/** From the next block on the token refuses to pay this address. */
async function blockAtIssuer(rpcUrl: string, address: Address): Promise<void> {
  await callNode(rpcUrl, "anvil_impersonateAccount", [address]);
  const abi = parseAbi(["function blacklist(address account)"]);
  const data = encodeFunctionData({ abi, functionName: "blacklist", args: [address] });
  const hash = await callNode(rpcUrl, "eth_sendTransaction", [{ from: address, to: usdcAddress, data }]);
  await minedReceipt(createPublicClient({ transport: http(rpcUrl) }), hash as `0x${string}`);
}

async function freeze(databaseUrl: string, address: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rowCount } = await client.query(
    "UPDATE wallet SET frozen_reason = 'a transaction of it is unknown here' WHERE lower(address) = lower($1)",
    [address],
  );
  await client.end();
  if (rowCount !== 1) throw new Error(`${address} is no wallet of ours`);
}

async function offer(from: Actor, to: Actor | null, terms: string): Promise<string> {
  const { id } = await from.api.call("propose", {
    body: {
      opponent: to === null ? null : { handle: to.handle },
      token: usdcAddress,
      proposerStake: usdc(50),
      takerStake: usdc(10),
      terms,
    },
  });
  return id;
}

async function play(red: Actor, blue: Actor, terms: string): Promise<string> {
  const id = await offer(red, blue, terms);
  const { gameId } = await blue.api.call("acceptProposal", { params: { id } });
  return gameId;
}
