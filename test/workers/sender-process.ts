/** Does the chain's work in a process of its own until it is killed, or asked to end. */
import { createChain } from "../../engine/chain/client.ts";
import { createPool } from "../../engine/db/pool.ts";
import type { Context, Settings, Step } from "../../engine/services/context.ts";
import { startChainWork } from "../../engine/workers/chain.ts";
import { startDeadlines } from "../../engine/workers/deadlines.ts";
import { createMoneyContext } from "../../scripts/local/bare-context.ts";

export interface SenderProcessFacts {
  databaseUrl: string;
  rpcUrls: string[];
  tokens: { openwork: string; usdc: string };
  payouts: Settings["payouts"];
  /** Where it ends itself, without a chance to put anything away; absent: nowhere. */
  diesAt?: Step;
}

const facts = JSON.parse(process.argv[2] ?? "") as SenderProcessFacts;
const { payouts, diesAt, tokens } = facts;
const pool = createPool({ url: facts.databaseUrl, maxConnections: 10 });
const chain = await createChain({
  rpcUrls: facts.rpcUrls,
  expectedChainId: 8453,
  requestTimeoutMs: 5_000,
});
const context: Context = {
  ...(await createMoneyContext({ pool, chain, tokens, settings: { payouts } })),
  reached: (step) => {
    if (step === diesAt) process.kill(process.pid, "SIGKILL");
  },
};
const stopping = new AbortController();
const { signal } = stopping;
process.once("SIGTERM", () => stopping.abort());
console.log("ready");
await Promise.all([
  startChainWork(context, { leases: context, watcherPool: context.pool, signal }),
  startDeadlines(context, { signal }),
]);
await chain.close();
await pool.end();
