import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPoolBalances } from "../../engine/services/pools.ts";
import { createMoneyWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { waitFor } from "../helpers/wait.ts";

let world: MoneyWorld;
beforeEach(async () => {
  world = await createMoneyWorld();
});
afterEach(async () => {
  await world.stop();
});

const free = async ({ id }: MoneyPlayer, token = world.base.usdc): Promise<bigint> => {
  const [balance] = await readPoolBalances(world.context, world.context.pool, id, [token]);
  return BigInt(balance?.free.amount ?? "-1");
};
const funded = async (amount: bigint): Promise<MoneyPlayer> => {
  const player = await world.player();
  await world.base.mint(world.base.usdc, player.address, amount);
  return player;
};

describe("a deposit", () => {
  it("to a player's own address is credited, collected into the vault, and exact on the chain", async () => {
    world.watch();
    await world.caughtUp();
    const player = await funded(1_000n);
    const { hash } = await player.pay({ token: world.base.usdc, to: player.depositAddress, amount: 777n });
    await waitFor(async () => (await free(player)) === 777n, { what: "the credit" });
    await world.settle();
    expect(await world.held(world.base.usdc, world.vault)).toBe(777n);
    expect(await world.held(world.base.usdc, player.depositAddress)).toBe(0n);
    expect(
      await world.query(
        "SELECT state, credited FROM deposit JOIN chain_log ON chain_log.id = chain_log_id WHERE tx_hash = $1",
        [hash],
      ),
    ).toEqual([{ state: "final", credited: true }]);
  });

  it("that falls out of the chain is taken back, and credited again when it comes again (SAFETY 10)", async () => {
    world.watch();
    await world.caughtUp();
    const player = await funded(1_000n);
    const { raw, hash } = await player.pay({ token: world.base.usdc, to: player.depositAddress, amount: 5n });
    await waitFor(async () => (await free(player)) === 5n, { what: "the credit" });
    await world.base.reorg(1);
    await world.base.mine(1);
    await waitFor(async () => (await free(player)) === 0n, { what: "the credit to be taken back" });
    await world.base.testClient.sendRawTransaction({ serializedTransaction: raw });
    await waitFor(async () => (await free(player)) === 5n, { what: "the second credit" });
    await world.settle();
    expect(await world.held(world.base.usdc, world.vault)).toBe(5n);
    expect(await world.query("SELECT inclusion FROM chain_log WHERE tx_hash = $1", [hash])).toEqual([
      { inclusion: 2 },
    ]);
  });

  it("that was spent before it fell out is borne by the house, to the unit (SAFETY 11)", async () => {
    world.watch();
    await world.caughtUp();
    const player = await funded(1_000n);
    await player.pay({ token: world.base.usdc, to: player.depositAddress, amount: 100n });
    await waitFor(async () => (await free(player)) === 100n, { what: "the credit" });
    // 30 of it are staked elsewhere by the time the block vanishes.
    const { post } = await import("../../engine/services/ledger.ts");
    const { transaction } = await import("../../engine/db/pool.ts");
    await transaction(world.context.pool, (tx) =>
      post(
        tx,
        [
          {
            from: { kind: "player.available", playerId: player.id },
            to: { kind: "player.held", playerId: player.id },
            token: world.base.usdc,
            amount: 30n,
            reason: "hold",
            key: "test:hold",
          },
        ],
        { cause: "test" },
      ),
    );
    await world.base.reorg(1);
    await world.base.mine(1);
    await waitFor(async () => (await free(player)) === 0n, { what: "the credit to be taken back" });
    expect(await world.query("SELECT balance FROM account WHERE kind = 'house.loss'")).toEqual([
      { balance: "30" },
    ]);
    expect(await world.query("SELECT balance FROM account WHERE kind = 'player.held'")).toEqual([
      { balance: "30" },
    ]);
  });

  it("from somebody unknown to the vault waits in suspense; from an owner it is credited", async () => {
    world.watch();
    await world.caughtUp();
    const owner = await funded(50n);
    await owner.pay({ token: world.base.usdc, to: world.vault, amount: 50n });
    await world.base.mint(world.base.usdc, world.vault, 9n);
    await waitFor(async () => (await free(owner)) === 50n, { what: "the owner's credit" });
    await waitFor(
      async () =>
        (await world.query("SELECT 1 FROM deposit WHERE suspense_cause = 'minted' AND credited")).length ===
        1,
      { what: "the suspense item" },
    );
    expect(await world.query("SELECT balance FROM account WHERE kind = 'suspense'")).toEqual([
      { balance: "9" },
    ]);
  });

  it("made while nobody watched is found afterwards, once (SAFETY 7)", async () => {
    const stop = world.watch();
    await world.caughtUp();
    await stop();
    const player = await funded(1_000n);
    for (const amount of [1n, 2n, 3n])
      await player.pay({ token: world.base.usdc, to: player.depositAddress, amount });
    await world.base.mine(20);
    world.watch();
    world.watch();
    await waitFor(async () => (await free(player)) === 6n, { what: "the credits" });
    expect(await world.query("SELECT count(*) FROM deposit")).toEqual([{ count: "3" }]);
  });

  it("of the largest amount there is stays exact from the chain to the screen", async () => {
    world.watch();
    await world.caughtUp();
    const player = await world.player();
    const most = 2n ** 256n - 1n;
    const supply = await world.base.testClient.readContract({
      address: world.base.openwork,
      abi: [
        {
          type: "function",
          name: "totalSupply",
          inputs: [],
          outputs: [{ type: "uint256" }],
          stateMutability: "view",
        },
      ],
      functionName: "totalSupply",
    });
    await world.base.mint(world.base.openwork, player.depositAddress, most - supply);
    await waitFor(async () => (await free(player, world.base.openwork)) === most - supply, {
      what: "the credit",
    });
  });
});
