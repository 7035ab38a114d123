import pg from "pg";
import type { Address } from "viem";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LostLeaseError } from "../../engine/db/lease.ts";
import { confirmRound } from "../../engine/services/confirming.ts";
import type { Settings } from "../../engine/services/context.ts";
import { readOverview } from "../../engine/services/overview.ts";
import { changeMe } from "../../engine/services/players.ts";
import { prepare } from "../../engine/services/preparing.ts";
import { accept, propose } from "../../engine/services/proposals.ts";
import { sendRound, signWhatIsPrepared } from "../../engine/services/sending.ts";
import { sweep } from "../../engine/services/sweep.ts";
import { delegationTo, executorOf } from "../../wallets/executor.ts";
import { SigningRefusedError } from "../../wallets/policy-codes.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import {
  createMoneyWorld,
  createWatchedWorld,
  houseAddress,
  type MoneyPlayer,
  type MoneyWorld,
} from "../helpers/money-world.ts";
import { actAsIssuer } from "../helpers/other-hands.ts";
import {
  ask,
  expectEachPaidOnce,
  readyToWithdraw,
  type Sender,
  startSender,
  stateOf,
  stopMining,
} from "../helpers/sender.ts";
import { finalize, funded, operator } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";
import { keyFor, offerBy, report, value } from "./wager-world.ts";

let world: MoneyWorld;
afterEach(() => world.stop());

async function begin(settings: Partial<Settings>): Promise<void> {
  world = await createWatchedWorld(settings);
}
const start = (settings: Partial<Settings> = {}): Promise<Sender> => startSender(world, { settings });
async function askFor(count: number, player: Awaited<ReturnType<typeof readyToWithdraw>>): Promise<string[]> {
  const asked: string[] = [];
  for (let index = 1; index <= count; index += 1) asked.push(await ask(world, player, BigInt(index)));
  return asked;
}
/** How many transactions each of our wallets has sent, and how many instructions each of them paid. */
const sent = () =>
  world.query<{ purpose: string; paid: string }>(
    `SELECT purpose, count(instruction_id) AS paid FROM chain_tx JOIN wallet ON wallet.id = wallet_id
       JOIN chain_tx_instruction ON chain_tx_id = chain_tx.id GROUP BY purpose, chain_tx.id ORDER BY chain_tx.id`,
  );
/** As if another version, with an executor of its own, had prepared what the vault pays. */
async function authorisedAnother(): Promise<void> {
  const owner = new pg.Client({ connectionString: world.database.ownerUrl });
  await owner.connect();
  await owner.query(
    "UPDATE authorisation SET executor = $1 FROM wallet WHERE wallet.id = wallet_id AND purpose = 'vault'",
    [houseAddress],
  );
  await owner.end();
}
const codeOf = (address: Address) => world.base.testClient.getCode({ address });

describe("payouts of one wallet by batch", () => {
  beforeEach(() => begin({ payouts: "batch" }));

  it("that are due together are one transaction of the gas wallet, and the wallet that pays never holds ether", async () => {
    const player = await readyToWithdraw(world, 1_000n);
    await world.base.setEther(world.vault, 0n);
    await askFor(18, player);
    await (await start()).settle();
    expect(await sent()).toEqual([{ purpose: "gas", paid: "18" }]);
    expect(await world.held(world.base.usdc, player.address)).toBe(171n);
    expect(await world.base.testClient.getBalance({ address: world.vault })).toBe(0n);
    expect(await codeOf(world.vault)).toBe(delegationTo(executorOf(world.gas)));
    await expectEachPaidOnce(world, 18);

    // The second time the vault needs no authorisation any more.
    await askFor(2, player);
    await (await start()).settle();
    expect(await world.query("SELECT nonce FROM authorisation")).toEqual([{ nonce: "0" }]);
    await expectEachPaidOnce(world, 20);
  });

  it("in a token that doesn't say who holds what wait, and hold up no other", async () => {
    const player = await readyToWithdraw(world, 1_000n);
    const { openwork, testClient } = world.base;
    const silenced = await ask(world, player, 1n);
    await world.base.mint(openwork, world.vault, 5n);
    await finalize(world);
    await world.query(
      `INSERT INTO instruction (kind, source_wallet_id, token, destination, amount, cause)
       SELECT 'refund', id, $1, $2, 5, 'test' FROM wallet WHERE purpose = 'vault'`,
      [openwork, player.address],
    );
    const usdc = { address: world.base.usdc, bytecode: await codeOf(world.base.usdc) };
    // PUSH0 PUSH0 REVERT
    await testClient.setCode({ address: usdc.address, bytecode: "0x5f5ffd" });
    const sender = await start();
    await sender.round();
    expect(await stateOf(world, silenced)).toBe("queued");
    expect(await sent()).toEqual([{ purpose: "gas", paid: "1" }]);
    await testClient.setCode({ address: usdc.address, bytecode: usdc.bytecode ?? "0x" });
    await sender.settle();
    expect(await stateOf(world, silenced)).toBe("final");
    expect(await world.held(openwork, player.address)).toBe(5n);
  });

  it("with a recipient whom the token refuses: that one is parked, the others are paid in the same block (SAFETY 22)", async () => {
    const [free, blocked] = [await readyToWithdraw(world, 1_000n), await readyToWithdraw(world, 1_000n)];
    await actAsIssuer(world, { functionName: "blacklist", args: [blocked.address] });
    await world.base.mine(1);
    await askFor(5, free);
    const refused = await ask(world, blocked, 100n);
    await askFor(5, free);
    await (await start()).settle();
    expect(await stateOf(world, refused)).toBe("parked");
    expect(await sent()).toEqual([{ purpose: "gas", paid: "10" }]);
    await expectEachPaidOnce(world, 10);
  });

  it("of whom one is refused between simulation and block: nobody is paid by it, and then all others are, each once", async () => {
    const [free, blocked] = [await readyToWithdraw(world, 1_000n), await readyToWithdraw(world, 1_000n)];
    await stopMining(world);
    const others = await askFor(3, free);
    const refused = await ask(world, blocked, 100n);
    const sender = await start();
    await sender.round();
    await actAsIssuer(world, { functionName: "blacklist", args: [blocked.address] });
    await world.base.mine(1);
    await world.caughtUp();
    await confirmRound(sender.context);
    // Not final yet: another block could still hold the transaction, with another end.
    expect(await Promise.all(others.map((id) => stateOf(world, id)))).toEqual(Array(3).fill("sending"));
    await sender.settle();
    expect(await Promise.all(others.map((id) => stateOf(world, id)))).toEqual(Array(3).fill("final"));
    expect(await stateOf(world, refused)).toBe("parked");
    // Four together, in vain; then each by itself.
    expect((await sent()).map(({ paid }) => paid)).toEqual(["4", "1", "1", "1"]);
    await expectEachPaidOnce(world, 3);
  });

  it("to holders who empty their wallets between simulation and block are paid all the same, by the same transaction", async () => {
    const holders: MoneyPlayer[] = [];
    while (holders.length < 6) holders.push(await world.player());
    const payAll = (to: Address, amount: bigint) =>
      Promise.all(holders.map((holder) => holder.pay({ token: world.base.usdc, to, amount })));
    for (const { address } of holders) await world.base.mint(world.base.usdc, address, 3n);
    await payAll(world.vault, 2n);
    await finalize(world);
    for (const holder of holders) await ask(world, holder, 2n);
    const sender = await start();
    expect(await prepare(sender.context, sender.leadership)).toBe(holders.length);
    await payAll(houseAddress, 1n);
    await sender.settle();
    expect(await sent()).toEqual([{ purpose: "gas", paid: `${holders.length}` }]);
    await expectEachPaidOnce(world, holders.length);
  });

  it("of which the chain shows one otherwise than it was owed are a breach, and none of them is paid again", async () => {
    const player = await readyToWithdraw(world, 1_000n);
    await stopMining(world);
    const asked = await askFor(2, player);
    const sender = await start();
    await sender.round();
    await world.query("UPDATE instruction SET amount = amount + 1 WHERE id = $1", [asked[1]]);
    await finalize(world);
    await confirmRound(sender.context);
    expect(await world.query("SELECT detail FROM breach WHERE invariant = 'batch in part'")).toEqual([
      { detail: expect.stringContaining("1 of 2 payments") },
    ]);
    await sender.round();
    expect(await Promise.all(asked.map((id) => stateOf(world, id)))).toEqual(["sending", "sending"]);
    expect(await sent()).toEqual([{ purpose: "gas", paid: "2" }]);
  });

  it("are no more than 150 to a transaction, and of the same amount to the same address each is paid once", async () => {
    const player = await readyToWithdraw(world, 100_000n);
    for (let asked = 0; asked < 160; asked += 40)
      await Promise.all(Array.from({ length: 40 }, () => ask(world, player, 7n)));
    await (await start()).settle();
    expect((await sent()).map(({ paid }) => paid)).toEqual(["150", "10"]);
    expect(await world.held(world.base.usdc, player.address)).toBe(160n * 7n);
    await expectEachPaidOnce(world, 160);
  });

  it("have both nonces given back when the signer refuses one, which is parked, and the others are paid", async () => {
    const player = await readyToWithdraw(world, 1_000n);
    const asked = await askFor(3, player);
    const sender = await start();
    await prepare(sender.context, sender.leadership);
    const { signBatch } = sender.context.signer;
    const refusal = new SigningRefusedError(
      { code: "destination_not_allowed", message: "no" },
      asked[1] ?? null,
    );
    sender.context.signer.signBatch = () => Promise.reject(refusal);
    await signWhatIsPrepared(sender.context, sender.leadership);
    expect(await world.query("SELECT next_nonce FROM wallet WHERE purpose IN ('vault', 'gas')")).toEqual([
      { next_nonce: "0" },
      { next_nonce: "0" },
    ]);
    expect(await world.query("SELECT 1 FROM authorisation")).toEqual([]);
    sender.context.signer.signBatch = signBatch.bind(sender.context.signer);
    await sender.settle();
    expect(await Promise.all(asked.map((id) => stateOf(world, id)))).toEqual(["final", "parked", "final"]);
    await expectEachPaidOnce(world, 2);
  });

  it("that another version has prepared, for its own executor, are prepared anew and paid once", async () => {
    const player = await readyToWithdraw(world, 1_000n);
    await askFor(3, player);
    const before = await start();
    expect(await prepare(before.context, before.leadership)).toBe(3);
    await authorisedAnother();
    // One more that waits: it has the wallet authorise ours only when the other version's is out of the way.
    await askFor(1, player);
    const sender = await start();
    await sender.round();
    expect(await sent()).toEqual([]);
    expect(await world.query("SELECT next_nonce FROM wallet WHERE purpose IN ('vault', 'gas')")).toEqual([
      { next_nonce: "0" },
      { next_nonce: "0" },
    ]);
    await world.query("UPDATE instruction SET not_before = now()");
    await sender.settle();
    expect(await codeOf(world.vault)).toBe(delegationTo(executorOf(world.gas)));
    await expectEachPaidOnce(world, 4);
  });

  it("that another version has sent, to its own executor, keep their bytes and hold up no higher fee; then the wallet authorises ours", async () => {
    const player = await readyToWithdraw(world, 1_000n);
    await world.base.mint(world.base.usdc, player.depositAddress, 5n);
    await finalize(world);
    await stopMining(world);
    await askFor(3, player);
    await (await start()).round();
    await authorisedAnother();
    const sender = await start({ stuckAfterMs: 0 });
    await sender.round();
    await askFor(2, player);
    await sender.round();
    const attempts = await world.query(
      `SELECT kind, count(DISTINCT hash) FROM attempt JOIN chain_tx_instruction USING (chain_tx_id)
         JOIN instruction ON instruction.id = instruction_id GROUP BY kind ORDER BY kind`,
    );
    // The collection goes behind it.
    expect(attempts).toEqual([
      { kind: "collect", count: "3" },
      { kind: "withdrawal", count: "1" },
    ]);
    await sender.settle();
    expect((await sent()).map(({ paid }) => paid)).toEqual(["3", "1", "2"]);
    expect(
      await world.query(
        "SELECT nonce, executor FROM authorisation JOIN wallet ON id = wallet_id WHERE purpose = 'vault' ORDER BY nonce",
      ),
    ).toEqual([
      { nonce: "0", executor: houseAddress },
      { nonce: "1", executor: executorOf(world.gas) },
    ]);
    await expectEachPaidOnce(world, 5);
  });

  it("wait while their wallet is frozen, though the gas wallet isn't, and hold up nobody", async () => {
    const player = await readyToWithdraw(world, 1_000n);
    const asked = await ask(world, player, 7n);
    // It has waited for long enough; that a nonce is spent on it and comes back, and that it is put off, is no news of it.
    await world.query("UPDATE instruction SET changed_at = now() - interval '12 minutes'");
    const sender = await start();
    await prepare(sender.context, sender.leadership);
    await world.query("UPDATE wallet SET frozen_reason = 'a look' WHERE purpose = 'vault'");
    await sender.round();
    expect(await stateOf(world, asked)).toBe("queued");
    expect(await sent()).toEqual([]);
    expect(value(await readOverview(world.context))).toMatchObject({ instructionsStuck: 1 });
    await world.query("UPDATE wallet SET frozen_reason = NULL WHERE purpose = 'vault'");
    await world.query("UPDATE instruction SET not_before = now()");
    await sender.settle();
    await expectEachPaidOnce(world, 1);
  });

  it("wait while the gas wallet is frozen, and no nonce is spent on them", async () => {
    const player = await readyToWithdraw(world, 1_000n);
    await ask(world, player, 7n);
    const sender = await start();
    const freeze = (reason: string | null) =>
      world.query("UPDATE wallet SET frozen_reason = $1 WHERE purpose = 'gas'", [reason]);
    await freeze("a look");
    await sender.round();
    expect(await world.query("SELECT FROM chain_tx JOIN wallet ON wallet.id = wallet_id")).toEqual([]);
    await freeze(null);
    await sender.settle();
    await expectEachPaidOnce(world, 1);
  });

  it("that were to go in two transactions and come back together stay two, and hold up nobody", async () => {
    const player = await readyToWithdraw(world, 1_000n);
    const sender = await start();
    for (const amount of [5n, 6n]) {
      await world.base.mint(world.base.usdc, player.depositAddress, amount);
      await world.caughtUp();
      await finalize(world);
      expect(await prepare(sender.context, sender.leadership)).toBe(1);
    }
    const freeze = (reason: string | null) =>
      world.query("UPDATE wallet SET frozen_reason = $2 WHERE address = $1", [player.depositAddress, reason]);
    await freeze("a look");
    const asked = await ask(world, player, 7n);
    await sender.round();
    expect(
      await world.query("SELECT state, amount FROM instruction WHERE kind = 'collect' ORDER BY id"),
    ).toEqual([
      { state: "queued", amount: "5" },
      { state: "queued", amount: "6" },
    ]);
    await waitFor(
      async () => {
        await sender.round();
        await world.base.mine(1);
        await confirmRound(sender.context);
        return (await stateOf(world, asked)) === "final";
      },
      { what: "the withdrawal to be paid", timeoutMs: 20_000, everyMs: 50 },
    );
    await freeze(null);
    await sender.settle();
    expect(await world.held(world.base.usdc, player.depositAddress)).toBe(0n);
    await expectEachPaidOnce(world, 1);
  });

  it("goes for the escrow of a game and for its rake as well, and no wallet but the gas wallet ever holds ether", async () => {
    const [red, blue] = [await funded(world, 1_000n), await funded(world, 1_000n)];
    value(await changeMe(world.context, red.id, { winningsTo: "wallet" }));
    const stakes = { proposerStake: 300n, takerStake: 200n, token: world.base.usdc };
    const { id: proposalId } = value(await propose(world.context, offerBy(red.id, stakes)));
    const taken = { by: blue.id, idempotency: keyFor(blue.id), proposalId };
    const { gameId } = value(await accept(world.context, taken));
    const sender = await start();
    await sender.settle();
    for (const { id } of [red, blue]) value(await report(world.context, id, gameId, "red"));
    await sender.settle();
    expect(await world.held(world.base.usdc, red.address)).toBe(475n);
    const by = await operator(world);
    value(await sweep(world.context, { by, token: world.base.usdc, dryRun: false, confirmTotal: 25n }));
    await world.query("UPDATE instruction SET not_before = now() WHERE kind = 'sweep'");
    await sender.settle();
    const kinds = await world.query<{ kind: string }>("SELECT DISTINCT kind FROM instruction ORDER BY kind");
    expect(kinds.map(({ kind }) => kind)).toEqual(["collect", "fund", "payout", "sweep"]);
    const wallets = await world.query<{ address: Address }>(
      "SELECT address FROM wallet WHERE purpose <> 'gas' AND next_nonce > 0",
    );
    // Two deposit addresses, the vault and the escrow have authorised the executor, and have sent nothing.
    expect(wallets).toHaveLength(4);
    for (const { address } of wallets) expect(await world.base.testClient.getBalance({ address })).toBe(0n);
    expect(new Set((await sent()).map(({ purpose }) => purpose))).toEqual(new Set(["gas"]));
    await expectBooksToBalance(world.context, { onChain: true });
  });
});

describe("a change of how payouts are made", () => {
  it("lets what is under way one way come to its end first, both ways, and everything is paid once", async () => {
    await begin({ payouts: "batch" });
    const player = await readyToWithdraw(world, 1_000n);
    await stopMining(world);
    const first = await ask(world, player, 1n);
    await (await start({ payouts: "plain" })).round();
    const second = await ask(world, player, 20n);
    const batching = await start();
    await batching.round();
    expect([await stateOf(world, first), await stateOf(world, second)]).toEqual(["sending", "queued"]);
    await batching.settle();
    const third = await ask(world, player, 300n);
    await batching.round();
    const fourth = await ask(world, player, 400n);
    const plain = await start({ payouts: "plain" });
    await plain.round();
    expect([await stateOf(world, third), await stateOf(world, fourth)]).toEqual(["sending", "queued"]);
    await plain.settle();
    expect((await sent()).map(({ purpose }) => purpose)).toEqual(["vault", "gas", "gas", "vault"]);
    await expectEachPaidOnce(world, 4);
  });
});

describe("an executor that isn't there", () => {
  const deployments = () =>
    world.query("SELECT destination, amount, state FROM instruction WHERE kind = 'deploy'");

  it("is deployed by the gas wallet, once, when it has ether; until then payouts wait", async () => {
    await begin({ payouts: "plain" });
    const player = await readyToWithdraw(world, 1_000n);
    const executor = executorOf(world.gas) as Address;
    await world.base.setEther(world.gas, 0n);
    await ask(world, player, 1n);
    const sender = await start({ payouts: "batch" });
    await sender.round();
    expect(await deployments()).toEqual([{ destination: executor, amount: "0", state: "queued" }]);
    expect(await sent()).toEqual([]);
    await world.base.setEther(world.gas, 10n ** 18n);
    await sender.settle();
    expect(await codeOf(executor)).toBeDefined();
    await ask(world, player, 20n);
    await ask(world, player, 300n);
    await sender.settle();
    expect((await sent()).map(({ purpose, paid }) => `${purpose} ${paid}`)).toEqual([
      "gas 1",
      "gas 1",
      "gas 2",
    ]);
    expect(await world.query("SELECT kind FROM instruction WHERE kind IN ('topup', 'deploy')")).toEqual([
      { kind: "deploy" },
    ]);
    await expectEachPaidOnce(world, 3);
  });

  it("isn't deployed while a breach stands, nor under an older lease; then it is", async () => {
    world = await createMoneyWorld({ payouts: "plain" });
    await world.base.setEther(world.gas, 0n);
    const { context, leadership, round } = await start({ payouts: "batch" });
    await world.query("INSERT INTO breach (invariant, detail) VALUES ('test', 'a deployment')");
    expect(await round()).toBe(false);
    expect(await deployments()).toEqual([]);
    await world.query(
      "UPDATE breach SET lifted_at = now(), lifted_by = 'test', lift_reason = 'looked at' WHERE lifted_at IS NULL",
    );
    await expect(sendRound(context, { fence: leadership.fence - 1 })).rejects.toThrow(LostLeaseError);
    expect(await deployments()).toEqual([]);
    await round();
    expect(await deployments()).toMatchObject([{ state: "queued" }]);
  });
});
