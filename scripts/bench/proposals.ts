/**
 * Proposals accepted through HTTP (session, validation, hold, idempotency), 64 connections, against the same SQL hold done
 * by a bare pg loop with 64 connections on the same server: BEGIN, lock the player's two accounts, insert the ledger row
 * (whose trigger moves both balances), insert the proposal, COMMIT. Both run before and after each other, A B A B.
 */
import { randomUUID } from "node:crypto";
import autocannon from "autocannon";
import pg from "pg";
import { usdcAddress } from "../local/tokens.ts";
import type { RunningEngine } from "./engine-process.ts";
import { type BenchPlayer, fundPlayers, signInPlayers } from "./players.ts";
import { median, type Row, round } from "./row.ts";

const connections = 64;
const roundMs = 3_000;
const rounds = 5;
const warmUpMs = 8_000;

export async function benchProposals(engine: RunningEngine): Promise<Row> {
  const everybody = await signInPlayers(engine, 2 * connections);
  await fundPlayers(engine, everybody, usdcAddress, 400_000_000n);
  const [players, barePlayers] = [everybody.slice(0, connections), everybody.slice(connections)];
  const ours: number[] = [];
  const baseline: number[] = [];
  const p50: number[] = [];
  const p99: number[] = [];
  // Both are warm when they are timed; a first offer opens the account that holds it.
  await overHttp(engine, barePlayers, 1_000);
  await overHttp(engine, players, warmUpMs);
  await bareLoop(engine, barePlayers, roundMs);
  for (let index = 0; index < rounds; index += 1) {
    const http = await overHttp(engine, players, roundMs);
    ours.push(http.perSecond);
    p50.push(http.p50Ms);
    p99.push(http.p99Ms);
    baseline.push(await bareLoop(engine, barePlayers, roundMs));
  }
  const ratio = round(median(ours) / median(baseline));
  return {
    name: `Proposals accepted through HTTP, ${connections} connections, against the same SQL hold in a bare pg loop`,
    ours: {
      perSecond: round(median(ours), 0),
      p50Ms: round(median(p50)),
      p99Ms: round(Math.max(...p99)),
    },
    baseline: { perSecond: round(median(baseline), 0) },
    ratio,
    target: ">= 0.5",
    ok: ratio >= 0.5,
  };
}

async function overHttp(engine: RunningEngine, players: BenchPlayer[], forMs: number) {
  const body = JSON.stringify({
    opponent: null,
    token: usdcAddress,
    proposerStake: "1",
    takerStake: "1",
    terms: "First to 21",
    lapseSeconds: 3_600,
    expectedMinutes: 60,
  });
  const waiting = [...players];
  const result = await autocannon({
    url: engine.origin,
    connections,
    duration: forMs / 1_000,
    setupClient(client) {
      const player = waiting.pop();
      if (player === undefined) throw new Error("more connections than players");
      const { origin, cookieHeader } = player.api;
      client.setRequests([
        {
          method: "POST",
          path: "/api/proposals",
          body,
          setupRequest: (request) => ({
            ...request,
            headers: {
              "content-type": "application/json",
              origin,
              cookie: cookieHeader,
              "idempotency-key": randomUUID(),
            },
          }),
        },
      ]);
    },
  });
  if (result.errors + result.non2xx > 0)
    throw new Error(`${result.errors} errors, ${result.non2xx} refusals among ${result.requests.total}`);
  return { perSecond: result["2xx"] / result.duration, p50Ms: result.latency.p50, p99Ms: result.latency.p99 };
}

async function bareLoop(engine: RunningEngine, players: BenchPlayer[], forMs: number): Promise<number> {
  const pool = new pg.Pool({ connectionString: engine.databaseUrl, max: connections });
  try {
    const accounts = await Promise.all(players.map((player) => readAccounts(pool, player)));
    const startedAtMs = performance.now();
    // The first that fails doesn't leave the others' connections open: what went wrong would be lost behind their end.
    const loops = await Promise.allSettled(
      accounts.map((account) => holdUntil(pool, account, startedAtMs + forMs)),
    );
    const elapsedMs = performance.now() - startedAtMs;
    let done = 0;
    for (const loop of loops) {
      if (loop.status === "rejected") throw loop.reason;
      done += loop.value;
    }
    return done / (elapsedMs / 1_000);
  } finally {
    await pool.end();
  }
}

interface PlayerAccounts {
  playerId: string;
  available: string;
  held: string;
}

async function readAccounts(pool: pg.Pool, { id: playerId }: BenchPlayer): Promise<PlayerAccounts> {
  const { rows } = await pool.query("SELECT id, kind FROM account WHERE player_id = $1 AND token = $2", [
    playerId,
    usdcAddress,
  ]);
  const idOf = (kind: string): string => String(rows.find((row) => row.kind === kind)?.id);
  return { playerId, available: idOf("player.available"), held: idOf("player.held") };
}

/** Offers of one player, one after the other, by a connection of its own; answers how many. */
async function holdUntil(pool: pg.Pool, account: PlayerAccounts, endsAtMs: number): Promise<number> {
  const { playerId, available, held } = account;
  const client = await pool.connect();
  let done = 0;
  try {
    while (performance.now() < endsAtMs) {
      await client.query("BEGIN");
      await client.query({
        name: "lock",
        text: "SELECT id FROM lock_accounts(ARRAY[$1, $2]::bigint[])",
        values: [available, held],
      });
      await client.query({
        name: "hold",
        text: "INSERT INTO transfer (debit_account_id, credit_account_id, token, amount, reason, business_key) VALUES ($1, $2, $3, 1, 'hold', $4)",
        values: [available, held, usdcAddress, `bench:${randomUUID()}`],
      });
      await client.query({
        name: "propose",
        text: `INSERT INTO proposal (id, root_id, proposer_id, token, proposer_stake, taker_stake, terms, expected_minutes, rake_bps, expires_at)
               VALUES ($1, $1, $2, $3, 1, 1, 'First to 21', 60, 500, now() + interval '1 hour')`,
        values: [randomUUID(), playerId, usdcAddress],
      });
      await client.query("COMMIT");
      done += 1;
    }
  } finally {
    client.release();
  }
  return done;
}
