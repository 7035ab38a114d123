import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allocateNonces } from "../../engine/db/allocating.ts";
import { LostLeaseError } from "../../engine/db/lease.ts";
import { transaction } from "../../engine/db/pool.ts";
import { confirmRound } from "../../engine/services/confirming.ts";
import { prepare } from "../../engine/services/preparing.ts";
import { sendWhatIsSigned, signWhatIsPrepared } from "../../engine/services/sending.ts";
import { createWatchedWorld, type MoneyWorld } from "../helpers/money-world.ts";
import { replyTo } from "../helpers/rpc-faults.ts";
import { type RpcCall, type RpcProxy, type RpcReply, startRpcProxy } from "../helpers/rpc-proxy.ts";
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
import { waitFor } from "../helpers/wait.ts";

// Each test makes blocks until payouts are final: on a busy machine that takes its time.
let world: MoneyWorld;
beforeEach(async () => {
  world = await createWatchedWorld();
});
afterEach(() => world.stop());

const start = (options: Parameters<typeof startSender>[1] = {}): Promise<Sender> =>
  startSender(world, options);

const money = 1_000_000n;
const sendRaw = "eth_sendRawTransaction";

describe("an answer that can't be trusted", () => {
  let proxy: RpcProxy;
  beforeEach(async () => {
    proxy = await startRpcProxy(world.base.rpcUrl);
  });
  afterEach(() => proxy.stop());

  const error = (message: string, code = -32_000): RpcReply => ({ error: { code, message } });
  const taken =
    (reply: RpcReply) =>
    async ({ forward }: RpcCall): Promise<RpcReply> => {
      await forward();
      return reply;
    };
  const untaken = (reply: RpcReply) => (): RpcReply => reply;
  /** For those that never end. The others have to come within it, too. */
  const shortPatienceMs = 2_000;
  const answers: [string, (call: RpcCall) => RpcReply | Promise<RpcReply>, patienceMs?: number][] = [
    ["that is lost", taken("cut")],
    ["that never comes", taken("hang"), shortPatienceMs],
    ["that comes byte by byte", taken("trickle"), shortPatienceMs],
    ["'already known'", taken(error("already known"))],
    ["'transaction already imported'", taken(error("transaction already imported"))],
    ["'nonce too low' to what was taken", taken(error("nonce too low"))],
    ["'nonce too low' to what wasn't taken", untaken(error("nonce too low"))],
    ["'insufficient funds' to what was taken", taken(error("insufficient funds for gas * price + value"))],
    ["'replacement underpriced' to what was taken", taken(error("replacement transaction underpriced"))],
    ["'execution reverted' to what was taken", taken(error("execution reverted", 3))],
    ["in words never seen before, to what was taken", taken(error("the moon is in the seventh house"))],
    ["in words never seen before, to what wasn't taken", untaken(error("the moon is in the seventh house"))],
    ["of another transaction's hash", untaken({ result: `0x${"77".repeat(32)}` })],
    ["of HTML", untaken({ http: { status: 502, type: "text/html", body: "<h1>Bad Gateway</h1>" } })],
  ];

  it.each(answers)(
    "%s, three times, is no reason for another nonce or other bytes (SAFETY 20)",
    async (_name, reply, requestTimeoutMs) => {
      const player = await readyToWithdraw(world, money);
      await stopMining(world);
      const first = await ask(world, player, 777n);
      const second = await ask(world, player, 88n);
      const sender = await start({
        rpcUrls: [proxy.rpcUrl],
        settings: { resendAfterMs: 0 },
        ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
      });
      proxy.setFaults(replyTo(sendRaw, reply));
      for (let round = 0; round < 3; round += 1) {
        await sender.round();
        await confirmRound(sender.context);
      }
      expect(proxy.count(sendRaw)).toBeGreaterThanOrEqual(3);
      const before = [await attemptsOf(world, first), await attemptsOf(world, second)];
      expect(before.map((attempts) => attempts.length)).toEqual([1, 1]);
      expect([await stateOf(world, first), await stateOf(world, second)]).toEqual(["sending", "sending"]);
      proxy.setFaults();
      await sender.settle();
      const after = [await attemptsOf(world, first), await attemptsOf(world, second)];
      expect(after.flat().map(({ raw }) => raw)).toEqual(before.flat().map(({ raw }) => raw));
      expect(await world.held(world.base.usdc, player.address)).toBe(865n);
      await expectEachPaidOnce(world, 2);
    },
  );
});

describe("many from one wallet", () => {
  it.each(["batch", "plain"] as const)(
    "by %s payouts at the same moment have nonces without a gap, and each is paid once (SAFETY 21)",
    async (payouts) => {
      payBy(world.context, payouts);
      const players = [await readyToWithdraw(world, money), await readyToWithdraw(world, money)];
      const asked = Array.from({ length: 50 }, (_, index) => {
        const player = players[index % 2];
        if (player === undefined) throw new Error("there are two players");
        return ask(world, player, BigInt(index + 1));
      });
      const sender = await start();
      await Promise.all([...asked, sender.round(), sender.round()]);
      await sender.settle();
      await expectEachPaidOnce(world, 50);
      const ofVault = await world.query<{ nonce: string }>(
        "SELECT nonce FROM chain_tx JOIN wallet ON wallet.id = wallet_id WHERE purpose = 'vault' ORDER BY nonce",
      );
      const nonces = payouts === "plain" ? asked.map((_, index) => String(index)) : [];
      expect(ofVault.map(({ nonce }) => nonce)).toEqual(nonces);
    },
  );

  it("of which the node drops one: it is sent again, and those behind it are paid as well (SAFETY 21)", async () => {
    const player = await readyToWithdraw(world, money);
    await stopMining(world);
    const asked: string[] = [];
    const sender = await start({ settings: { resendAfterMs: 0 } });
    for (let index = 1n; index <= 10n; index += 1n) {
      asked.push(await ask(world, player, index));
      await sender.round();
    }
    const [dropped] = await attemptsOf(world, asked[4] ?? "");
    await world.base.testClient.dropTransaction({ hash: dropped?.hash ?? "0x" });
    await world.base.mine(1);
    await world.caughtUp();
    expect(await stateOf(world, asked[3] ?? "")).toBe("mined");
    expect(await stateOf(world, asked[4] ?? "")).toBe("sending");
    expect(await stateOf(world, asked[9] ?? "")).toBe("sending");
    await sender.settle();
    await expectEachPaidOnce(world, 10);
    expect(await attemptsOf(world, asked[4] ?? "")).toMatchObject([{ hash: dropped?.hash }]);
  });
});

describe("an attempt that is stuck", () => {
  it("is replaced by one of the same nonce that pays more, and paid once", async () => {
    const player = await readyToWithdraw(world, money);
    await stopMining(world);
    const asked = await ask(world, player, 777n);
    const sender = await start();
    await sender.round();
    sender.context.clock = () => Date.now() + sender.context.settings.stuckAfterMs + 1_000;
    await sender.round();
    const attempts = await attemptsOf(world, asked);
    expect(attempts).toMatchObject([
      { nonce: "0", number: 1 },
      { nonce: "0", number: 2, answer: "accepted" },
    ]);
    await sender.settle();
    expect(await world.held(world.base.usdc, player.address)).toBe(777n);
    await expectEachPaidOnce(world, 1);
    expect(await world.query("SELECT mined_hash FROM chain_tx")).toEqual([{ mined_hash: attempts[1]?.hash }]);
  });

  it("and is mined after all, though a dearer one was signed: paid once, by the first (SAFETY 21)", async () => {
    const player = await readyToWithdraw(world, money);
    await stopMining(world);
    const asked = await ask(world, player, 777n);
    const proxy = await startRpcProxy(world.base.rpcUrl);
    // The dearer one isn't sent a second time, however long the first takes to be mined.
    const settings = { resendAfterMs: 3_600_000 };
    const sender = await start({ rpcUrls: [proxy.rpcUrl], settings });
    await sender.round();
    proxy.setFaults(replyTo(sendRaw, () => "cut"));
    sender.context.clock = () => Date.now() + sender.context.settings.stuckAfterMs + 1_000;
    await sender.round();
    proxy.setFaults();
    const attempts = await attemptsOf(world, asked);
    expect(attempts).toHaveLength(2);
    await sender.settle();
    await expectEachPaidOnce(world, 1);
    expect(await world.query("SELECT mined_hash FROM chain_tx")).toEqual([{ mined_hash: attempts[0]?.hash }]);
    await proxy.stop();
  });

  it("while the base fee is above what we pay waits, and is paid once when it comes down (SAFETY 22)", async () => {
    const player = await readyToWithdraw(world, money);
    await stopMining(world);
    const capWei = 2_000_000_000n;
    const sender = await start({ settings: { maxFeePerGasWei: capWei, stuckAfterMs: 0, resendAfterMs: 0 } });
    const asked = await ask(world, player, 777n);
    await world.base.testClient.setNextBlockBaseFeePerGas({ baseFeePerGas: 10n * capWei });
    await world.base.mine(1);
    for (let round = 0; round < 3; round += 1) {
      await sender.round();
      await world.base.mine(1);
      await world.caughtUp();
    }
    expect(await stateOf(world, asked)).toBe("sending");
    expect(await world.held(world.base.usdc, player.address)).toBe(0n);
    await world.base.testClient.setNextBlockBaseFeePerGas({ baseFeePerGas: capWei / 10n });
    await world.base.mine(1);
    await sender.settle();
    await expectEachPaidOnce(world, 1);
  });
});

describe("a block with a payout that falls out of the chain", () => {
  it("has the same bytes sent again, for one final transfer (SAFETY 12)", async () => {
    const player = await readyToWithdraw(world, money);
    const asked = await ask(world, player, 777n);
    const sender = await start();
    await sender.round();
    await waitFor(async () => (await stateOf(world, asked)) === "mined", { what: "the payout's block" });
    const before = await attemptsOf(world, asked);
    await world.base.reorg(1);
    await world.base.mine(1);
    await waitFor(async () => (await stateOf(world, asked)) === "sending", { what: "the reorg" });
    expect(await world.held(world.base.usdc, player.address)).toBe(0n);
    await sender.settle();
    expect((await attemptsOf(world, asked)).map(({ raw }) => raw)).toEqual(before.map(({ raw }) => raw));
    expect(await world.held(world.base.usdc, player.address)).toBe(777n);
    await expectEachPaidOnce(world, 1);
  });

  it("and comes back in another block is paid once (SAFETY 12)", async () => {
    const player = await readyToWithdraw(world, money);
    const asked = [await ask(world, player, 777n), await ask(world, player, 88n)];
    const sender = await start();
    await sender.round();
    await waitFor(async () => (await stateOf(world, asked[1] ?? "")) === "mined", { what: "the blocks" });
    const attempts = (await Promise.all(asked.map((id) => attemptsOf(world, id)))).flat();
    const raws = new Set(attempts.map(({ raw }) => raw));
    await world.base.reorg(
      2,
      [...raws].map((raw) => ({ raw, block: 1 })),
    );
    await world.base.mine(1);
    await world.caughtUp();
    await sender.settle();
    await expectEachPaidOnce(world, 2);
  });

  it("after which the dearer of two attempts is mined instead is paid once (SAFETY 12)", async () => {
    const player = await readyToWithdraw(world, money);
    await stopMining(world);
    const asked = await ask(world, player, 777n);
    const proxy = await startRpcProxy(world.base.rpcUrl);
    const sender = await start({ rpcUrls: [proxy.rpcUrl] });
    await sender.round();
    proxy.setFaults(replyTo(sendRaw, () => "cut"));
    sender.context.clock = () => Date.now() + sender.context.settings.stuckAfterMs + 1_000;
    await sender.round();
    proxy.setFaults();
    const [cheap, dear] = await attemptsOf(world, asked);
    await world.base.mine(1);
    await world.caughtUp();
    expect(await world.query("SELECT mined_hash FROM chain_tx")).toEqual([{ mined_hash: cheap?.hash }]);
    await world.base.reorg(1);
    await world.base.mine(1);
    await waitFor(async () => (await stateOf(world, asked)) === "sending", { what: "the reorg" });
    await sender.settle();
    expect(await world.query("SELECT mined_hash FROM chain_tx")).toEqual([{ mined_hash: dear?.hash }]);
    await expectEachPaidOnce(world, 1);
    await proxy.stop();
  });
});

describe("two senders at once", () => {
  it("spend one nonce after the other, however close together", async () => {
    const player = await readyToWithdraw(world, money);
    const asked: string[] = [];
    for (let index = 1n; index <= 10n; index += 1n) asked.push(await ask(world, player, index));
    const [vault] = await world.query<{ id: string }>("SELECT id FROM wallet WHERE purpose = 'vault'");
    const spend = (instructionId: string) =>
      transaction(world.context.pool, (tx) =>
        allocateNonces(tx, { walletId: vault?.id ?? "", uses: [{ instructionId, gasLimit: 100_000n }] }),
      );
    await Promise.all(asked.map(spend));
    const nonces = await world.query<{ nonce: string }>("SELECT nonce FROM chain_tx ORDER BY nonce");
    expect(nonces.map(({ nonce }) => Number(nonce))).toEqual(asked.map((_, index) => index));
  });

  it("the older one can't spend a nonce", async () => {
    const player = await readyToWithdraw(world, money);
    await ask(world, player, 777n);
    const older = await start();
    await start();
    await expect(prepare(older.context, older.leadership)).rejects.toThrow(LostLeaseError);
    expect(await world.query("SELECT 1 FROM chain_tx")).toEqual([]);
  });

  it("the older one can't store what it signs", async () => {
    const player = await readyToWithdraw(world, money);
    await ask(world, player, 777n);
    const older = await start();
    await prepare(older.context, older.leadership);
    const newer = await start();
    await expect(signWhatIsPrepared(older.context, older.leadership)).rejects.toThrow(LostLeaseError);
    expect(await world.query("SELECT 1 FROM attempt")).toEqual([]);
    await newer.settle();
    await expectEachPaidOnce(world, 1);
  });

  it("the older one may still send what is stored, which is harmless, but can't write that it did", async () => {
    const player = await readyToWithdraw(world, money);
    await ask(world, player, 777n);
    const older = await start();
    await prepare(older.context, older.leadership);
    await signWhatIsPrepared(older.context, older.leadership);
    const newer = await start();
    await expect(sendWhatIsSigned(older.context, older.leadership)).rejects.toThrow(LostLeaseError);
    expect(await world.query("SELECT 1 FROM attempt WHERE sent_at IS NOT NULL")).toEqual([]);
    await newer.settle();
    await expectEachPaidOnce(world, 1);
  });

  it("side by side pay nothing twice", async () => {
    const player = await readyToWithdraw(world, money);
    const older = await start();
    for (let index = 1n; index <= 10n; index += 1n) await ask(world, player, index);
    const early = [older.round(), older.round()];
    const newer = await start({ settings: { resendAfterMs: 0 } });
    await Promise.allSettled([...early, newer.round(), older.round(), newer.round(), older.round()]);
    await newer.settle();
    await expectEachPaidOnce(world, 10);
  });
});
