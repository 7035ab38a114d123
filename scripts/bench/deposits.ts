/**
 * Deposit: log on the node → credited row committed, and → the event in the player's hands. Against the least that could
 * do: a bare ethers WebSocket listener on the same node that inserts one row into the same Postgres. They take turns, each
 * with an address of its own, so that neither works while the other is timed.
 */
import { WebSocketProvider } from "ethers";
import pg from "pg";
import type { Address } from "viem";
import { LiveRoomClient } from "../client/live.ts";
import { usdcAddress } from "../local/tokens.ts";
import { Moments, recipientTopic, startCreditClock, transferTopic } from "./credit-clock.ts";
import type { RunningEngine } from "./engine-process.ts";
import { fundSender, signInPlayers } from "./players.ts";
import { median, quantile, type Row, round } from "./row.ts";

const deposits = 60;
/** Not counted: an engine that runs has its statements planned and its code compiled. */
const warmUps = 10;
const mostToRowMs = 8;
const mostToSocketMs = 50;
/** Nobody's: the engine has no business with it. */
const bareAddress: Address = "0xbe7c000000000000000000000000000000000001";

export async function benchDeposits(engine: RunningEngine): Promise<Row[]> {
  const [player] = await signInPlayers(engine, 1);
  if (player === undefined) throw new Error("nobody signed in");
  const send = await fundSender(engine, player, usdcAddress as Address, 1_000_000_000n);
  const { origin } = engine;
  const live = new LiveRoomClient({ origin, namespace: "/", cookieHeader: player.api.cookieHeader });
  await live.subscribe(`player:${player.id}`);
  const clock = await startCreditClock(engine, player.depositAddress);
  const bare = await startBareListener(engine, bareAddress);

  const rows: number[] = [];
  const sockets: number[] = [];
  const baseline: number[] = [];
  try {
    for (let index = -warmUps; index < deposits; index += 1) {
      const hash = await send(player.depositAddress, 1_000n);
      await live.until(
        "deposit:update",
        (data) => data.deposit.txHash === hash && data.deposit.state === "playable",
        30_000,
      );
      const toldAtMs = performance.now();
      const startedAtMs = await clock.announced.of(hash);
      const creditedAtMs = await clock.creditedAtMs(hash);
      const bareMs = await bare.time(() => send(bareAddress, 1_000n));
      if (index < 0) continue;
      rows.push(creditedAtMs - startedAtMs);
      sockets.push(toldAtMs - startedAtMs);
      baseline.push(bareMs);
    }
  } finally {
    live.close();
    await clock.close();
    await bare.close();
  }
  const bareFigures = { medianMs: round(median(baseline)), p99Ms: round(quantile(baseline, 0.99)) };
  const rowOf = (name: string, took: number[], mostMs: number): Row => {
    const medianMs = round(median(took));
    return {
      name,
      ours: { medianMs, p99Ms: round(quantile(took, 0.99)) },
      baseline: bareFigures,
      ratio: round(medianMs / bareFigures.medianMs),
      target: `median <= ${mostMs} ms`,
      ok: medianMs <= mostMs,
    };
  };
  const against = "against a bare ethers listener that inserts a row";
  return [
    rowOf(`Deposit: log on the node → credited row, ${against}`, rows, mostToRowMs),
    rowOf(`Deposit: log on the node → credited row → socket event, ${against}`, sockets, mostToSocketMs),
  ];
}

async function startBareListener(
  engine: RunningEngine,
  recipient: Address,
): Promise<{ time(send: () => Promise<string>): Promise<number>; close(): Promise<void> }> {
  const [heard, inserted] = [new Moments(), new Moments()];
  const database = new pg.Client({ connectionString: engine.databaseOwnerUrl });
  await database.connect();
  await database.query("CREATE TABLE bench_deposit (tx_hash text PRIMARY KEY, amount numeric NOT NULL)");
  const ethers = new WebSocketProvider(engine.wsUrl);
  await ethers.on(
    { address: usdcAddress, topics: [transferTopic, null, recipientTopic(recipient)] },
    ({ transactionHash, data }: { transactionHash: string; data: string }) => {
      heard.note(transactionHash);
      void database
        .query("INSERT INTO bench_deposit VALUES ($1, $2)", [transactionHash, BigInt(data).toString()])
        .then(() => inserted.note(transactionHash));
    },
  );
  return {
    time: async (send) => {
      const hash = await send();
      return (await inserted.of(hash)) - (await heard.of(hash));
    },
    close: async () => {
      await ethers.destroy();
      await database.end();
    },
  };
}
