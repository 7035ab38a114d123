/** Tells the books of the chain in a process of its own, by every way that a block can come, and says what became of it. */
import { Backfill } from "../../engine/chain/backfill.ts";
import { type Chain, createChain } from "../../engine/chain/client.ts";
import { follow } from "../../engine/chain/follow.ts";
import type { ChainEvent } from "../../engine/chain/types.ts";
import { createPool } from "../../engine/db/pool.ts";
import { applyChainEvent, StaleEventError } from "../../engine/services/chain-events.ts";
import { Lookout } from "../../engine/services/lookout.ts";
import { readPlace } from "../../engine/workers/watcher.ts";
import { createMoneyContext } from "../../scripts/local/bare-context.ts";
import { waitFor } from "../helpers/wait.ts";

export interface TellingProcessFacts {
  databaseUrl: string;
  rpcUrl: string;
  wsUrl: string;
  tokens: { openwork: string; usdc: string };
  /** How many tell by each way. */
  times: number;
}

/** How a block comes to who tells of it. */
export type Way = "subscription" | "poll" | "backfill" | "rescan";
/** `telling` is said before the books are told, the outcome after. */
export type Said = {
  way: Way;
  blockHash: string;
  what: "telling" | "applied" | "stale" | `failed: ${string}`;
};
/** Read again what has come since: from where the books stand, and from a block of long ago. */
export interface ReadAgain {
  from: string;
  to: string;
}

/** No poll comes in the time of a test, but for the first: what comes later was announced. */
const neverMs = 3_600_000;
const oftenMs = 200;
/** In one question, all there is. */
const maxRange = 10_000n;

const facts = JSON.parse(process.argv[2] ?? "") as TellingProcessFacts;
const { rpcUrl, wsUrl, tokens, times } = facts;
const patience = { statementTimeoutMs: 60_000, connectionTimeoutMs: 60_000 };
const pool = createPool({ url: facts.databaseUrl, maxConnections: 4 * times, ...patience });
const connect = (rpcUrls: string[]): Promise<Chain> =>
  createChain({ rpcUrls, expectedChainId: 8453, requestTimeoutMs: 60_000 });
const [announced, polled] = await Promise.all([connect([rpcUrl, wsUrl]), connect([rpcUrl])]);
const context = await createMoneyContext({ pool, chain: polled, tokens });
const say = (said: Said): void => void process.send?.(said);

type BlockEvent = Extract<ChainEvent, { type: "block" }>;

/** Tells as who stands on the block `after`, whether or not the books stand there. */
async function tell(way: Way, event: BlockEvent, after: string, lookout?: Lookout): Promise<void> {
  const blockHash = event.block.hash;
  const foresight = (await lookout?.take(event.transfers)) ?? null;
  say({ way, blockHash, what: "telling" });
  const what = await applyChainEvent(context, event, { after, foresight }).then(
    () => "applied" as const,
    (error: unknown) =>
      error instanceof StaleEventError ? ("stale" as const) : (`failed: ${String(error)}` as const),
  );
  say({ way, blockHash, what });
}

type Place = Awaited<ReturnType<typeof readPlace>>;

/** Follows from there as a watcher does, up to a block with transfers; goes on when it was overtaken, and leaves finality out. */
async function followOn(way: Way, chain: Chain, place: Place, pollIntervalMs: number): Promise<void> {
  const lookout = new Lookout(pool);
  const { signal } = new AbortController();
  const sighted = lookout.note.bind(lookout);
  let after = place.from?.hash ?? "";
  for await (const event of follow(chain, { ...place, pollIntervalMs, signal, sighted })) {
    if (event.type !== "block") continue;
    await tell(way, event, after, lookout);
    if (event.transfers.length > 0) return;
    after = event.block.hash;
  }
}

/** Asks for the logs of a range of blocks and tells of each that has any, on its parent, all at once. */
async function rescan({ from, to }: ReadAgain, { tokens: listed }: Place): Promise<void> {
  const { blocks, transfers } = await new Backfill(polled, { tokens: listed, maxRange }).next({
    from: BigInt(from),
    to: BigInt(to),
  });
  await Promise.all(
    blocks.flatMap(({ number, hash, parentHash, timestampSeconds }) => {
      const own = transfers.get(hash) ?? [];
      const block = { number, hash, parentHash, timestampSeconds };
      return own.length === 0 ? [] : [tell("rescan", { type: "block", block, transfers: own }, parentHash)];
    }),
  );
}

const many = (tellOne: () => Promise<void>): void => {
  for (let each = 0; each < times; each += 1) void tellOne();
};
async function readAgain(range: ReadAgain): Promise<void> {
  const place = await readPlace(context);
  many(() => followOn("backfill", polled, place, oftenMs));
  many(() => rescan(range, place));
}
process.on("message", (range: ReadAgain) => void readAgain(range));
const place = await readPlace(context);
many(() => followOn("subscription", announced, place, neverMs));
many(() => followOn("poll", polled, place, oftenMs));
// What is announced from here on is heard.
await waitFor(() => announced.health().filter(({ url, ok }) => ok && url.startsWith("ws")).length === times, {
  what: "the subscriptions",
  timeoutMs: 20_000,
});
process.send?.("ready");
