/** SAFETY 24: money that leaves an escrow wallet by a hand that isn't ours. */
import { type Address, encodeFunctionData, erc20Abi, type Hex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readStandingBreaches } from "../../engine/db/breaches.ts";
import { liftBreach } from "../../engine/services/overview.ts";
import { refundSuspense } from "../../engine/services/suspense.ts";
import { ensureSpareWallets } from "../../engine/services/wallets.ts";
import { createWatchedWorld, type MoneyWorld } from "../helpers/money-world.ts";
import { actAsThief } from "../helpers/other-hands.ts";
import { ask, readyToWithdraw, type Sender, startSender, stateOf } from "../helpers/sender.ts";
import { depositFrom, finalize, operator, payAsStranger } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";
import { codeOf } from "./wager-world.ts";

let world: MoneyWorld;
let sender: Sender;
let escrow: Address;
const thief = privateKeyToAccount(generatePrivateKey());

beforeEach(async () => {
  world = await createWatchedWorld();
  await ensureSpareWallets(world.context, "escrow", 2);
  const [wallet] = await world.query<{ address: Address }>(
    "SELECT address FROM wallet WHERE purpose = 'escrow' ORDER BY id LIMIT 1",
  );
  escrow = wallet?.address ?? "0x";
  sender = await startSender(world);
  for (const address of [escrow, thief.address]) await world.base.setEther(address, 10n ** 18n);
});
afterEach(() => world.stop());

/** The escrow's own key is in other hands. */
const withItsKey = (amount: bigint): Promise<Hex> =>
  actAsThief(world, {
    ...{ address: escrow, to: world.base.usdc, nonce: 0 },
    data: encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [thief.address, amount] }),
  });

/** It once approved somebody, who takes the money without any nonce of ours. */
async function withAnAllowance(amount: bigint): Promise<Hex> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: "approve", args: [thief.address, amount] });
  await actAsThief(world, { address: escrow, to: world.base.usdc, nonce: 0, data });
  await world.base.mine(1);
  const serializedTransaction = await thief.signTransaction({
    ...{ chainId: 8453, type: "eip1559", to: world.base.usdc, nonce: 0, gas: 200_000n },
    ...{ maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 10n },
    data: encodeFunctionData({
      abi: erc20Abi,
      functionName: "transferFrom",
      args: [escrow, thief.address, amount],
    }),
  });
  return world.base.testClient.sendRawTransaction({ serializedTransaction });
}

it.each([
  ["by its key", withItsKey],
  ["by an allowance", withAnAllowance],
])(
  "that leaves %s is called out by its hash with its block; only that wallet is frozen, and stays so (SAFETY 24)",
  async (_how, steal) => {
    const player = await readyToWithdraw(world, 1_000n);
    const stranger = await payAsStranger(world, { to: escrow, amount: 70n });
    const depositId = await depositFrom(world, stranger);
    await finalize(world);

    const hash = await steal(30n);
    await world.base.mine(1);
    await world.caughtUp();
    const breaches = await readStandingBreaches(world.context.pool);
    expect(breaches).toMatchObject([
      {
        invariant: "stray transfer",
        detail: expect.stringContaining(`30 of ${world.base.usdc} left wallet ${escrow} in ${hash}`),
      },
    ]);
    expect(await world.query("SELECT address FROM wallet WHERE frozen_reason IS NOT NULL")).toEqual([
      { address: escrow },
    ]);

    // Nothing leaves while it stands; once a person has looked, all but that wallet pay.
    const by = await operator(world);
    const withdrawal = await ask(world, player, 10n);
    expect(codeOf(await refundSuspense(world.context, { by, depositId, reason: "not a stake" }))).toBe("ok");
    expect(await sender.round()).toBe(false);
    expect(
      codeOf(
        await liftBreach(world.context, { by, breachId: breaches[0]?.id ?? "", reason: "only this key" }),
      ),
    ).toBe("ok");
    await waitFor(
      async () => {
        await sender.round();
        await world.base.mine(1);
        return (await stateOf(world, withdrawal)) === "final";
      },
      { what: "the withdrawal to be paid", timeoutMs: 20_000 },
    );
    expect(await world.held(world.base.usdc, player.address)).toBe(10n);
    expect(await world.query("SELECT state FROM instruction WHERE kind = 'refund'")).toEqual([
      { state: "queued" },
    ]);
    expect(await world.held(world.base.usdc, escrow)).toBe(40n);
  },
);
