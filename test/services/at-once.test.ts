import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { BlockRef, ChainEvent } from "../../engine/chain/types.ts";
import type { ConfirmationTier } from "../../engine/core/tiers.ts";
import { lockCursor, readCursor } from "../../engine/db/cursor.ts";
import { transaction } from "../../engine/db/pool.ts";
import { beginRecovery } from "../../engine/db/recovery.ts";
import { exposeWinnings } from "../../engine/db/settlements.ts";
import { applyChainEvent, StaleEventError } from "../../engine/services/chain-events.ts";
import type { Context } from "../../engine/services/context.ts";
import { type Foresight, readForesight } from "../../engine/services/foresight.ts";
import { createPlayer } from "../../engine/services/new-player.ts";
import { throwSwitch } from "../../engine/services/operators.ts";
import { readParties } from "../../engine/services/parties.ts";
import { keepTransfers } from "../../engine/services/transfers.ts";
import { ensureSpareWallets } from "../../engine/services/wallets.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { untilLocked } from "../helpers/wait.ts";
import { createWorld, openwork, startGame, usdc, type World } from "./wager-world.ts";

const stranger = `0x${"99".repeat(20)}`;
/** Of a thousand base units a deposit is played with at once, of more after three blocks; twice that may be in play. */
const tiers: ConfirmationTier[] = [
  { upTo: 1_000n, playableAt: { depth: 1 } },
  { upTo: null, playableAt: { depth: 3 } },
];
const perToken = <Value>(value: Value) => new Map([usdc, openwork].map((token) => [token, value]));
const settings = {
  tiers: perToken(tiers),
  exposureCaps: perToken({ perPlayer: 2_000n, inAll: 5_000n }),
};

interface Player {
  id: string;
  /** The player's own. */
  address: string;
  deposits: string;
}
interface Books extends World {
  tip: BlockRef;
  /** So many blocks were made for them: the hash of each is its own, and the same in every run. */
  blocks: number;
  vault: string;
  ann: Player;
  ben: Player;
  /** Whose accounts aren't open yet. */
  newcomer: Player;
}

/** Nothing here asks it anything. */
const oneProvider = { quorum: 1 } as Context["chain"];

/** Books that begin at block 100; Ann and Ben have had a deposit of each token, which is final. */
async function createBooks(): Promise<Books> {
  const created = await createWorld(settings);
  const [context, other] = [created.context, created.other].map((each) => ({
    ...each,
    chain: oneProvider,
  })) as [Context, Context];
  const world = { ...created, context, other };
  await ensureSpareWallets(world.context, "escrow");
  const players: Player[] = [];
  for (const name of ["aa", "bb", "cc"]) players.push(await addPlayer(world, `0x${name.repeat(20)}`));
  const [ann, ben, newcomer] = players as [Player, Player, Player];
  const [vault] = await world.rows("SELECT address FROM wallet WHERE purpose = 'vault'");
  const books = {
    ...{ ...world, vault: String(vault?.address), ann, ben, newcomer, blocks: 0 },
    tip: { number: 99n, hash: hashOf("99"), parentHash: hashOf("98"), timestampSeconds: 1_700_000_099n },
  };
  books.tip = nextBlock(books, []).block;
  await applyChainEvent(context, { type: "block", block: books.tip, transfers: [] }, { after: null });
  const first = [ann, ben].flatMap(({ deposits }) =>
    [usdc, openwork].map((token) => ({ to: deposits, token, amount: 10n })),
  );
  await tellPlainly(books, nextBlock(books, first));
  await finalize(books);
  return books;
}

async function addPlayer({ context, rows }: World, address: string): Promise<Player> {
  await ensureSpareWallets(context, "deposit");
  const created = await transaction(context.pool, (tx) => createPlayer(context, tx, address));
  if (typeof created === "string") throw new Error("no wallet was spare");
  const [wallet] = await rows("SELECT address FROM wallet WHERE player_id = $1", [created.playerId]);
  return { id: created.playerId, address, deposits: String(wallet?.address) };
}

interface Paid {
  to: string;
  amount: bigint;
  from?: string;
  token?: string;
  txHash?: string;
}
type BlockEvent = Extract<ChainEvent, { type: "block" }>;

const hashOf = (text: string): string => `0x${text.padStart(64, "0")}`;
const newHash = (): string => `0x${randomBytes(32).toString("hex")}`;
function blockOf(block: BlockRef, paid: Paid[]): BlockEvent {
  const transfers = paid.map(({ to, amount, from = stranger, token = usdc, txHash }, logIndex) => ({
    txHash: txHash ?? hashOf(`${block.number}${logIndex}`),
    blockNumber: block.number,
    blockHash: block.hash,
    timestampSeconds: block.timestampSeconds,
    ...{ logIndex, token, ordinal: 0, from, to, amount },
  }));
  return { type: "block", block, transfers };
}

function nextBlock(books: Books, paid: Paid[]): BlockEvent {
  books.blocks += 1;
  const { number, hash: parentHash, timestampSeconds } = books.tip;
  const hash = hashOf(`b${books.blocks}`);
  return blockOf(
    { ...{ number: number + 1n, hash, parentHash }, timestampSeconds: timestampSeconds + 2n },
    paid,
  );
}

/** A block on top of the books, and what is read for it now. */
async function foresee(books: Books, paid: Paid[]): Promise<{ event: BlockEvent; foresight: Foresight }> {
  const event = nextBlock(books, paid);
  return { event, foresight: await readForesight(books.context.pool, event.transfers) };
}

async function tell(books: Books, event: ChainEvent, foresight: Foresight | null = null): Promise<void> {
  await applyChainEvent(books.context, event, { after: books.tip.hash, foresight });
  if (event.type === "block") books.tip = event.block;
  if (event.type === "reorg") books.tip = event.commonAncestor;
}

/** With a foresight with which there is nothing to be done at once. */
async function tellPlainly(books: Books, event: BlockEvent): Promise<void> {
  const parties = await readParties(books.context.pool, event.transfers);
  await tell(books, event, { parties, outlook: { cursor: null, exposed: [], ids: [] } });
}

const finalize = (books: Books) => tell(books, { type: "finalized", block: books.tip, safe: null });

/** What the books hold of a block's deposits; at once are those that have the ids that were foreseen for them. */
async function outcome({ rows }: Books, { transfers }: BlockEvent, { outlook }: Foresight) {
  const kept = await rows(
    `SELECT chain_log.id AS log_id, deposit.id, inclusion, state, credited FROM chain_log LEFT JOIN deposit ON chain_log_id = chain_log.id
     WHERE tx_hash = ANY ($1) ORDER BY log_index`,
    [transfers.map(({ txHash }) => txHash)],
  );
  const foreseen = outlook.ids.map((ids) => `${ids.chain_log_id} ${ids.deposit_id}`);
  return kept.map(({ log_id: logId, id, inclusion, state, credited }) => ({
    ...{ inclusion, state, credited },
    atOnce: foreseen.includes(`${String(logId)} ${String(id)}`),
  }));
}
const seen = { inclusion: 1, state: "seen", credited: false, atOnce: false };
const credited = { inclusion: 1, state: "playable", credited: true, atOnce: false };
const atOnce = { ...credited, atOnce: true };

const tables = {
  chain_log: "id",
  deposit: "id",
  exposure: "id",
  transfer: "id",
  account: "id",
  instruction: "id",
  instruction_leg: "transfer_id",
  outbox: "id",
  block: "number",
  chain_cursor: "one",
};
/** Told by the machine's clock, or made of what is. */
const ofTheMoment = ["created_at", "changed_at", "moved_at", "not_before", "hash", "head"];

/** Everything that a block leaves behind, but for the moment it was written at. */
async function bookContents({ rows }: Books): Promise<Record<string, unknown[]>> {
  const contents: Record<string, unknown[]> = {};
  for (const [table, order] of Object.entries(tables)) {
    const found = await rows(
      `SELECT to_jsonb(${table}) - $1::text[] AS row FROM ${table} ORDER BY ${order}`,
      [table === "block" ? [] : ofTheMoment],
    );
    contents[table] = found.map(({ row }) => withoutMoments(row));
  }
  return contents;
}
const withoutMoments = (row: unknown): unknown =>
  JSON.parse(JSON.stringify(row).replaceAll(/"\d{4}-\d\d-\d\dT[^"]*"/g, '"a moment"'));

let books: Books;
beforeAll(async () => {
  books = await createBooks();
}, 60_000);
afterEach(async () => {
  await turnDeposits(true);
  await books.rows(
    "UPDATE recovery SET ended_at = now(), ended_by = 'test', end_reason = 'over' WHERE ended_at IS NULL",
  );
  await finalize(books);
  await expectBooksToBalance(books.context);
});
afterAll(() => books.end());

const turnDeposits = (on: boolean) =>
  throwSwitch(
    books.context,
    { playerId: books.ann.id, handle: "operator" },
    { name: "deposits", on, reason: "a test" },
  );
const freeOf = async ({ id }: Player): Promise<bigint> => (await books.poolOf(id)).available;
const toAnn = (more: Partial<Paid> = {}): Paid => ({ to: books.ann.deposits, amount: 100n, ...more });
const winnings = ({ id: playerId }: Player, amount: bigint, token = usdc) =>
  transaction(books.context.pool, (tx) =>
    exposeWinnings(tx, {
      playerId,
      token,
      amount,
      untilBlock: books.tip.number + 1n,
      key: `test:${newHash()}`,
    }),
  );

describe("a block of deposits that was foreseen", () => {
  it("leaves the same in the books as one that is written the plain way (SAFETY 2)", async () => {
    const [short, plain] = [await createBooks(), await createBooks()];
    const { ann, ben, vault } = short;
    // The same seed gives both the same addresses.
    expect([plain.ann, plain.ben, plain.vault]).toEqual([ann, ben, vault]);
    const blocks = [
      [{ to: ann.deposits, amount: 7n }],
      [
        { to: ann.deposits, amount: 1n },
        { to: ben.deposits, amount: 2n, token: openwork },
        { to: ann.deposits, amount: 3n, token: openwork },
        { to: ann.deposits, amount: 4n, from: ben.address },
        { to: vault, amount: 5n, from: ben.address },
        { to: stranger, amount: 6n },
        { to: ben.deposits, amount: 0n },
      ],
    ];
    try {
      const outcomes = [];
      for (const paid of blocks) {
        const { event, foresight } = await foresee(short, paid);
        await tell(short, event, foresight);
        outcomes.push(await outcome(short, event, foresight));
        await tellPlainly(plain, event);
      }
      expect(outcomes).toEqual([[atOnce], Array(5).fill(atOnce)]);
      expect(await bookContents(short)).toEqual(await bookContents(plain));
    } finally {
      await Promise.all([short.end(), plain.end()]);
    }
  }, 60_000);
});

describe("what changes after it was foreseen sends a block the plain way", () => {
  it("the head: another process was first", async () => {
    const { event, foresight } = await foresee(books, [toAnn()]);
    const sibling = nextBlock(books, []);
    await applyChainEvent(books.other, sibling, { after: books.tip.hash });
    const before = await freeOf(books.ann);
    await expect(tell(books, event, foresight)).rejects.toThrow(StaleEventError);
    books.tip = sibling.block;
    expect((await readCursor(books.context.pool))?.head_hash).toBe(sibling.block.hash);
    expect(await outcome(books, event, foresight)).toEqual([]);
    expect(await freeOf(books.ann)).toBe(before);
  });

  it("what is safe", async () => {
    const from = books.tip;
    await tell(books, nextBlock(books, []));
    const { event, foresight } = await foresee(books, [toAnn()]);
    await tell(books, { type: "finalized", block: from, safe: books.tip });
    await tell(books, event, foresight);
    expect(await outcome(books, event, foresight)).toEqual([credited]);
  });

  it("what is final", async () => {
    const from = books.tip;
    await tell(books, nextBlock(books, []));
    await tell(books, { type: "finalized", block: from, safe: books.tip });
    const { event, foresight } = await foresee(books, [toAnn()]);
    await finalize(books);
    await tell(books, event, foresight);
    expect(await outcome(books, event, foresight)).toEqual([credited]);
  });

  it("deposits were switched off: it stays in sight", async () => {
    const { event, foresight } = await foresee(books, [toAnn()]);
    await turnDeposits(false);
    await tell(books, event, foresight);
    expect(await outcome(books, event, foresight)).toEqual([seen]);
  });

  it("a recovery began", async () => {
    const { event, foresight } = await foresee(books, [toAnn()]);
    await transaction(books.context.pool, (tx) => beginRecovery(tx, { cause: "a test" }));
    await tell(books, event, foresight);
    expect(await outcome(books, event, foresight)).toEqual([credited]);
  });

  it("another deposit waits: both are credited with the block", async () => {
    await tell(books, nextBlock(books, []));
    const { event, foresight } = await foresee(books, [toAnn()]);
    const late = blockOf(books.tip, [toAnn({ amount: 3n, txHash: newHash() })]);
    const parties = await readParties(books.context.pool, late.transfers);
    await transaction(books.context.pool, async (tx) => {
      await lockCursor(tx);
      await keepTransfers(tx, late.transfers, parties);
    });
    await tell(books, event, foresight);
    expect(await outcome(books, event, foresight)).toEqual([credited]);
    expect(await outcome(books, late, foresight)).toEqual([credited]);
  });

  it.each([
    ["the player's own", null, () => winnings(books.ann, 1_901n)],
    ["beside what was foreseen", () => winnings(books.ann, 900n), () => winnings(books.ann, 1_001n)],
    ["beside another token", () => winnings(books.ann, 5_000n, openwork), () => winnings(books.ann, 1_901n)],
    ["another's", null, () => winnings(books.ben, 4_901n)],
    ["another's, beside one's own", () => winnings(books.ann, 900n), () => winnings(books.ben, 4_001n)],
  ])("more is in play: %s", async (_, before, change) => {
    await before?.();
    const { event, foresight } = await foresee(books, [toAnn()]);
    await change();
    await tell(books, event, foresight);
    expect(await outcome(books, event, foresight)).toEqual([seen]);
  });

  it("less is in play: that is no hindrance", async () => {
    await winnings(books.ben, 50n);
    const { event, foresight } = await foresee(books, [toAnn()]);
    await books.rows("DELETE FROM exposure WHERE player_id = $1", [books.ben.id]);
    await tell(books, event, foresight);
    expect(await outcome(books, event, foresight)).toEqual([atOnce]);
  });

  it("what another process is about to commit counts as well", async () => {
    const { event, foresight } = await foresee(books, [toAnn()]);
    const told = await transaction(books.other.pool, async (tx) => {
      await lockCursor(tx);
      const { id: playerId } = books.ann;
      const untilBlock = event.block.number;
      await exposeWinnings(tx, {
        playerId,
        token: usdc,
        amount: 2_000n,
        untilBlock,
        key: `test:${newHash()}`,
      });
      const telling = tell(books, event, foresight);
      await untilLocked(books.rows, "the block to wait for the cursor");
      return { telling };
    });
    await told.telling;
    expect(await outcome(books, event, foresight)).toEqual([seen]);
  });

  it("an account isn't open yet", async () => {
    const { event, foresight } = await foresee(books, [toAnn({ to: books.newcomer.deposits })]);
    await tell(books, event, foresight);
    expect(await outcome(books, event, foresight)).toEqual([credited]);
    expect(await freeOf(books.newcomer)).toBe(100n);
  });

  it("a log is in the books already, from before a reorg: its loss is repaid (SAFETY 11)", async () => {
    const { ann, ben } = books;
    const [free, ancestor] = [await freeOf(ann), books.tip];
    const txHash = newHash();
    const before = await foresee(books, [toAnn({ txHash })]);
    await tell(books, before.event, before.foresight);
    expect(await outcome(books, before.event, before.foresight)).toEqual([atOnce]);
    await startGame(books, { red: ann.id, blue: ben.id, proposerStake: free + 60n, takerStake: 1n });
    await tell(books, { type: "reorg", commonAncestor: ancestor, orphaned: [before.event.block] });
    expect(await lossOf(books)).toBe(60n);
    const again = await foresee(books, [toAnn({ txHash })]);
    await tell(books, again.event, again.foresight);
    expect(await outcome(books, again.event, again.foresight)).toEqual([{ ...credited, inclusion: 2 }]);
    expect(await lossOf(books)).toBe(0n);
    expect(await freeOf(ann)).toBe(40n);
  });

  it.each(["deadlock_detected", "serialization_failure"])("somebody is in the way: %s", async (condition) => {
    const owner = new pg.Client({ connectionString: books.ownerUrl });
    await owner.connect();
    try {
      // A sequence counts what is rolled back, too: the first block fails, and no other.
      await owner.query(`CREATE SEQUENCE told_once; GRANT USAGE ON told_once TO PUBLIC;
        CREATE FUNCTION in_the_way() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF nextval('told_once') = 1 THEN RAISE ${condition}; END IF; RETURN NEW; END $$;
        CREATE TRIGGER in_the_way BEFORE INSERT ON exposure FOR EACH ROW EXECUTE FUNCTION in_the_way()`);
      const { event, foresight } = await foresee(books, [toAnn()]);
      await tell(books, event, foresight);
      expect(await outcome(books, event, foresight)).toEqual([credited]);
    } finally {
      await owner.query(
        "DROP TRIGGER in_the_way ON exposure; DROP FUNCTION in_the_way; DROP SEQUENCE told_once",
      );
      await owner.end();
    }
  });
});

async function lossOf({ rows }: Books): Promise<bigint> {
  const [row] = await rows(
    "SELECT coalesce(sum(balance), 0) AS balance FROM account WHERE kind = 'house.loss'",
  );
  return BigInt(String(row?.balance));
}

describe("what isn't foreseeable is written the plain way", () => {
  it.each([
    [
      "an item in suspense among the deposits",
      () => [toAnn(), { to: books.vault, amount: 1n }],
      [credited, credited],
    ],
    ["an amount above the first tier", () => [toAnn(), toAnn({ amount: 1_001n })], [credited, seen]],
    [
      "more than may be in play",
      () => [toAnn({ amount: 1_000n }), toAnn({ amount: 1_000n }), toAnn({ amount: 1n })],
      [credited, credited, seen],
    ],
  ])("%s", async (_, paid, expected) => {
    const { event, foresight } = await foresee(books, paid());
    await tell(books, event, foresight);
    expect(await outcome(books, event, foresight)).toEqual(expected);
  });

  it("a deposit that waits already, and is credited with the block", async () => {
    const first = await foresee(books, [toAnn({ amount: 1_001n })]);
    await tell(books, first.event, first.foresight);
    await tell(books, nextBlock(books, []));
    const { event, foresight } = await foresee(books, [toAnn()]);
    expect(foresight.outlook.cursor).toBeNull();
    await tell(books, event, foresight);
    expect(await outcome(books, event, foresight)).toEqual([credited]);
    expect(await outcome(books, first.event, foresight)).toEqual([credited]);
  });

  it("a block with which a transaction of ours was read", async () => {
    const { event, foresight } = await foresee(books, [toAnn()]);
    const attempts = new Map([[newHash(), []]]);
    await tell(books, event, { ...foresight, parties: { ...foresight.parties, attempts } });
    expect(await outcome(books, event, foresight)).toEqual([credited]);
  });

  it("one of more deposits than were told of ahead", async () => {
    const { event, foresight } = await foresee(books, [toAnn(), toAnn()]);
    const outlook = { ...foresight.outlook, ids: foresight.outlook.ids.slice(1) };
    await tell(books, event, { ...foresight, outlook });
    expect(await outcome(books, event, foresight)).toEqual([credited, credited]);
  });

  it("one that doesn't follow: it is refused, and nothing of it stays", async () => {
    await tell(books, nextBlock(books, []));
    const { event, foresight } = await foresee(books, [toAnn()]);
    const { tip } = books;
    for (const wrong of [{ parentHash: newHash() }, { number: tip.number }, { number: tip.number - 1n }]) {
      const block = { ...event.block, ...wrong };
      await expect(
        applyChainEvent(books.context, { ...event, block }, { after: tip.hash, foresight }),
      ).rejects.toThrow(StaleEventError);
    }
    expect(await outcome(books, event, foresight)).toEqual([]);
    // Blocks without transfers may be left out between.
    const later = {
      ...event,
      block: { ...event.block, number: event.block.number + 5n, parentHash: newHash() },
    };
    await tell(books, later, foresight);
    expect(await outcome(books, event, foresight)).toEqual([atOnce]);
  });
});

it("a foreseen block that many tell at the same moment is credited once (SAFETY 2)", async () => {
  const { event, foresight } = await foresee(books, [toAnn(), toAnn()]);
  const before = await freeOf(books.ann);
  const tries = Array.from({ length: 10 }, (_, index) =>
    applyChainEvent(index % 2 === 0 ? books.context : books.other, event, {
      after: books.tip.hash,
      foresight,
    }),
  );
  const told = await Promise.allSettled(tries);
  books.tip = event.block;
  expect(told.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const each of told)
    if (each.status === "rejected") expect(each.reason).toBeInstanceOf(StaleEventError);
  expect(await outcome(books, event, foresight)).toEqual([atOnce, atOnce]);
  expect(await freeOf(books.ann)).toBe(before + 200n);
});

it("money that leaves a wallet of ours in a block of deposits is seen", async () => {
  const robbed = await createBooks();
  try {
    const paid = [
      { to: robbed.ann.deposits, amount: 100n },
      { to: stranger, from: robbed.vault, amount: 1n },
    ];
    const { event, foresight } = await foresee(robbed, paid);
    await tell(robbed, event, foresight);
    const noDeposit = { inclusion: 1, state: null, credited: null, atOnce: false };
    expect(await outcome(robbed, event, foresight)).toEqual([credited, noDeposit]);
    expect(await robbed.rows("SELECT invariant FROM breach")).toEqual([{ invariant: "stray transfer" }]);
  } finally {
    await robbed.end();
  }
});
