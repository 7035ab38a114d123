/**
 * Deposit: log visible on the node → credited row → socket event in the player's hands, against a bare ethers WebSocket
 * listener for the same log on the same node. Both clocks start when the node announces the block (`newHeads`).
 */
import { WebSocketProvider } from "ethers";
import type { Address } from "viem";
import WebSocket from "ws";
import { LiveRoomClient } from "../client/live.ts";
import { usdcAddress } from "../local/tokens.ts";
import type { RunningEngine } from "./engine-process.ts";
import { fundSender, signInPlayers } from "./players.ts";
import { median, quantile, type Row, round } from "./row.ts";

const deposits = 60;
const transferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

export async function benchDeposits(engine: RunningEngine): Promise<Row> {
  const [player] = await signInPlayers(engine, 1);
  if (player === undefined) throw new Error("nobody signed in");
  const send = await fundSender(engine, player, usdcAddress as Address, 1_000_000_000n);
  const live = new LiveRoomClient({
    origin: engine.origin,
    namespace: "/",
    cookieHeader: player.api.cookieHeader,
  });
  await live.subscribe(`player:${player.id}`);
  const heads = await watchHeads(engine.wsUrl);
  const ethers = new WebSocketProvider(engine.wsUrl);
  const seenByEthers = new Map<string, number>();
  const recipient = `0x${player.depositAddress.slice(2).toLowerCase().padStart(64, "0")}`;
  await ethers.on(
    { address: usdcAddress, topics: [transferTopic, null, recipient] },
    (log: { transactionHash: string }) => seenByEthers.set(log.transactionHash, performance.now()),
  );

  const ours: number[] = [];
  const baseline: number[] = [];
  try {
    for (let index = 0; index < deposits; index += 1) {
      const hash = await send(player.depositAddress, 1_000n);
      const { deposit } = await live.until(
        "deposit:update",
        (data) => data.deposit.txHash === hash && data.deposit.state === "playable",
        30_000,
      );
      const creditedAtMs = performance.now();
      const headAtMs = await heads.at(Number(deposit.blockNumber));
      ours.push(creditedAtMs - headAtMs);
      baseline.push((await hear(seenByEthers, hash)) - headAtMs);
    }
  } finally {
    live.close();
    heads.close();
    await ethers.destroy();
  }
  const oursMs = round(median(ours));
  return {
    name: "Deposit: block announced by the node → credited row → the player's socket, against a bare ethers listener",
    ours: { medianMs: oursMs, p99Ms: round(quantile(ours, 0.99)) },
    baseline: { medianMs: round(median(baseline)), p99Ms: round(quantile(baseline, 0.99)) },
    ratio: round(oursMs / Math.max(0.01, median(baseline))),
    target: "median < 50 ms",
    ok: oursMs < 50,
  };
}

async function hear(seen: Map<string, number>, hash: string): Promise<number> {
  const giveUpAtMs = performance.now() + 10_000;
  for (;;) {
    const at = seen.get(hash);
    if (at !== undefined) return at;
    if (performance.now() > giveUpAtMs) throw new Error("the bare listener heard nothing");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** When the node announced each block, by the clock of this process. */
async function watchHeads(wsUrl: string): Promise<{ at(number: number): Promise<number>; close(): void }> {
  const heard = new Map<number, number>();
  const socket = new WebSocket(wsUrl);
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  socket.on("message", (data) => {
    const { params } = JSON.parse(String(data)) as { params?: { result?: { number?: string } } };
    if (params?.result?.number !== undefined) heard.set(Number(params.result.number), performance.now());
  });
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] }));
  return {
    at: async (number) => {
      const giveUpAtMs = performance.now() + 10_000;
      for (;;) {
        const at = heard.get(number);
        if (at !== undefined) return at;
        if (performance.now() > giveUpAtMs) throw new Error(`block ${number} was never announced`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    close: () => socket.close(),
  };
}
