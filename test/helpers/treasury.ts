/** What tests of deposits, withdrawals and sweeps have in common, on a world with a real chain. */
import { type Address, encodeFunctionData, erc20Abi } from "viem";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { readCursor } from "../../engine/db/cursor.ts";
import { readPoolBalances } from "../../engine/services/pools.ts";
import { ensureSpareWallets } from "../../engine/services/wallets.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import type { MoneyPlayer, MoneyWorld } from "./money-world.ts";
import { waitFor } from "./wait.ts";

/** Base units of a token, USDC if none is named, in a player's pool that aren't locked. */
export async function freeOf(
  world: MoneyWorld,
  playerId: string,
  token: Address = world.base.usdc,
): Promise<bigint> {
  const [balance] = await readPoolBalances(world.context, world.context.pool, playerId, [token]);
  return BigInt(balance?.free.amount ?? "-1");
}

/** Makes blocks until everything that stands in the books now, or waits to be mined, is beyond reorg. */
export async function finalize(world: MoneyWorld): Promise<void> {
  const next = (await world.base.testClient.getBlock()).number + 1n;
  await world.base.mine(20);
  await waitFor(
    async () => {
      // One at a time: a watcher on a busy machine must be able to reach the head.
      await world.base.mine(1);
      return ((await readCursor(world.context.pool))?.finalized_number ?? 0n) >= next;
    },
    { what: `block ${next} to be final`, timeoutMs: 20_000, everyMs: 50 },
  );
}

/** A player whose pool holds so many base units of USDC, in a block that isn't final yet. */
export async function funded(world: MoneyWorld, amount: bigint): Promise<MoneyPlayer> {
  const player = await world.player();
  const { usdc } = world.base;
  await world.base.mint(usdc, player.address, amount);
  await player.pay({ token: usdc, to: player.depositAddress, amount });
  await waitFor(async () => (await freeOf(world, player.id)) === amount, { what: "the credit" });
  return player;
}

/** The first money of a wallet that nobody has signed in with; answers its address once the books know the transfer. */
export async function payAsStranger(
  world: MoneyWorld,
  {
    to,
    amount,
    account = privateKeyToAccount(generatePrivateKey()),
  }: { to: Address; amount: bigint; account?: PrivateKeyAccount },
): Promise<Address> {
  const address = account.address.toLowerCase() as Address;
  const { usdc, testClient } = world.base;
  await world.base.setEther(address, 10n ** 18n);
  await world.base.mint(usdc, address, amount);
  const serializedTransaction = await account.signTransaction({
    chainId: 8453,
    type: "eip1559",
    to: usdc,
    data: encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [to, amount] }),
    nonce: 0,
    gas: 200_000n,
    maxFeePerGas: 10n ** 10n,
    maxPriorityFeePerGas: 10n ** 6n,
  });
  const hash = await testClient.sendRawTransaction({ serializedTransaction });
  await minedReceipt(testClient, hash);
  await waitFor(
    async () => {
      const rows = await world.query(
        "SELECT 1 FROM deposit JOIN chain_log ON chain_log.id = chain_log_id WHERE tx_hash = $1 AND credited",
        [hash],
      );
      return rows.length === 1;
    },
    { what: "the transfer in the books" },
  );
  return address;
}

/** The id of the deposit that an address has sent. */
export async function depositFrom(world: MoneyWorld, sender: string): Promise<string> {
  const [row] = await world.query<{ id: string }>(
    "SELECT deposit.id FROM deposit JOIN chain_log ON chain_log.id = chain_log_id WHERE sender = $1",
    [sender],
  );
  if (row === undefined) throw new Error(`nothing came from ${sender}`);
  return row.id;
}

export async function operator(world: MoneyWorld): Promise<{ playerId: string; handle: string }> {
  const { id, address } = await world.player();
  const { settings } = world.context;
  const operatorAddresses = new Set([...settings.operatorAddresses, address.toLowerCase()]);
  world.context.settings = { ...settings, operatorAddresses };
  return { playerId: id, handle: "operator" };
}

/** An escrow wallet that no game has. */
export async function spareEscrow(world: MoneyWorld): Promise<Address> {
  await ensureSpareWallets(world.context, "escrow");
  const [row] = await world.query<{ address: Address }>(
    "SELECT address FROM wallet WHERE purpose = 'escrow' AND game_id IS NULL AND address IS NOT NULL ORDER BY id LIMIT 1",
  );
  return row?.address ?? "0x";
}
