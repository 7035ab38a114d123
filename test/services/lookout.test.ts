import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Sighting } from "../../engine/chain/types.ts";
import { beginCursor } from "../../engine/db/cursor.ts";
import { createPool, type Pool, transaction } from "../../engine/db/pool.ts";
import { reserveWallet, setWalletAddress } from "../../engine/db/wallets.ts";
import { Lookout } from "../../engine/services/lookout.ts";
import { createTestDatabase, type TestDatabase } from "../helpers/database.ts";

const [stranger, vault] = ["99", "aa"].map((byte) => `0x${byte.repeat(20)}`) as [string, string];
const told: Sighting = { from: stranger, to: vault, txHash: `0x${"01".repeat(32)}` };
const elsewhere: Sighting = { from: stranger, to: stranger, txHash: `0x${"02".repeat(32)}` };
let database: TestDatabase;
let pool: Pool;
let lookout: Lookout;

beforeAll(async () => {
  database = await createTestDatabase();
  // One connection, so that whoever asks next has waited for the reading before.
  pool = createPool({ url: database.appUrl, maxConnections: 1 });
  const { id } = await transaction(pool, (tx) => reserveWallet(tx, "vault"));
  await setWalletAddress(pool, { id, address: vault });
});
beforeEach(() => {
  lookout = new Lookout(pool);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** Those that come in one turn of the process are read together. */
async function note(...sightings: Sighting[]): Promise<void> {
  for (const sighting of sightings) lookout.note(sighting);
  await new Promise((resolve) => setImmediate(resolve));
}

async function noteAndRead(...sightings: Sighting[]): Promise<void> {
  await note(...sightings);
  await pool.query("SELECT 1");
}

it("whom transfers concern is known before their block is, from one reading or several", async () => {
  await note(told, elsewhere);
  expect((await lookout.take([told]))?.parties.wallets.get(vault)?.purpose).toBe("vault");
  await note(elsewhere);
  await noteAndRead(told);
  expect((await lookout.take([elsewhere, told]))?.parties.wallets.get(vault)?.purpose).toBe("vault");
});

it("of several readings the last says how the books stand, in whatever order it is asked for", async () => {
  const block = {
    number: 7n,
    hash: `0x${"07".repeat(32)}`,
    parentHash: `0x${"06".repeat(32)}`,
    stampedAt: new Date(0),
  };
  await noteAndRead(elsewhere);
  await transaction(pool, (tx) => beginCursor(tx, { chainId: 8453, block }));
  await noteAndRead(told);
  expect((await lookout.take([told, elsewhere]))?.outlook.cursor?.head_hash).toBe(block.hash);
});

it("a transfer that nobody told of, or that is another than was told, is read with its block", async () => {
  await noteAndRead(elsewhere);
  expect(await lookout.take([elsewhere, told])).toBeNull();
  for (const wrong of [{ to: stranger }, { from: vault }, { txHash: elsewhere.txHash }]) {
    await noteAndRead({ ...told, ...wrong });
    expect(await lookout.take([told])).toBeNull();
  }
});

it("what comes while others are read waits for its turn, and isn't waited for", async () => {
  const busy = await pool.connect();
  try {
    await note(elsewhere);
    await note(told);
    expect(pool.waitingCount).toBe(1);
    expect(await lookout.take([told])).toBeNull();
  } finally {
    busy.release();
  }
});

it("what was read counts for one block only", async () => {
  await noteAndRead(told);
  expect(await lookout.take([])).toBeNull();
  expect(await lookout.take([told])).toBeNull();
});

it("a thousand strangers' transfers are read, and a flood isn't", async () => {
  const many = Array.from({ length: 1_001 }, (_, index) => ({
    ...elsewhere,
    txHash: `0x${index.toString(16).padStart(64, "0")}`,
  }));
  await note(...many);
  expect(await lookout.take(many.slice(0, 1_000))).not.toBeNull();
  await note(...many);
  expect(await lookout.take(many)).toBeNull();
});

it("a database that is away is asked again with the block", async () => {
  const gone = createPool({ url: database.appUrl });
  await gone.end();
  const blind = new Lookout(gone);
  blind.note(told);
  await new Promise((resolve) => setImmediate(resolve));
  expect(await blind.take([told])).toBeNull();
});
