/**
 * Proposals accepted through HTTP (session, validation, hold, idempotency), 64 connections, against the same SQL hold done
 * by a bare pg loop with 64 connections on the same server: BEGIN, lock the player's two accounts, insert the ledger row
 * (whose trigger moves both balances), insert the proposal, COMMIT. Both run before and after each other, A B A B.
 */
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import pg from "pg";
import { usdcAddress } from "../local/tokens.ts";
import type { RunningEngine } from "./engine-process.ts";
import { type BenchPlayer, fundPlayers, signInPlayers } from "./players.ts";
import { median, quantile, type Row, round } from "./row.ts";

const connections = 64;
const roundMs = 4_000;
const rounds = 3;

export async function benchProposals(engine: RunningEngine): Promise<Row> {
  const players = await signInPlayers(engine, connections);
  await fundPlayers(engine, players, usdcAddress, 400_000_000n);
  const ours: number[] = [];
  const baseline: number[] = [];
  const latencies: number[] = [];
  await overHttp(engine, players, 1_000);
  for (let index = 0; index < rounds; index += 1) {
    const http = await overHttp(engine, players, roundMs);
    ours.push(http.perSecond);
    latencies.push(...http.latenciesMs);
    baseline.push(await bareLoop(engine, players, roundMs));
  }
  const ratio = round(median(ours) / median(baseline));
  return {
    name: `Proposals accepted through HTTP, ${connections} connections, against the same SQL hold in a bare pg loop`,
    ours: {
      perSecond: round(median(ours), 0),
      p50Ms: round(median(latencies)),
      p99Ms: round(quantile(latencies, 0.99)),
    },
    baseline: { perSecond: round(median(baseline), 0) },
    ratio,
    target: ">= 0.5",
    ok: ratio >= 0.5,
  };
}

async function overHttp(engine: RunningEngine, players: BenchPlayer[], forMs: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latenciesMs: number[] = [];
  const startedAtMs = performance.now();
  const body = Buffer.from(
    JSON.stringify({
      opponent: null,
      token: usdcAddress,
      proposerStake: "1",
      takerStake: "1",
      terms: "First to 21",
      lapseSeconds: 3_600,
      expectedMinutes: 60,
    }),
  );
  await Promise.all(
    players.map(async ({ api }) => {
      while (performance.now() - startedAtMs < forMs) {
        const sentAtMs = performance.now();
        await post(agent, new URL("/api/proposals", engine.origin), api, body);
        latenciesMs.push(performance.now() - sentAtMs);
      }
    }),
  );
  agent.destroy();
  return { perSecond: latenciesMs.length / ((performance.now() - startedAtMs) / 1_000), latenciesMs };
}

/** node:http with kept connections: the cheapest client there is, since it shares the machine with the server. */
function post(agent: Agent, url: URL, api: BenchPlayer["api"], body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": body.length,
      origin: api.origin,
      cookie: api.cookieHeader,
      "idempotency-key": randomUUID(),
    };
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        if (response.statusCode === 200) resolve();
        else
          reject(
            new Error(
              `propose answered ${response.statusCode}: ${Buffer.concat(chunks).toString().slice(0, 300)}`,
            ),
          );
      });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

async function bareLoop(engine: RunningEngine, players: BenchPlayer[], forMs: number): Promise<number> {
  const pool = new pg.Pool({ connectionString: engine.databaseUrl, max: connections });
  let done = 0;
  const accounts = new Map<string, { available: string; held: string }>();
  for (const { id } of players) {
    const { rows } = await pool.query("SELECT id, kind FROM account WHERE player_id = $1 AND token = $2", [
      id,
      usdcAddress,
    ]);
    const idOf = (kind: string): string => String(rows.find((row) => row.kind === kind)?.id);
    accounts.set(id, { available: idOf("player.available"), held: idOf("player.held") });
  }
  const startedAtMs = performance.now();
  await Promise.all(
    players.map(async ({ id }) => {
      const account = accounts.get(id);
      const client = await pool.connect();
      try {
        while (performance.now() - startedAtMs < forMs) {
          await client.query("BEGIN");
          await client.query({
            name: "lock",
            text: "SELECT id FROM lock_accounts(ARRAY[$1, $2]::bigint[])",
            values: [account?.available, account?.held],
          });
          await client.query({
            name: "hold",
            text: "INSERT INTO transfer (debit_account_id, credit_account_id, token, amount, reason, business_key) VALUES ($1, $2, $3, 1, 'hold', $4)",
            values: [account?.available, account?.held, usdcAddress, `bench:${randomUUID()}`],
          });
          await client.query({
            name: "propose",
            text: `INSERT INTO proposal (root_id, proposer_id, token, proposer_stake, taker_stake, terms, expected_minutes, rake_bps, state, expires_at, decided_at)
                   VALUES (gen_random_uuid(), $1, $2, 1, 1, 'First to 21', 60, 500, 'cancelled', now(), now())`,
            values: [id, usdcAddress],
          });
          await client.query("COMMIT");
          done += 1;
        }
      } finally {
        client.release();
      }
    }),
  );
  const perSecond = done / ((performance.now() - startedAtMs) / 1_000);
  await pool.end();
  return perSecond;
}
