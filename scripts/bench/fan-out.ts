/**
 * One update to 3,000 sockets: from the request that causes it to each socket's hands; p99 over sockets, median over
 * updates. Against bare socket.io: a server that emits what a request brings as soon as it is there. Same update, same
 * client, same machine, same run.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { io, type Socket } from "socket.io-client";
import type { Address } from "viem";
import { loader } from "../local/loader.ts";
import { usdcAddress } from "../local/tokens.ts";
import type { RunningEngine } from "./engine-process.ts";
import { fundPlayers, signInPlayers } from "./players.ts";
import { median, quantile, type Row, round } from "./row.ts";

const sockets = 3_000;
const updates = 7;
const token = usdcAddress as Address;

export async function benchFanOut(engine: RunningEngine): Promise<Row> {
  const { p99Ms: ours, update } = await engineFanOut(engine);
  const baseline = await bareFanOut(update);
  const oursMs = round(median(ours));
  const baselineMs = round(median(baseline));
  return {
    name: `One update to ${sockets} sockets, p99, against bare socket.io`,
    ours: { p99Ms: oursMs },
    baseline: { p99Ms: baselineMs },
    ratio: round(oursMs / baselineMs),
    target: "<= 2",
    ok: oursMs / baselineMs <= 2,
  };
}

async function engineFanOut(engine: RunningEngine): Promise<{ p99Ms: number[]; update: string }> {
  const [red] = await signInPlayers(engine, 1);
  if (red === undefined) throw new Error("nobody signed in");
  await fundPlayers(engine, [red], token, 1_000_000n);
  const opened = await openSockets(`${engine.origin}/arena`, engine.origin);
  try {
    await Promise.all(
      opened.map((socket) => socket.timeout(30_000).emitWithAck("subscribe", { room: "arena" })),
    );
    const p99Ms: number[] = [];
    let update = "";
    opened[0]?.on("batch", (batch: unknown) => {
      update = JSON.stringify(batch);
    });
    for (let index = 0; index < updates; index += 1) {
      p99Ms.push(
        await measure(opened, "batch", () =>
          red.api.call("propose", {
            body: { opponent: null, token, proposerStake: "1", takerStake: "1", terms: `Round ${index + 1}` },
          }),
        ),
      );
    }
    return { p99Ms, update };
  } finally {
    for (const socket of opened) socket.disconnect();
  }
}

/** @param update the JSON that is sent to everybody */
async function bareFanOut(update: string): Promise<number[]> {
  const child = fork(fileURLToPath(new URL("./bare-socket-server.ts", import.meta.url)), [], {
    execArgv: ["--import", loader],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const port = await new Promise<number>((resolve) =>
    child.once("message", (message) => resolve(Number(message))),
  );
  const origin = `http://127.0.0.1:${port}`;
  const opened = await openSockets(origin, origin);
  try {
    const p99: number[] = [];
    for (let index = 0; index < updates; index += 1)
      p99.push(
        await measure(opened, "update", () => fetch(`${origin}/emit`, { method: "POST", body: update })),
      );
    return p99;
  } finally {
    for (const socket of opened) socket.disconnect();
    const over = new Promise((resolve) => child.once("exit", resolve));
    child.send("stop");
    await over;
  }
}

async function openSockets(url: string, origin: string): Promise<Socket[]> {
  const opened: Socket[] = [];
  const batch = 100;
  while (opened.length < sockets) {
    const next = Array.from({ length: Math.min(batch, sockets - opened.length) }, () =>
      io(url, { transports: ["websocket"], forceNew: true, reconnection: false, extraHeaders: { origin } }),
    );
    await Promise.all(
      next.map(
        (socket) =>
          new Promise<void>((resolve, reject) => {
            socket.once("connect", resolve);
            socket.once("connect_error", reject);
          }),
      ),
    );
    opened.push(...next);
  }
  return opened;
}

/** p99 over all sockets of the time from just before `cause` to the arrival of the event, ms. */
async function measure(opened: Socket[], event: string, cause: () => Promise<unknown>): Promise<number> {
  let startedAtMs = 0;
  const arrivals = opened.map(
    (socket) =>
      new Promise<number>((resolve) => socket.once(event, () => resolve(performance.now() - startedAtMs))),
  );
  startedAtMs = performance.now();
  const [times] = await Promise.all([Promise.all(arrivals), cause()]);
  return quantile(times, 0.99);
}
