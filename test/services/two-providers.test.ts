import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { toHex } from "viem";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { followByHand } from "../../engine/chain/follow.ts";
import { readCursor, readRecentBlocks } from "../../engine/db/cursor.ts";
import { giveUpLease } from "../../engine/db/lease.ts";
import { agreeUpTo } from "../../engine/services/agreeing.ts";
import { applyChainEvent } from "../../engine/services/chain-events.ts";
import { confirmRound } from "../../engine/services/confirming.ts";
import { readOverview } from "../../engine/services/overview.ts";
import { noteProviders } from "../../engine/services/providers.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { startChainWork } from "../../engine/workers/chain.ts";
import { readPlace } from "../../engine/workers/watcher.ts";
import { mintTokenToEach } from "../../scripts/local/accounts.ts";
import type { ProcessMark } from "../../scripts/local/processes.ts";
import { callNode } from "../../scripts/local/rpc.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { startFollowingNode } from "../helpers/following-node.ts";
import { createMoneyWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import {
  behindHead,
  doubled,
  emptyLogs,
  everything,
  html,
  liar,
  noReceipts,
  type RawLog,
  replyTo,
} from "../helpers/rpc-faults.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { ask, expectEachPaidOnce, payBy, readyToWithdraw, stateOf, stopMining } from "../helpers/sender.ts";
import { freeOf } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";

/** For nodes that are silent here. The others have to answer within it, too. */
const shortPatienceMs = 5_000;

let world: MoneyWorld;
let first: RpcProxy;
let second: RpcProxy;
let unwatch: () => Promise<void>;
beforeEach(async () => {
  const providers = async ({ rpcUrl }: { rpcUrl: string }): Promise<string[]> => {
    [first, second] = await Promise.all([startRpcProxy(rpcUrl), startRpcProxy(rpcUrl)]);
    return [first.rpcUrl, second.rpcUrl];
  };
  world = await createMoneyWorld({}, providers, shortPatienceMs);
  unwatch = world.watch();
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
/** Until it stands in a provider's health: each comparison writes it anew, so only what holds up finality stays there. */
const disagrees = (index: 0 | 1, note: string) =>
  waitFor(() => disagreements()[index]?.includes(note), { what: `the note "${note}"`, ...patience });
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

describe("what is about to be final", () => {
  /** A deposit that the books have and nobody has agreed on yet, and its block. */
  async function playable() {
    const player = await world.player();
    await mint(player, 5n);
    const { number, hash } = await world.base.testClient.getBlock();
    await becomes(player, "playable");
    await unwatch();
    await world.base.mine(10);
    return { player, block: { number, hash } };
  }

  it("is final only where the books hold the very block that is called so (SAFETY 26)", async () => {
    const { player, block } = await playable();
    const other = { ...block, hash: `0x${"11".repeat(32)}` };
    expect(await agreeUpTo(world.context, other)).toBe("waiting");
    expect(await finalized()).toBeLessThan(block.number);
    expect(await agreeUpTo(world.context, block)).toBe("reached");
    expect((await depositOf(player))?.state).toBe("final");
  });

  it("isn't taken back because no node's index has it, as long as its receipt is there (SAFETY 26)", async () => {
    const { player, block } = await playable();
    for (const proxy of [first, second]) proxy.setFaults(emptyLogs());
    expect(await agreeUpTo(world.context, block)).toBe("reached");
    expect((await depositOf(player))?.state).toBe("final");
    expect(await breaches()).toEqual([]);
  });

  it("isn't taken back twice: what was denied is looked for in the books again (SAFETY 26)", async () => {
    const { player, block } = await playable();
    const keep = (canonical: boolean) =>
      world.query("UPDATE chain_log SET canonical = $2 WHERE block_number = $1", [
        String(block.number),
        canonical,
      ]);
    const deny = replyTo("eth_getTransactionReceipt", async () => {
      await keep(false);
      return { result: null };
    });
    for (const proxy of [first, second]) proxy.setFaults(emptyLogs(), deny);
    expect(await agreeUpTo(world.context, block)).toBe("more");
    expect(await breaches()).toEqual([]);
    await keep(true);
    expect((await depositOf(player))?.state).toBe("playable");
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
    await disagrees(0, "only it tells of 10 of 0x");
    await disagrees(1, "only it tells of 5 of 0x");
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

  it("is taken back also where the books left out the block before it, which is the final one (SAFETY 26)", async () => {
    const player = await world.player();
    await unwatch();
    await world.base.mine(3);
    await mint(player, 5n);
    const { number: minted, hash } = await world.base.testClient.getBlock();
    const wanted = { number: minted, hash };
    await world.base.mine(10);
    first.setFaults(liar((logs) => logs.map(doubled)));
    second.setFaults(mute);
    const place = await readPlace(world.context);
    const look = followByHand(world.chain, { ...place, signal: new AbortController().signal });
    let after = place.from?.hash ?? null;
    for await (const event of look()) after = await applyChainEvent(world.context, event, { after });
    expect(await freeOf(world, player.id)).toBe(10n);

    second.setFaults();
    expect(await agreeUpTo(world.context, wanted)).toBe("waiting");
    expect(await finalized()).toBe(minted - 1n);
    const blocks = await readRecentBlocks(world.context.pool);
    expect(blocks.map(({ number }) => number)).not.toContain(minted - 1n);
    // Nor is it taken back to a block that one alone tells of.
    first.setFaults(
      replyTo("eth_getBlockByNumber", async ({ params: [asked], forward }) => {
        const reply = await forward();
        if (asked !== toHex(minted - 1n) || typeof reply !== "object" || !("result" in reply)) return reply;
        return { result: { ...(reply.result as object), hash: `0x${"11".repeat(32)}` } };
      }),
    );
    expect(await agreeUpTo(world.context, wanted)).toBe("waiting");
    expect(await breaches()).toEqual([{ invariant: "transfer denied" }]);
    first.setFaults();
    expect(await agreeUpTo(world.context, wanted)).toBe("taken back");
    expect(await breaches()).toEqual([{ invariant: "transfer denied" }]);
    world.watch();
    await becomes(player, "final");
    expect(await freeOf(world, player.id)).toBe(5n);
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
    const leavesOut = replyTo("eth_getLogs", async ({ forward }) => {
      const reply = await forward();
      return typeof reply === "object" && "result" in reply
        ? { result: (reply.result as RawLog[]).filter((log) => !touches(player, log)) }
        : reply;
    });
    // Without its receipts nothing is decided, and the note stays until it was read.
    first.setFaults(leavesOut, noReceipts);
    await bothInOneBlock(player, other);
    await world.base.mine(8);
    await disagrees(0, "it doesn't tell of 8 of 0x");
    first.setFaults(leavesOut);
    await becomes(player, "final");
    expect(await freeOf(world, player.id)).toBe(8n);
    expect(await freeOf(world, other.id)).toBe(8n);
  });

  it("everywhere holds up finality until they agree; nothing is skipped (SAFETY 25)", async () => {
    const [player, other] = [await world.player(), await world.player()];
    first.setFaults(liar((logs) => logs.filter((log) => !touches(player, log))));
    second.setFaults(mute);
    await bothInOneBlock(player, other);
    await becomes(other, "playable");
    second.setFaults();
    await world.base.mine(8);
    await world.caughtUp();
    await compared();
    await disagrees(0, "it doesn't tell of 8 of 0x");
    await disagrees(1, "only it tells of 8 of 0x");
    expect((await depositOf(other))?.state).toBe("playable");
    expect(await depositOf(player)).toBeUndefined();
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

describe("a real node that is stopped for a minute", () => {
  const minuteMs = 60_000;
  const mostGrowthBytes = 64 * 2 ** 20;
  const late = { timeoutMs: 40_000 };

  it("holds up nothing as one of two, all as the only one, and afterwards each deposit and payout counts once (SAFETY 27)", async () => {
    const alone = await createMoneyWorld({}, async ({ rpcUrl, wsUrl }) => [rpcUrl, wsUrl], shortPatienceMs);
    const other = await startFollowingNode(world.base.rpcUrl);
    onTestFinished(async () => {
      for (const node of [other, alone.base]) process.kill(node.process.pid, "SIGCONT");
      await alone.stop();
      await other.stop();
    });
    first.setTarget(other.rpcUrl);
    const before = heldBytes();
    await Promise.all([
      passMinute(world, { stopped: other.process, meanwhile: goOn }),
      passMinute(alone, { stopped: alone.base.process, meanwhile: wait }),
    ]);
    expect(heldBytes() - before).toBeLessThan(mostGrowthBytes);
  }, 300_000);

  /** What is still referred to: how much of the rest the machine has left lying about says nothing. */
  function heldBytes(): number {
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as () => void)();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  }

  /** Of an engine whose first node is stopped while a deposit isn't final yet and a payout lies in the node's pool. */
  async function passMinute(
    at: MoneyWorld,
    { stopped, meanwhile }: { stopped: ProcessMark; meanwhile: (story: Story) => Promise<void> },
  ): Promise<void> {
    const work = await startWork(at);
    const player = await readyToWithdraw(at, 1_000n);
    await at.base.mint(at.base.usdc, player.address, 1_000n);
    await player.pay({ token: at.base.usdc, to: player.depositAddress, amount: 50n });
    await waitFor(async () => (await freeOf(at, player.id)) === 1_050n, { what: "the credit", ...patience });
    await stopMining(at);
    const payouts = [await ask(at, player, 300n)];
    await waitFor(async () => (await at.base.testClient.getTxpoolStatus()).pending > 0, {
      what: "the payout to wait for a block",
      ...patience,
    });

    process.kill(stopped.pid, "SIGSTOP");
    const minute = delay(minuteMs);
    payouts.push(await ask(at, player, 100n));
    const story = { at, player, payouts };
    await isSilent(at);
    await meanwhile(story);
    await minute;
    await isSilent(at);
    expect(work.hasEnded()).toBe(false);
    expect(await statesOf(story)).not.toContain("final");
    process.kill(stopped.pid, "SIGCONT");

    await makeBlocks(at, 1);
    await waitFor(async () => (await statesOf(story)).every((state) => state === "final"), {
      what: "everything to be final",
      ...late,
    });
    await waitFor(async () => (await openInstructions(at)) === 0, { what: "all of it collected", ...late });
    await waitFor(async () => (await providerOf(at))?.ok, { what: "the node to be well again", ...late });
    await makeBlocks(at, 0);
    await at.caughtUp();
    await work.end();
    await expectEachPaidOnce(at, 2);
    const paidIn = await at.query("SELECT sum(amount) FROM deposit WHERE player_id = $1 AND credited", [
      player.id,
    ]);
    const sum = 1_050n + (meanwhile === goOn ? 24n : 0n);
    expect(paidIn).toEqual([{ sum: sum.toString() }]);
    expect(await freeOf(at, player.id)).toBe(sum - 400n);
  }

  interface Story {
    at: MoneyWorld;
    player: MoneyPlayer;
    payouts: string[];
  }

  /** The other node makes blocks: what comes in them is credited, and what is owed leaves. */
  async function goOn({ at, player }: Story): Promise<void> {
    await makeBlocks(at, 1);
    for (const amount of [7n, 8n, 9n]) {
      const free = await freeOf(at, player.id);
      await player.pay({ token: at.base.usdc, to: player.depositAddress, amount });
      await waitFor(async () => (await freeOf(at, player.id)) === free + amount, {
        what: "the credit meanwhile",
        ...patience,
      });
    }
    await waitFor(async () => (await at.held(at.base.usdc, player.address)) === 950n - 24n + 400n, {
      what: "both payouts on the chain",
      ...patience,
    });
  }

  /** Nobody knows anything of the chain; people are answered all the same. */
  async function wait({ at, player }: Story): Promise<void> {
    expect(await freeOf(at, player.id)).toBe(650n);
  }

  /** Does all that an engine does for the chain. */
  async function startWork(at: MoneyWorld) {
    await giveUpLease(at.context.pool, { name: "chain", holder: "test" });
    const stopping = new AbortController();
    let hasEnded = false;
    const done = startChainWork(at.context, {
      leases: at.context,
      watcherPool: at.context.pool,
      signal: stopping.signal,
    }).finally(() => {
      hasEnded = true;
    });
    const end = (): Promise<void> => {
      stopping.abort();
      return done;
    };
    onTestFinished(end);
    return { hasEnded: () => hasEnded, end };
  }

  /** The node that is stopped, as the operator sees it. */
  async function providerOf(at: MoneyWorld) {
    const overview = await readOverview(at.context);
    return overview.ok ? overview.value.providers[0] : undefined;
  }
  const isSilent = (at: MoneyWorld) =>
    waitFor(
      async () => {
        const provider = await providerOf(at);
        return provider?.ok === false && provider.note !== null;
      },
      { what: "the silence to be told", ...patience },
    );
  const makeBlocks = (at: MoneyWorld, eachSeconds: number) =>
    callNode(at.base.rpcUrl, "evm_setIntervalMining", [eachSeconds]);
  const openInstructions = async (at: MoneyWorld): Promise<number> => {
    const [row] = await at.query<{ open: number }>(
      "SELECT count(*)::int AS open FROM instruction WHERE state IN ('gathering', 'queued', 'sending', 'mined')",
    );
    return row?.open ?? -1;
  };
  /** Of what the minute began with and what came in it; the money that was there before is final. */
  async function statesOf({ at, player, payouts }: Story): Promise<(string | undefined)[]> {
    const deposits = await at.query<{ state: string }>(
      "SELECT state FROM deposit WHERE player_id = $1 AND amount < 1000",
      [player.id],
    );
    const paid = await Promise.all(payouts.map((payout) => stateOf(at, payout)));
    return [...deposits.map(({ state }) => state), ...paid];
  }
});
