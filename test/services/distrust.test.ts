/** What the chain is believed before money follows from it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAgreedReceipt } from "../../engine/chain/receipts.ts";
import { LostLeaseError } from "../../engine/db/lease.ts";
import { confirmRound } from "../../engine/services/confirming.ts";
import { prepare } from "../../engine/services/preparing.ts";
import { sendWhatIsSigned, signWhatIsPrepared } from "../../engine/services/sending.ts";
import { untilConnected } from "../helpers/chain.ts";
import { createMoneyWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { actAsIssuer } from "../helpers/other-hands.ts";
import { replyTo } from "../helpers/rpc-faults.ts";
import { startRpcProxy } from "../helpers/rpc-proxy.ts";
import {
  ask,
  attemptsOf,
  expectEachPaidOnce,
  payBy,
  readyToWithdraw,
  type Sender,
  startSender,
  stateOf,
  stopMining,
} from "../helpers/sender.ts";
import { finalize } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";

let world: MoneyWorld;
let sender: Sender;
let player: MoneyPlayer;
let unwatch: () => Promise<void>;
beforeAll(async () => {
  world = await createMoneyWorld();
  unwatch = world.watch();
  await world.caughtUp();
  player = await readyToWithdraw(world, 1_000n);
  await stopMining(world);
  sender = await startSender(world);
});
afterAll(() => world.stop());

/** As an operator does who has looked at what stands. */
const lift = () =>
  world.query(
    "UPDATE breach SET lifted_at = now(), lifted_by = 'test', lift_reason = 'looked at' WHERE lifted_at IS NULL",
  );

describe("a receipt", () => {
  it("of a block that the books don't hold is no payment, though it has a number of theirs (SAFETY 12)", async () => {
    await world.base.mine(1);
    await world.caughtUp();
    await unwatch();
    const asked = await ask(world, player, 7n);
    await sender.round();
    const [attempt] = await attemptsOf(world, asked);
    if (attempt === undefined) throw new Error("nothing was signed");
    const [books] = await world.query<{ head: string }>("SELECT head_number AS head FROM chain_cursor");
    // The last block of the books has another in its place now, which holds the payout; nobody has told the books yet.
    await world.base.reorg(1, [{ raw: attempt.raw, block: 0 }]);
    const receipt = await readAgreedReceipt(world.chain, attempt.hash, [world.base.usdc]);
    expect(receipt).toMatchObject({ found: true, succeeded: true, blockNumber: BigInt(books?.head ?? -1) });
    expect(await confirmRound(sender.context)).toBe(false);
    expect(await stateOf(world, asked)).toBe("sending");

    unwatch = world.watch();
    await sender.settle();
    await expectEachPaidOnce(world, 1);
  });

  it("of a payout that failed counts when its block is final, not before (SAFETY 22)", async () => {
    const asked = await ask(world, player, 5n);
    await sender.round();
    await actAsIssuer(world, { functionName: "blacklist", args: [player.address] });
    await world.base.mine(1);
    await world.caughtUp();
    const [attempt] = await attemptsOf(world, asked);
    const receipt = await readAgreedReceipt(world.chain, attempt?.hash ?? "", [world.base.usdc]);
    expect(receipt).toMatchObject({ found: true, succeeded: false });
    expect(await confirmRound(sender.context)).toBe(false);
    expect(await stateOf(world, asked)).toBe("sending");
    await actAsIssuer(world, { functionName: "unBlacklist", args: [player.address] });
    await finalize(world);
    expect(await confirmRound(sender.context)).toBe(true);
    expect(await stateOf(world, asked)).toBe("parked");
  });

  it("that was read before a reorg is of no failure when its number has become final since (SAFETY 12)", async () => {
    const asked = await ask(world, player, 6n);
    await sender.round();
    await actAsIssuer(world, { functionName: "blacklist", args: [player.address] });
    await world.base.mine(1);
    await world.caughtUp();
    const proxy = await startRpcProxy(world.base.rpcUrl);
    const chain = await untilConnected({
      rpcUrls: [proxy.rpcUrl],
      expectedChainId: 8453,
      requestTimeoutMs: 60_000,
    });
    let isAsleep = false;
    let wake = (): void => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    proxy.setFaults(
      replyTo("eth_getBlockByNumber", async ({ forward }) => {
        const reply = await forward();
        isAsleep = true;
        await woken;
        return reply;
      }),
    );
    const confirming = confirmRound({ ...sender.context, chain });
    await waitFor(async () => isAsleep, { what: "a receipt that is read" });
    await world.base.reorg(1);
    await actAsIssuer(world, { functionName: "unBlacklist", args: [player.address] });
    await finalize(world);
    wake();
    expect(await confirming).toBe(false);
    expect(await stateOf(world, asked)).toBe("sending");
    await sender.settle();
    expect(await stateOf(world, asked)).toBe("final");
    await chain.close();
    await proxy.stop();
  });
});

describe.each(["batch", "plain"] as const)("by %s payouts", (payouts) => {
  beforeAll(() => payBy(sender.context, payouts));

  it("nothing is spent, signed or noted under an older lease", async () => {
    const asked = await ask(world, player, 2n);
    const { context, leadership } = sender;
    const older = { fence: leadership.fence - 1 };
    const spent = () => world.query("SELECT 1 FROM instruction_tx WHERE instruction_id = $1", [asked]);
    // Gas comes first where the wallet pays by itself.
    await world.base.setEther(world.vault, 10n ** 18n);
    await expect(prepare(context, older)).rejects.toThrow(LostLeaseError);
    expect(await spent()).toEqual([]);
    expect(await prepare(context, leadership)).toBe(1);
    await expect(signWhatIsPrepared(context, older)).rejects.toThrow(LostLeaseError);
    expect(await attemptsOf(world, asked)).toEqual([]);
    expect(await signWhatIsPrepared(context, leadership)).toBe(1);
    await expect(sendWhatIsSigned(context, older)).rejects.toThrow(LostLeaseError);
    expect(await attemptsOf(world, asked)).toMatchObject([{ answer: null }]);
    await sender.settle();
    expect(await stateOf(world, asked)).toBe("final");
  });

  it("nothing leaves while a breach stands", async () => {
    const asked = await ask(world, player, 4n);
    await world.query("INSERT INTO breach (invariant, detail) VALUES ('test', $1)", [payouts]);
    expect(await sender.round()).toBe(false);
    expect(await stateOf(world, asked)).toBe("queued");
    await lift();
    await sender.settle();
    expect(await stateOf(world, asked)).toBe("final");
  });
});

describe("a wallet of which the chain knows more transactions than we do", () => {
  it.each(["batch", "plain"] as const)("spends no nonce, by %s payouts (SAFETY 24)", async (payouts) => {
    payBy(sender.context, payouts);
    const asked = await ask(world, player, 3n);
    const ours = await world.base.testClient.getTransactionCount({ address: world.vault });
    await world.base.testClient.setNonce({ address: world.vault, nonce: ours + 1 });
    expect(await prepare(sender.context, sender.leadership)).toBe(0);
    expect(await stateOf(world, asked)).toBe("queued");
    const breach = "SELECT FROM breach WHERE invariant = 'foreign nonce' AND lifted_at IS NULL";
    expect(await world.query(breach)).toHaveLength(1);
    expect(await world.query("SELECT purpose FROM wallet WHERE frozen_reason IS NOT NULL")).toEqual([
      { purpose: "vault" },
    ]);
    await world.base.testClient.setNonce({ address: world.vault, nonce: ours });
    await world.query("UPDATE wallet SET frozen_reason = NULL");
    await lift();
    await sender.settle();
    expect(await stateOf(world, asked)).toBe("final");
  });
});

// The last: what it does to the books stays.
describe("a batch", () => {
  it("of which the chain shows one payment otherwise than it was owed is a breach once, also after somebody has lifted it", async () => {
    const asked = [await ask(world, player, 1n), await ask(world, player, 20n)];
    payBy(sender.context, "batch");
    await sender.round();
    await world.query("UPDATE instruction SET amount = amount + 1 WHERE id = $1", [asked[1]]);
    await finalize(world);
    const breaches = () => world.query("SELECT lifted_by FROM breach WHERE invariant = 'batch in part'");
    for (let round = 0; round < 2; round += 1) expect(await confirmRound(sender.context)).toBe(false);
    expect(await breaches()).toEqual([{ lifted_by: null }]);
    await lift();
    expect(await confirmRound(sender.context)).toBe(false);
    expect(await breaches()).toEqual([{ lifted_by: "test" }]);
    // Nothing of it is paid again meanwhile.
    expect(await Promise.all(asked.map((id) => stateOf(world, id)))).toEqual(["sending", "sending"]);
  });
});
