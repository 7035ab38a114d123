import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readCursor } from "../../engine/db/cursor.ts";
import { confirmRound } from "../../engine/services/confirming.ts";
import { readOverview } from "../../engine/services/overview.ts";
import { noteProviders } from "../../engine/services/providers.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { mintTokenToEach } from "../../scripts/local/accounts.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { createMoneyWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { behindHead, doubled, everything, html, liar, type RawLog, replyTo } from "../helpers/rpc-faults.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { ask, payBy, stateOf } from "../helpers/sender.ts";
import { freeOf } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";

let world: MoneyWorld;
let first: RpcProxy;
let second: RpcProxy;
beforeEach(async () => {
  world = await createMoneyWorld({}, async ({ rpcUrl }) => {
    [first, second] = await Promise.all([startRpcProxy(rpcUrl), startRpcProxy(rpcUrl)]);
    return [first.rpcUrl, second.rpcUrl];
  });
  world.watch();
  await world.caughtUp();
});
afterEach(async () => {
  await expectBooksToBalance(world.context);
  await world.stop();
  await Promise.all([first.stop(), second.stop()]);
});

const patience = { timeoutMs: 20_000 };
const mint = (player: MoneyPlayer, amount: bigint) =>
  world.base.mint(world.base.usdc, player.depositAddress, amount);
const depositOf = async (player: MoneyPlayer) => {
  const [row] = await world.query<{ state: string; amount: string; block: string }>(
    `SELECT state, deposit.amount, block_number AS block FROM deposit JOIN chain_log ON chain_log.id = chain_log_id
     WHERE player_id = $1 AND state <> 'orphaned'`,
    [player.id],
  );
  return row;
};
const becomes = (player: MoneyPlayer, state: string) =>
  waitFor(async () => (await depositOf(player))?.state === state, {
    what: `a ${state} deposit`,
    ...patience,
  });
const finalized = async (): Promise<bigint> => (await readCursor(world.context.pool))?.finalized_number ?? 0n;
const disagreements = () => world.chain.health().map(({ disagreement }) => disagreement);
const breaches = () =>
  world.query<{ invariant: string }>("SELECT invariant FROM breach WHERE lifted_at IS NULL");
/** Until the providers have been compared so often again. */
async function compared(times = 3): Promise<void> {
  const before = second.count("eth_getLogs");
  await waitFor(() => second.count("eth_getLogs") >= before + times, { what: "comparisons", ...patience });
}
/** Without logs to give, so that the other one is heard. */
const mute = replyTo("eth_getLogs", () => ({ error: { code: -32_000, message: "busy" } }));
const touches = ({ depositAddress }: MoneyPlayer, { topics }: RawLog): boolean =>
  topics[2]?.endsWith(depositAddress.slice(2).toLowerCase()) === true;

describe("two providers that agree", () => {
  it("make a deposit final, collect it and pay it out, to the unit (SAFETY 26)", async () => {
    const player = await world.player();
    await mint(player, 700n);
    await world.base.mine(6);
    await becomes(player, "final");
    await ask(world, player, 300n);
    await world.settle();
    expect(await world.held(world.base.usdc, player.address)).toBe(300n);
    expect(await world.held(world.base.usdc, world.vault)).toBe(400n);
    expect(disagreements()).toEqual([null, null]);
  });
});

describe("a deposit that one of two providers forges", () => {
  it("is never final on its word alone, and what was made of it is taken back (SAFETY 26)", async () => {
    first.setFaults(liar((logs) => logs.map(doubled)));
    second.setFaults(mute);
    const player = await world.player();
    await mint(player, 5n);
    await waitFor(async () => (await freeOf(world, player.id)) === 10n, {
      what: "the liar's word",
      ...patience,
    });
    second.setFaults();
    await expect(ask(world, player, 10n)).rejects.toThrow(/rejected/);
    await world.base.mine(10);
    await world.caughtUp();
    await compared();
    await sendRound(world.context, { fence: world.fence });
    const held = await depositOf(player);
    expect(held).toMatchObject({ state: "playable", amount: "10" });
    const last = BigInt(held?.block ?? 0) - 1n;
    await waitFor(async () => (await finalized()) >= last, {
      what: "the block before it to be final",
      ...patience,
    });
    await compared();
    expect(await finalized()).toBe(last);
    expect(disagreements()).toEqual([
      expect.stringMatching(/only it tells of 10 of 0x/),
      expect.stringMatching(/only it tells of 5 of 0x/),
    ]);
    expect(await world.query("SELECT 1 FROM chain_tx")).toEqual([]);

    // The liar is mended: now two deny what the books hold.
    first.setFaults();
    await waitFor(async () => (await breaches()).length === 1, { what: "the alarm", ...patience });
    await world.base.mine(1);
    await waitFor(async () => (await depositOf(player))?.amount === "5", { what: "the truth", ...patience });
    expect(await breaches()).toEqual([{ invariant: "transfer denied" }]);
    await expectBooksToBalance(world.context);
    expect(await freeOf(world, player.id)).toBe(5n);
  });

  it("out of nothing is never final either (SAFETY 26)", async () => {
    const player = await world.player();
    const other = await world.player();
    const topic = `0x${player.depositAddress.slice(2).toLowerCase().padStart(64, "0")}`;
    // A second log in the transaction of a real one: bloom filter and block are in order.
    first.setFaults(
      liar((logs) =>
        logs.flatMap((log) =>
          touches(other, log)
            ? [log, { ...log, topics: [log.topics[0] ?? "", log.topics[1] ?? "", topic], logIndex: "0x7" }]
            : [log],
        ),
      ),
    );
    second.setFaults(mute);
    await mint(other, 40n);
    await waitFor(async () => (await freeOf(world, player.id)) === 40n, {
      what: "the liar's word",
      ...patience,
    });
    second.setFaults();
    await world.base.mine(10);
    await world.caughtUp();
    await compared();
    expect((await depositOf(player))?.state).toBe("playable");
    first.setFaults();
    await waitFor(async () => (await breaches()).length === 1, { what: "the alarm", ...patience });
    await world.base.mine(8);
    await waitFor(async () => (await freeOf(world, player.id)) === 0n, { what: "nothing left", ...patience });
    await waitFor(async () => (await freeOf(world, other.id)) === 40n, { what: "the real one", ...patience });
  });

  it("by the second isn't final either, and the first alone doesn't make the truth final (SAFETY 26)", async () => {
    second.setFaults(liar((logs) => logs.map(doubled)));
    const player = await world.player();
    await mint(player, 5n);
    await world.base.mine(10);
    await world.caughtUp();
    await compared();
    expect((await depositOf(player))?.state).toBe("playable");
    second.setFaults();
    await waitFor(
      async () => {
        await world.base.mine(1);
        return (await depositOf(player))?.state === "final";
      },
      { what: "finality", everyMs: 100, ...patience },
    );
    expect((await depositOf(player))?.amount).toBe("5");
    await world.base.mine(6);
    await waitFor(() => disagreements().every((one) => one === null), { what: "harmony", ...patience });
  });
});

describe("a deposit that one of two providers leaves out", () => {
  /** Two deposits in one block, so that the block doesn't seem empty without one. */
  const bothInOneBlock = (player: MoneyPlayer, other: MoneyPlayer): Promise<void> =>
    mintTokenToEach(world.base.rpcUrl, world.base.usdc, [other.depositAddress, player.depositAddress], 8n);

  it("in its logs only is found before its block is final, and credited once (SAFETY 25)", async () => {
    const [player, other] = [await world.player(), await world.player()];
    first.setFaults(
      replyTo("eth_getLogs", async ({ forward }) => {
        const reply = await forward();
        return typeof reply === "object" && "result" in reply
          ? { result: (reply.result as RawLog[]).filter((log) => !touches(player, log)) }
          : reply;
      }),
    );
    await bothInOneBlock(player, other);
    await world.base.mine(8);
    await becomes(player, "final");
    expect(await freeOf(world, player.id)).toBe(8n);
    expect(await freeOf(world, other.id)).toBe(8n);
    expect(disagreements()[0]).toMatch(/it doesn't tell of 8 of 0x/);
  });

  it("everywhere holds up finality until they agree; nothing is skipped (SAFETY 25)", async () => {
    const [player, other] = [await world.player(), await world.player()];
    first.setFaults(liar((logs) => logs.filter((log) => !touches(player, log))));
    await bothInOneBlock(player, other);
    await world.base.mine(8);
    await world.caughtUp();
    await compared();
    expect((await depositOf(other))?.state).toBe("playable");
    expect(await depositOf(player)).toBeUndefined();
    expect(disagreements()[1]).toMatch(/only it tells of 8 of 0x/);
    await noteProviders(world.context);
    const overview = await readOverview(world.context);
    expect(overview.ok && overview.value.providers).toMatchObject([
      { url: first.rpcUrl, ok: true, agrees: false, note: expect.stringContaining("it doesn't tell of 8") },
      { url: second.rpcUrl, ok: true, agrees: false, note: expect.stringContaining("only it tells of 8") },
    ]);
    first.setFaults();
    await becomes(player, "final");
    await becomes(other, "final");
    expect(await freeOf(world, player.id)).toBe(8n);
  });
});

describe("one of two providers", () => {
  it.each([
    ["cut off", everything("cut")],
    ["answering HTML", everything(html)],
    ["without logs to give", mute],
    ["5 blocks behind", behindHead(5n)],
  ])("%s: deposits are credited, and final only when it is back (SAFETY 26)", async (_, fault) => {
    const player = await world.player();
    second.setFaults(fault);
    await mint(player, 5n);
    await waitFor(async () => (await freeOf(world, player.id)) === 5n, { what: "the credit", ...patience });
    await world.base.mine(4);
    await world.caughtUp();
    const polls = first.count("eth_getBlockByNumber");
    await waitFor(() => first.count("eth_getBlockByNumber") > polls + 60, { what: "polls", ...patience });
    expect((await depositOf(player))?.state).toBe("playable");
    second.setFaults();
    await becomes(player, "final");
  });

  it.each([
    ["first", "failed", { status: "0x0", logs: [] }],
    ["second", "failed", { status: "0x0", logs: [] }],
    ["first", "is in no block yet", null],
    ["second", "is in no block yet", null],
  ])(
    "the %s, that says each transaction of ours %s, doesn't have it parked or paid again (SAFETY 26)",
    async (which, _, said) => {
      payBy(world.context, "plain");
      const player = await world.player();
      await mint(player, 50n);
      await world.base.mine(6);
      await becomes(player, "final");
      const lie = replyTo("eth_getTransactionReceipt", async ({ forward }) => {
        const reply = await forward();
        if (typeof reply !== "object" || !("result" in reply) || reply.result === null) return reply;
        return { result: said === null ? null : { ...(reply.result as object), ...said } };
      });
      (which === "first" ? first : second).setFaults(lie);
      const instructionId = await ask(world, player, 50n);
      // The vault's ether is on its way: no log tells of that, so that only receipts can.
      const topup = async () =>
        (await world.query<{ state: string }>("SELECT state FROM instruction WHERE kind = 'topup'"))[0]
          ?.state;
      await waitFor(
        async () => {
          await sendRound(world.context, { fence: world.fence });
          await world.base.mine(1);
          return (
            (await topup()) === "sending" &&
            (await world.base.testClient.getBalance({ address: world.vault })) > 0n
          );
        },
        { what: "the top-up in a block", everyMs: 50, ...patience },
      );
      await world.base.mine(6);
      const head = await world.base.testClient.getBlockNumber();
      await waitFor(async () => (await finalized()) >= head - 3n, { what: "finality", ...patience });
      await confirmRound(world.context);
      expect(await topup()).toBe("sending");
      first.setFaults();
      second.setFaults();
      await world.settle();
      expect(await topup()).toBe("final");
      expect(await stateOf(world, instructionId)).toBe("final");
      expect(await world.held(world.base.usdc, player.address)).toBe(50n);
      const paid =
        "SELECT count(*) FROM instruction_tx JOIN instruction ON instruction.id = instruction_id WHERE kind = 'withdrawal'";
      expect(await world.query(paid)).toEqual([{ count: "1" }]);
    },
  );
});
