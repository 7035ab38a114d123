/** What may be sent, with which nonce, and what a block means to it: each rule alone, without a chain. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { allocateBatch, allocateNonces } from "../../engine/db/allocating.ts";
import { recordAnswers, storeAttempts } from "../../engine/db/attempts.ts";
import { finalizeMined, markMined, readWaiting, reopenAbove } from "../../engine/db/confirming.ts";
import { beginCursor } from "../../engine/db/cursor.ts";
import { readDueInstructions } from "../../engine/db/due.ts";
import { holdFence, LostLeaseError, takeLease } from "../../engine/db/lease.ts";
import { createPool, type Pool, type Tx, transaction } from "../../engine/db/pool.ts";
import { listTokens } from "../../engine/db/tokens.ts";
import { reserveWallet, setWalletAddress, type WalletPurpose } from "../../engine/db/wallets.ts";
import { readDue } from "../../engine/services/due.ts";
import { createTestDatabase, type TestDatabase } from "../helpers/database.ts";
import { waitFor } from "../helpers/wait.ts";

const dollar = `0x${"11".repeat(20)}`;
const coin = `0x${"22".repeat(20)}`;
const outsider = `0x${"99".repeat(20)}`;
const finalBlock = 10n;
const hashOf = (number: number): string => `0x${number.toString(16).padStart(64, "0")}`;

let database: TestDatabase;
let pool: Pool;
let gas: string;
/** Of each test's own. */
let source: string;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.appUrl, maxConnections: 5 });
  await listTokens(pool, [
    { address: dollar, symbol: "TST", decimals: 6 },
    { address: coin, symbol: "COIN", decimals: 18 },
  ]);
  gas = await wallet("gas");
  const block = { number: finalBlock, hash: hashOf(10), parentHash: hashOf(9), stampedAt: new Date() };
  await write((tx) => beginCursor(tx, { chainId: 8453, block }));
});
beforeEach(async () => {
  source = await wallet("escrow");
});
afterEach(() => rows("UPDATE instruction SET state = 'cancelled'"));
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const write = <Value>(work: (tx: Tx) => Promise<Value>): Promise<Value> => transaction(pool, work);
const rows = async (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  (await pool.query(text, values)).rows;

let made = 0;
async function wallet(purpose: WalletPurpose): Promise<string> {
  made += 1;
  const { id } = await write((tx) => reserveWallet(tx, purpose));
  await setWalletAddress(pool, { id, address: `0x${made.toString(16).padStart(40, "a")}` });
  return id;
}

/** So many queued instructions of a wallet, oldest first. */
async function owe(
  source: string,
  {
    count = 1,
    token = dollar,
    notBeforeBlock = 0n,
  }: { count?: number; token?: string; notBeforeBlock?: bigint } = {},
): Promise<string[]> {
  made += 1;
  const owed = await rows(
    `INSERT INTO instruction (kind, source_wallet_id, token, destination, amount, cause, not_before_block)
     SELECT 'withdrawal', $1, $2, $3, 5, $4 || ':' || one, $5 FROM generate_series(1, $6::integer) AS one RETURNING id`,
    [source, token, outsider, `test:${made}`, notBeforeBlock.toString(), count],
  );
  return owed.map(({ id }) => String(id));
}

const due = async (limit: number): Promise<string[]> =>
  (await readDueInstructions(pool, { now: new Date(Date.now() + 1_000), after: null, limit })).map(
    ({ id }) => id,
  );

describe("what is due", () => {
  it("of one wallet and token, however much, leaves room for every other", async () => {
    const many = await owe(source, { count: 6 });
    const others = [...(await owe(source, { token: coin })), ...(await owe(await wallet("escrow")))];
    expect(await due(4)).toEqual([...many.slice(0, 2), ...others]);
    expect(await due(100)).toEqual([...many, ...others]);
  });

  it("of a wallet that owes more than is looked at doesn't wait for those that came later", async () => {
    const many = await owe(source, { count: 6 });
    const context = { pool, clock: () => Date.now() + 1_000 };
    const look = async () => (await readDue(context, 4)).map(({ id }) => id);
    expect(await look()).toEqual(many.slice(0, 4));
    const [later] = await owe(await wallet("escrow"));
    expect(await look()).toEqual([...many.slice(0, 3), later]);
  });

  it("of more wallets than are looked at is looked at in turn, and then from the beginning", async () => {
    const owed: string[] = [];
    for (let index = 0; index < 5; index += 1)
      owed.push(...(await owe(await wallet("escrow"), { count: 2 })));
    const context = { pool, clock: () => Date.now() + 1_000 };
    const firsts = owed.filter((_, index) => index % 2 === 0);
    const looks: string[][] = [];
    for (let look = 0; look < 4; look += 1) looks.push((await readDue(context, 2)).map(({ id }) => id));
    expect(looks).toEqual([firsts.slice(0, 2), firsts.slice(2, 4), owed.slice(8), firsts.slice(0, 2)]);
  });

  it("isn't what rests on blocks that aren't final, nor what a frozen wallet owes", async () => {
    const frozen = await wallet("escrow");
    await owe(frozen);
    await owe(source, { notBeforeBlock: finalBlock + 1n });
    const final = await owe(source, { notBeforeBlock: finalBlock });
    await rows("UPDATE wallet SET frozen_reason = 'a look' WHERE id = $1", [frozen]);
    expect(await due(100)).toEqual(final);
  });
});

describe("a nonce", () => {
  const nonces = () =>
    rows(
      `SELECT instruction.id, nonce FROM instruction JOIN instruction_tx ON instruction_id = instruction.id
       WHERE source_wallet_id = $1 ORDER BY nonce, instruction.id`,
      [source],
    );
  const usesOf = (ids: string[]) => ids.map((instructionId) => ({ instructionId, gasLimit: 100_000n }));

  const batchOf = (sourceWalletId: string) => ({
    ...{ gasWalletId: gas, sourceWalletId, executor: outsider, gasLimit: 100_000n },
  });

  it("isn't spent on what got a leg that isn't final since it was looked at", async () => {
    const [grown, other] = (await owe(source, { count: 2 })) as [string, string];
    await rows("UPDATE instruction SET not_before_block = $2 WHERE id = $1", [grown, finalBlock + 1n]);
    await write((tx) => allocateNonces(tx, { walletId: source, uses: usesOf([grown, other]) }));
    expect(await nonces()).toEqual([{ id: other, nonce: "0" }]);
    expect(await rows("SELECT state FROM instruction WHERE id = $1", [grown])).toEqual([{ state: "queued" }]);
  });

  it("of the gas wallet isn't either, when it would pay several together", async () => {
    const instructionIds = await owe(source, { count: 3 });
    const [grown, ...others] = instructionIds;
    await rows("UPDATE instruction SET not_before_block = $2 WHERE id = $1", [grown, finalBlock + 1n]);
    expect(await write((tx) => allocateBatch(tx, { ...batchOf(source), instructionIds }))).toBe(2);
    expect((await nonces()).map(({ id }) => id)).toEqual(others);
  });

  const ways: [string, (tx: Tx, id: string) => Promise<unknown>][] = [
    ["alone", (tx, id) => allocateNonces(tx, { walletId: source, uses: usesOf([id]) })],
    ["together", (tx, id) => allocateBatch(tx, { ...batchOf(source), instructionIds: [id] })],
  ];
  it.each(ways)(
    "that another is spending %s is waited for, and the next one is spent (SAFETY 21)",
    async (_way, spend) => {
      const [one, two] = (await owe(source, { count: 2 })) as [string, string];
      const [first, second] = [await pool.connect(), await pool.connect()];
      try {
        const [backend] = (await second.query("SELECT pg_backend_pid() AS pid")).rows;
        await first.query("BEGIN");
        await spend(first as unknown as Tx, one);
        await second.query("BEGIN");
        const spending = spend(second as unknown as Tx, two).then(() => second.query("COMMIT"));
        const isWaiting = async () =>
          (await rows("SELECT FROM unnest(pg_blocking_pids($1))", [backend.pid])).length > 0;
        await waitFor(isWaiting, { what: "the second to wait" });
        await first.query("COMMIT");
        await spending;
      } finally {
        await Promise.all([first, second].map((client) => client.query("ROLLBACK")));
        for (const client of [first, second]) client.release();
      }
      const spent = await nonces();
      expect(spent.map(({ id }) => id)).toEqual([one, two]);
      expect(Number(spent[1]?.nonce)).toBe(Number(spent[0]?.nonce) + 1);
    },
  );
});

describe("a transaction that is mined", () => {
  let hash: string;
  let instructionId: string;
  let chainTxId: string;
  const fees = { maxFeePerGas: 5n, maxPriorityFeePerGas: 1n };
  /** Sent, and in the block after the final one. */
  beforeEach(async () => {
    [instructionId] = (await owe(source)) as [string];
    hash = hashOf(Number(instructionId));
    await write((tx) =>
      allocateNonces(tx, { walletId: source, uses: [{ instructionId, gasLimit: 100_000n }] }),
    );
    chainTxId = String(
      (await rows("SELECT id FROM instruction_tx WHERE instruction_id = $1", [instructionId]))[0]?.id,
    );
    await write(async (tx) => {
      await storeAttempts(tx, [{ hash, chainTxId, number: 1, raw: "0x02", ...fees, createdAt: new Date() }]);
      await recordAnswers(tx, [{ hash, answer: "accepted", sentAt: new Date() }]);
      await markMined(tx, [{ chainTxId, hash, blockNumber: finalBlock + 1n }]);
    });
  });
  const state = async () =>
    (await rows("SELECT state FROM instruction WHERE id = $1", [instructionId]))[0]?.state;

  it("is paid when its block is beyond reorg, not before", async () => {
    expect(await write((tx) => finalizeMined(tx, finalBlock))).toEqual([]);
    expect(await state()).toBe("mined");
    expect(await write((tx) => finalizeMined(tx, finalBlock + 1n))).toEqual([instructionId]);
    expect(await state()).toBe("final");
  });

  it("and whose block falls out of the chain is sent again by the bytes that were kept (SAFETY 12)", async () => {
    expect(await write((tx) => reopenAbove(tx, finalBlock))).toEqual([instructionId]);
    expect(await state()).toBe("sending");
    expect(await rows("SELECT raw, sent_at FROM attempt WHERE hash = $1", [hash])).toEqual([
      { raw: "0x02", sent_at: null },
    ]);
  });

  it("is asked about by each hash that it was ever sent under, also when a reorg made it open again (SAFETY 12)", async () => {
    const [raised, unsent] = [`${hash.slice(0, -1)}a`, `${hash.slice(0, -1)}b`];
    const createdAt = new Date();
    await write(async (tx) => {
      await storeAttempts(tx, [{ hash: raised, chainTxId, number: 2, raw: "0x03", ...fees, createdAt }]);
      await recordAnswers(tx, [{ hash: raised, answer: "nonce_too_low", sentAt: createdAt }]);
      await reopenAbove(tx, finalBlock);
      await recordAnswers(tx, [{ hash: raised, answer: "nonce_too_low", sentAt: createdAt }]);
      await storeAttempts(tx, [{ hash: unsent, chainTxId, number: 3, raw: "0x04", ...fees, createdAt }]);
    });
    const waiting = await readWaiting(pool, { sentBefore: new Date(Date.now() + 1_000), limit: 100 });
    const own = waiting.filter((row) => row.chain_tx_id === chainTxId).map((row) => row.hash);
    expect(own).toEqual([raised, hash]);
  });
});

describe("the lease", () => {
  const take = (holder: string, forMs: number) => takeLease(pool, { name: "chain", holder, forMs });
  const hold = (fence: number) => write((tx) => holdFence(tx, { name: "chain", fence }));

  it("gives each new holder a higher number, and work under an older one is refused", async () => {
    const older = (await take("one", -1_000)) ?? 0;
    expect(await take("one", -1_000)).toBe(older);
    await hold(older);
    const newer = (await take("another", 60_000)) ?? 0;
    expect(newer).toBeGreaterThan(older);
    expect(await take("one", 60_000)).toBeNull();
    await hold(newer);
    await expect(hold(older)).rejects.toThrow(LostLeaseError);
  });
});
