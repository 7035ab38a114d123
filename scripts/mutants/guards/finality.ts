import type { Guard } from "./guard.ts";

const due = "engine/db/due.ts";
const allocating = "engine/db/allocating.ts";
const confirming = "engine/db/confirming.ts";

/** What counts only when it is final. */
export const finality: readonly Guard[] = [
  {
    name: "finality: only final money is withdrawn",
    file: "engine/services/withdrawals.ts",
    guard: "if (amount <= withdrawable) return",
    instead: "if (amount <= free) return",
    tests: ["test/services/withdrawals.test.ts"],
  },
  {
    name: "finality: an instruction waits for the blocks behind it",
    file: due,
    guard:
      '"not_before <= $1 AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0)"',
    instead: '"not_before <= $1"',
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "finality: a leg that came late keeps an instruction from its nonce",
    file: allocating,
    guard:
      "AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0) RETURNING instruction.id",
    instead: "RETURNING instruction.id",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "finality: a leg that came late keeps an instruction from its batch",
    file: allocating,
    guard: "AND not_before_block <= coalesce((SELECT finalized_number FROM chain_cursor), 0) RETURNING id)",
    instead: "RETURNING id)",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "finality: paid is what is beyond reorg",
    file: confirming,
    guard: "WHERE state = 'mined' AND block_number <= $1 RETURNING",
    instead: "WHERE state = 'mined' AND block_number <= $1 + 1000 RETURNING",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "finality: a failure counts when it is beyond reorg",
    file: "engine/services/confirming.ts",
    guard: "if (blockNumber > finalized) return [];",
    instead: "",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "finality: a receipt counts when its block is in the books",
    file: "engine/services/confirming.ts",
    guard: "if (blockNumber > finalized && !(await isInBooks(tx, receipt))) return [];",
    instead: "",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "finality: a receipt is of a final block when that was final before it was read",
    file: "engine/services/confirming.ts",
    guard: "if (await confirm(context, { attempt, receipt, finalized })) found += 1;",
    instead:
      "if (await confirm(context, { attempt, receipt, finalized: (await readCursor(context.pool))?.finalized_number ?? finalized })) found += 1;",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "finality: a block is in the books by its hash",
    file: "engine/db/cursor.ts",
    guard: "FROM block WHERE number = $1 AND hash = $2",
    instead: "FROM block WHERE number = $1 AND $2::text IS NOT NULL",
    tests: ["test/services/distrust.test.ts"],
  },
  {
    name: "finality: a reorg below it stops outflows",
    file: "engine/services/chain-events.ts",
    guard: "if (ancestor.number < cursor.finalized_number)",
    instead: "if (ancestor.number < 0n)",
    tests: ["test/services/reorgs.test.ts"],
  },
  {
    name: "finality: a line that isn't called final isn't taken as final",
    file: "engine/chain/follow.ts",
    guard: "if (!isCalledFinal(blocks, { views, quorum }))",
    instead: "if (blocks.length === 0)",
    tests: ["test/chain/liars.test.ts"],
  },
  {
    name: "trust: a socket of a stranger says nothing of what a block holds",
    file: "engine/chain/client.ts",
    guard: "isProvider: hosts.includes(hostOf(url))",
    instead: "isProvider: hosts.length > 0",
    tests: ["test/chain/sockets.test.ts"],
  },
  {
    name: "ledger: rows are written when all their accounts are open",
    file: "engine/db/ledger.ts",
    guard: "WHERE (SELECT count(*) FROM locked) = cardinality($1::text[])",
    instead: "WHERE true",
    tests: ["test/db/ledger.test.ts"],
  },
  {
    name: "ledger: what would overdraw isn't written",
    file: "engine/db/ledger.ts",
    guard:
      "\n      AND NOT EXISTS (SELECT FROM played WHERE balance < 0 AND kind NOT IN ('outside', 'house.loss'))",
    instead: "",
    tests: ["test/db/ledger.test.ts", "test/services/withdrawals.test.ts"],
  },
  {
    name: "finality: a line is final by who names its end",
    file: "engine/chain/finality.ts",
    guard: "if (finalized === null || finalized.number < last) return false;",
    instead: "if (finalized === null) return false;",
    tests: ["test/chain/finality.test.ts"],
  },
  {
    name: "finality: a line is final by who names its own hash",
    file: "engine/chain/finality.ts",
    guard: "return line.every(({ number, hash }) => number !== finalized.number || hash === finalized.hash);",
    instead: "return true;",
    tests: ["test/chain/finality.test.ts"],
  },
  {
    name: "finality: a line is final by as many as must agree",
    file: "engine/chain/finality.ts",
    guard: "return vouching.length >= quorum;",
    instead: "return vouching.length >= 1;",
    tests: ["test/chain/finality.test.ts"],
  },
  {
    name: "finality: a provider vouches for blocks that we know",
    file: "engine/chain/finality.ts",
    guard: "block !== null && known.has(block)",
    instead: "block !== null",
    tests: ["test/chain/finality.test.ts"],
  },
];
