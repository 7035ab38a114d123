/** Players for the benchmarks: new wallets, signed in over HTTP, with money from real deposits. */
import pg from "pg";
import { type Address, createWalletClient, erc20Abi, http } from "viem";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { ApiClient } from "../client/api.ts";
import { mintToken, mintTokenToEach, setEther } from "../local/accounts.ts";
import { localBase } from "../local/chain-definition.ts";
import type { RunningEngine } from "./engine-process.ts";

export interface BenchPlayer {
  account: PrivateKeyAccount;
  api: ApiClient;
  id: string;
  depositAddress: Address;
}

export async function signInPlayers(engine: RunningEngine, count: number): Promise<BenchPlayer[]> {
  const players: BenchPlayer[] = [];
  for (let index = 0; index < count; index += 1) {
    const account = privateKeyToAccount(generatePrivateKey());
    const api = new ApiClient(engine.origin);
    const me = await api.signIn(account);
    const { address } = await api.call("readDepositAddress");
    players.push({ account, api, id: me.id, depositAddress: address as Address });
  }
  return players;
}

/** Gives each player base units of a token by a deposit, and waits until all of it is free. */
export async function fundPlayers(
  engine: RunningEngine,
  players: BenchPlayer[],
  token: Address,
  amount: bigint,
): Promise<void> {
  const addresses = players.map(({ depositAddress }) => depositAddress);
  await mintTokenToEach(engine.rpcUrl, token, addresses, amount);
  for (const { api } of players) {
    await until(async () => {
      const { balances } = await api.call("readBalances");
      return balances.some(
        ({ withdrawable }) => withdrawable.token === token && BigInt(withdrawable.amount) >= amount,
      );
    }, "deposits to become final");
  }
  await untilAllIsSent(engine);
}

/** Waits until nothing is left to be sent on the chain, so that what is timed next has the engine to itself. */
async function untilAllIsSent({ databaseUrl }: RunningEngine): Promise<void> {
  const db = new pg.Client({ connectionString: databaseUrl });
  await db.connect();
  try {
    await until(async () => {
      const { rowCount } = await db.query(
        "SELECT FROM instruction WHERE state IN ('gathering', 'queued', 'sending', 'mined') LIMIT 1",
      );
      return rowCount === 0;
    }, "collections to become final");
  } finally {
    await db.end();
  }
}

/** Enough for a recipient who holds nothing of the token by then: the deposit before may be collected meanwhile. */
const depositGas = 100_000n;

/** A wallet with ether and tokens of its own, to send deposits from. */
export async function fundSender(engine: RunningEngine, player: BenchPlayer, token: Address, amount: bigint) {
  await setEther(engine.rpcUrl, player.account.address, 10n ** 19n);
  await mintToken(engine.rpcUrl, token, player.account.address, amount);
  const wallet = createWalletClient({
    account: player.account,
    chain: localBase,
    transport: http(engine.rpcUrl),
  });
  return (to: Address, units: bigint) =>
    wallet.writeContract({
      address: token,
      abi: erc20Abi,
      functionName: "transfer",
      args: [to, units],
      gas: depositGas,
    });
}

export async function until(
  condition: () => Promise<boolean>,
  what: string,
  timeoutMs = 120_000,
): Promise<void> {
  const giveUpAtMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAtMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
