/**
 * Backfill: the watcher far behind a chain with 50,000 Transfer logs of a listed token, from the first question to the
 * last credited row. Against a loop that asks for the same blocks' logs and does nothing with them but decode.
 */
import { type Address, createPublicClient, http, parseAbiItem } from "viem";
import { localBase } from "../local/chain-definition.ts";
import { usdcAddress } from "../local/tokens.ts";
import { type Row, round } from "./row.ts";
import { startWatchedChain, toAddress, type WatchedChain } from "./watched-chain.ts";

const logs = 50_000;
const logsPerBlock = 250;
const target = 0.7;
const transferEvent = parseAbiItem("event Transfer(address indexed from, address indexed to, uint256 value)");

/** One in so many logs is a deposit of a player; of USDC's on Base it would be far fewer. */
const depositEvery = 100;

export async function benchBackfill(): Promise<Row> {
  const world = await startWatchedChain({ players: 15 });
  try {
    await world.catchUp();
    const from = (await world.headNumber()) + 1n;
    await fill(world);
    const baselineMs = await readBare(world.rpcUrl, from);
    const oursMs = await world.catchUp();
    const { rows } = await world.context.pool.query("SELECT count(*)::int AS n FROM deposit WHERE credited");
    const wanted = logs / depositEvery;
    if (rows[0].n !== wanted) throw new Error(`${rows[0].n} of ${wanted} deposits are credited`);
    const ratio = round(baselineMs / oursMs);
    return {
      name: `Backfill of ${logs} Transfer logs, ${wanted} of them deposits and credited, against a bare eth_getLogs loop`,
      ours: { logsPerSecond: Math.round(logs / (oursMs / 1_000)), seconds: round(oursMs / 1_000) },
      baseline: {
        logsPerSecond: Math.round(logs / (baselineMs / 1_000)),
        seconds: round(baselineMs / 1_000),
      },
      ratio,
      target: `>= ${target}`,
      ok: ratio >= target,
    };
  } finally {
    await world.stop();
  }
}

async function fill(world: WatchedChain): Promise<void> {
  const addresses = world.depositAddresses;
  let paid = 0;
  for (let done = 0; done < logs; done += logsPerBlock) {
    const recipients = Array.from({ length: logsPerBlock }, (_, index) => {
      if ((done + index) % depositEvery !== 0) return toAddress(1_000 + index);
      paid += 1;
      return addresses[paid % addresses.length] as string;
    });
    await world.payAll(recipients);
  }
  await world.finalize();
}

/** Everything the node has of the token in these blocks, block range by block range, decoded. */
async function readBare(rpcUrl: string, from: bigint): Promise<number> {
  const reader = createPublicClient({ chain: localBase, transport: http(rpcUrl) });
  const startedAtMs = performance.now();
  const head = await reader.getBlockNumber();
  let seen = 0;
  for (let start = from; start <= head; start += 10n) {
    const end = start + 9n < head ? start + 9n : head;
    const found = await reader.getLogs({
      address: usdcAddress as Address,
      event: transferEvent,
      fromBlock: start,
      toBlock: end,
    });
    seen += found.length;
  }
  if (seen !== logs) throw new Error(`the node has ${seen} logs of ${logs}`);
  return performance.now() - startedAtMs;
}
