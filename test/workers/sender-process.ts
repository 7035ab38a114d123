/** Does the chain's work in a process of its own until it is killed, or asked to end. */
import { createChain } from "../../engine/chain/client.ts";
import { createPool } from "../../engine/db/pool.ts";
import { startChainWork } from "../../engine/workers/chain.ts";
import { createMoneyContext } from "../../scripts/local/bare-context.ts";

export interface SenderProcessFacts {
  databaseUrl: string;
  rpcUrls: string[];
  tokens: { openwork: string; usdc: string };
}

const facts = JSON.parse(process.argv[2] ?? "") as SenderProcessFacts;
const pool = createPool({ url: facts.databaseUrl, maxConnections: 10 });
const chain = await createChain({
  rpcUrls: facts.rpcUrls,
  expectedChainId: 8453,
  requestTimeoutMs: 5_000,
});
const context = await createMoneyContext({ pool, chain, tokens: facts.tokens });
const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort());
console.log("ready");
await startChainWork(context, { leases: context, signal: stopping.signal });
await chain.close();
await pool.end();
