/** Processes that pay, and what the chain says that they have paid. */
import { randomUUID } from "node:crypto";
import { type Address, parseAbiItem } from "viem";
import { expect } from "vitest";
import { takeLease } from "../../engine/db/lease.ts";
import { createPool } from "../../engine/db/pool.ts";
import { confirmRound } from "../../engine/services/confirming.ts";
import type { Context, Leadership, Settings } from "../../engine/services/context.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { withdraw } from "../../engine/services/withdrawals.ts";
import { createMoneyContext } from "../../scripts/local/bare-context.ts";
import { expectBooksToBalance } from "./books.ts";
import { untilConnected } from "./chain.ts";
import type { MoneyPlayer, MoneyWorld } from "./money-world.ts";
import { finalize } from "./treasury.ts";
import { waitFor } from "./wait.ts";

/** A process of its own in all but name: own connections, own signer, and the newest fence. */
export interface Sender {
  context: Context;
  leadership: Leadership;
  round(): Promise<boolean>;
  /** Rounds with blocks in between until nothing is under way any more. */
  settle(): Promise<void>;
}

/**
 * Takes the lease from whoever holds it, as if that process were dead; ends with the world.
 * @param options.requestTimeoutMs short only where a node is silent on purpose: honest answers have to come within it, too
 */
export async function startSender(
  world: MoneyWorld,
  {
    rpcUrls = [world.base.rpcUrl],
    settings = {},
    requestTimeoutMs = 60_000,
  }: { rpcUrls?: string[]; settings?: Partial<Settings>; requestTimeoutMs?: number } = {},
): Promise<Sender> {
  const pool = createPool({ url: world.database.appUrl, maxConnections: 10 });
  const chain = await untilConnected({ rpcUrls, expectedChainId: 8453, requestTimeoutMs });
  const { payouts } = world.context.settings;
  world.endsAfter(async () => {
    await chain.close();
    await pool.end();
  });
  const context = await createMoneyContext({
    pool,
    chain,
    tokens: world.base,
    settings: { payouts, ...settings },
  });
  const leadership = { fence: await seizeLease(world) };
  const round = () => sendRound(context, leadership);
  return {
    context,
    leadership,
    round,
    settle: async () => {
      await waitFor(
        async () => {
          await round();
          await world.base.mine(1);
          await world.caughtUp();
          await confirmRound(context);
          const [open] = await world.query<{ open: string }>(
            "SELECT count(*) AS open FROM instruction WHERE state IN ('gathering', 'queued', 'sending', 'mined')",
          );
          return open?.open === "0";
        },
        { what: "every instruction to be over", timeoutMs: 40_000 },
      );
    },
  };
}

async function seizeLease(world: MoneyWorld): Promise<number> {
  await world.query("UPDATE lease SET expires_at = now() - interval '1 second'");
  const fence = await takeLease(world.context.pool, {
    name: "chain",
    holder: randomUUID(),
    forMs: 3_600_000,
  });
  if (fence === null) throw new Error("the lease has run out, and still it isn't free");
  return fence;
}

/** A player with final money in a vault that has ether: what is asked for next leaves at once. */
export async function readyToWithdraw(world: MoneyWorld, amount: bigint): Promise<MoneyPlayer> {
  const player = await world.player();
  await world.base.setEther(world.vault, 10n ** 18n);
  await world.base.mint(world.base.usdc, player.address, amount);
  await player.pay({ token: world.base.usdc, to: world.vault, amount });
  await finalize(world);
  return player;
}

/** Asks for a withdrawal to the player's own wallet; answers its instruction. */
export async function ask(world: MoneyWorld, player: MoneyPlayer, amount: bigint): Promise<string> {
  const asked = await withdraw(world.context, {
    by: player.id,
    token: world.base.usdc,
    amount,
    address: player.address,
    idempotency: { playerId: player.id, key: randomUUID(), request: `withdraw ${amount}` },
  });
  if (!asked.ok) throw new Error(`the withdrawal is rejected: ${asked.rejection.code}`);
  const [row] = await world.query<{ instruction_id: string }>(
    "SELECT instruction_id FROM withdrawal WHERE id = $1",
    [asked.value.id],
  );
  if (row === undefined) throw new Error("a withdrawal without an instruction");
  return row.instruction_id;
}

export async function stateOf(world: MoneyWorld, instructionId: string): Promise<string | undefined> {
  const [row] = await world.query<{ state: string }>("SELECT state FROM instruction WHERE id = $1", [
    instructionId,
  ]);
  return row?.state;
}

/** Changes how this engine pays: the code takes other ways where one transaction pays one instruction. */
export function payBy(context: Context, payouts: Settings["payouts"]): void {
  context.settings = { ...context.settings, payouts };
}

/** What an instruction has had so far, by nonce and attempt. */
export const attemptsOf = (world: MoneyWorld, instructionId: string) =>
  world.query<{ nonce: string; number: number; hash: Address; raw: Address; answer: string | null }>(
    `SELECT nonce, number, hash, raw, last_answer AS answer FROM instruction_tx JOIN attempt ON chain_tx_id = instruction_tx.id
     WHERE instruction_id = $1 ORDER BY nonce, number`,
    [instructionId],
  );

const transferEvent = parseAbiItem("event Transfer(address indexed from, address indexed to, uint256 value)");

/** Which wallets pay them. */
const payersOf = { withdrawal: "vault", payout: "escrow" } as const;

/**
 * The chain's own word: every final withdrawal (or payout of a game) has exactly one transfer, of exactly its amount to
 * exactly its address, by one of its attempts; nothing else has left the vault (or an escrow); no wallet's nonces have a
 * gap; and the books agree.
 */
export async function expectEachPaidOnce(
  world: MoneyWorld,
  count: number,
  kind: keyof typeof payersOf = "withdrawal",
): Promise<void> {
  // One that a killed process claimed and didn't get to derive has no address yet.
  const payers = await world.query<{ address: Address }>(
    "SELECT address FROM wallet WHERE purpose = $1 AND address IS NOT NULL",
    [payersOf[kind]],
  );
  const logs = await world.base.testClient.getLogs({
    address: world.base.usdc,
    event: transferEvent,
    args: { from: payers.map(({ address }) => address) },
    fromBlock: 0n,
    strict: true,
  });
  const paid = logs.map(({ transactionHash, args }) => ({
    hash: transactionHash,
    to: args.to.toLowerCase(),
    amount: args.value.toString(),
  }));
  const owed = await world.query<{ hash: string; to: string; amount: string }>(
    `SELECT mined_hash AS hash, destination AS to, amount FROM instruction JOIN instruction_tx ON instruction_id = instruction.id
     WHERE kind = $1 AND instruction.state = 'final' AND instruction_tx.state = 'final'`,
    [kind],
  );
  const textOf = (row: object): string => JSON.stringify(row);
  const inOrder = (rows: { hash: string }[]) => rows.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
  expect(inOrder(paid)).toEqual(inOrder(owed));
  expect(owed).toHaveLength(count);
  await expectContiguousNonces(world);
  await expectBooksToBalance(world.context, { onChain: true });
}

async function expectContiguousNonces(world: MoneyWorld): Promise<void> {
  const wallets = await world.query<{ address: Address; nonces: string }>(
    `SELECT address::text, string_agg(nonce::text, ',' ORDER BY nonce) AS nonces
     FROM (SELECT wallet_id, nonce FROM chain_tx UNION ALL SELECT wallet_id, nonce FROM authorisation) AS spent
       JOIN wallet ON wallet.id = wallet_id GROUP BY address`,
  );
  for (const { address, nonces } of wallets) {
    const spent = await world.base.testClient.getTransactionCount({ address });
    expect(nonces).toBe(Array.from({ length: spent }, (_, index) => index).join(","));
  }
}

/** Blocks come only when the test makes them. */
export const stopMining = (world: MoneyWorld): Promise<void> => world.base.testClient.setAutomine(false);
