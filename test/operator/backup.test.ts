import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { backUp, restore } from "../../scripts/operator/copies.ts";
import { createTestDatabase, queryOnce, type TestDatabase } from "../helpers/database.ts";
import { createWatchedWorld, type MoneyWorld } from "../helpers/money-world.ts";
import { finalize, payAsStranger } from "../helpers/treasury.ts";
import { runOperator } from "./command-line.ts";

/** Each command is a process that has to load the engine first; one starts a Postgres of its own. */
vi.setConfig({ testTimeout: 240_000 });

let folder: string;
let world: MoneyWorld;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "on-the-rail-backup-"));
  world = await createWatchedWorld();
  const player = await world.player();
  await world.base.mint(world.base.usdc, player.depositAddress, 2n ** 128n - 1n);
  await payAsStranger(world, { to: world.vault, amount: 77n });
  await world.query("INSERT INTO audit (actor, action, subject, detail) VALUES ($1, 'test', 'text', $2)", [
    'tab\there, line\nhere, \\. and "quotes", ö, \u2028',
    { nested: ["\\N", null, "\\."] },
  ]);
  await world.query(
    "INSERT INTO session (id_hash, player_id, data, expires_at) VALUES ('\\x01', $1, '{}', now() + interval '1 day')",
    [player.id],
  );
  await finalize(world);
  await world.settle();
});
afterAll(async () => {
  for (const stop of stops) await stop();
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The command with the world's chain, on its database unless told otherwise. */
const operate = (
  line: string[],
  { ownerUrl, appUrl }: { ownerUrl: string; appUrl: string } = world.database,
  more: Record<string, string> = {},
) =>
  runOperator(line, {
    environment: {
      ...{ DATABASE_URL: appUrl, DATABASE_OWNER_URL: ownerUrl, BASE_RPC_URLS: world.base.rpcUrl },
      ...more,
    },
  });
async function emptyDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  stops.push(database.drop);
  return database;
}
const place = (name: string): string => join(folder, name);
/** A backup of the world as it is; answers its path. */
async function writeOne(name: string): Promise<string> {
  await backUp(world.database.ownerUrl, place(name));
  return place(name);
}
/** The same backup with its text changed. */
async function forge(path: string, name: string, change: (text: string) => string): Promise<string> {
  const text = gunzipSync(await readFile(path)).toString("utf8");
  const changed = change(text);
  expect(changed).not.toBe(text);
  await writeFile(place(name), gzipSync(changed));
  return place(name);
}

const everything = [
  "SELECT * FROM transfer ORDER BY id",
  "SELECT * FROM account ORDER BY id",
  // Those that wait for an owner are taken out of use, and so are the next ones.
  "SELECT id, address, player_id, game_id, next_nonce FROM wallet WHERE derivation_index < 200 AND address IS NOT NULL ORDER BY id",
  "SELECT * FROM deposit ORDER BY id",
  "SELECT * FROM attempt ORDER BY hash",
  "SELECT * FROM audit ORDER BY id",
  "SELECT * FROM switch ORDER BY name",
  "SELECT * FROM chain_cursor",
];

describe("a backup", () => {
  it("is one file of its owner's only, never in another's place, and can be tried out without a trace", async () => {
    const path = place("first.backup");
    const made = await operate(["backup", path]);
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(made.stdout).toMatch(
      /holds \d+ rows of \d+ tables, \d+ ledger transfers, up to block \d+, [\d.]+ s\.\nsha256 [0-9a-f]{64}\n/,
    );
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["first.backup"]);

    const bytes = await readFile(path);
    await expect(backUp(world.database.ownerUrl, path)).rejects.toThrow(`Something is already at ${path}.`);
    expect(await readFile(path)).toEqual(bytes);
    expect(await readdir(folder)).toEqual(["first.backup"]);

    // A place of its own: others may try out a backup at the same time.
    const scratch = await mkdtemp(join(tmpdir(), "on-the-rail-scratch-"));
    stops.push(() => rm(scratch, { recursive: true, force: true }));
    await chmod(scratch, 0o711); // Postgres may run as another user, who has to reach its data.
    const tried = await operate(["restore", path, "--verify"], world.database, { TMPDIR: scratch });
    expect(tried).toMatchObject({ code: 0, stderr: "" });
    expect(tried.stdout).toMatch(/^Its books balance, with what the wallets held at block \d+\.$/m);
    const left = await readdir(scratch);
    expect(left.filter((name) => name.startsWith("on-the-rail-verify-"))).toEqual([]);
  });

  it("restored into an empty database is the same books to the byte, which go on", async () => {
    const path = await writeOne("second.backup");
    const target = await emptyDatabase();
    const done = await operate(["restore", path], target);
    expect(done).toMatchObject({ code: 0, stderr: "" });
    expect(done.stdout).toContain("is restored, and in recovery: nothing leaves before an operator ends it.");
    for (const text of everything)
      expect(await queryOnce(target.appUrl, text)).toEqual(await queryOnce(world.database.appUrl, text));
    expect(await queryOnce(target.appUrl, "SELECT * FROM session")).toEqual([]);

    // A number that was handed out after the backup isn't handed out again, and the ledger's trigger works.
    const [last] = await queryOnce<{ id: string; debit: string; credit: string; token: string }>(
      target.appUrl,
      `SELECT id, debit_account_id AS debit, credit_account_id AS credit, token FROM transfer ORDER BY id DESC LIMIT 1`,
    );
    const [next] = await queryOnce<{ id: string; hash: Buffer }>(
      target.appUrl,
      `INSERT INTO transfer (debit_account_id, credit_account_id, token, amount, reason, business_key)
       VALUES (${last?.credit}, ${last?.debit}, '${last?.token}', 1, 'hold', 'test:after') RETURNING id, hash`,
    );
    expect(BigInt(next?.id ?? 0)).toBeGreaterThan(BigInt(last?.id ?? 0) + 999_999n);
    expect(next?.hash).toHaveLength(32);

    await expect(restore(target.ownerUrl, path)).rejects.toThrow("The database isn't empty");
  });

  it("that is cut off, altered or of another release is refused, and nothing is written", async () => {
    const path = await writeOne("third.backup");
    const target = await emptyDatabase();
    const bytes = await readFile(path);
    await writeFile(place("cut.backup"), bytes.subarray(0, bytes.length - 500));
    const cases: [path: string, says: string][] = [
      [place("cut.backup"), "is damaged, cut off, or no backup of ours."],
      [
        await forge(path, "line.backup", (text) => text.slice(0, text.lastIndexOf("\n{") + 1)),
        "its manifest is missing.",
      ],
      [
        await forge(path, "richer.backup", (text) => text.replace("\t77\t", "\t78\t")),
        "isn't what its manifest says.",
      ],
      [
        await forge(path, "newer.backup", (text) =>
          text.replace(/("migrations":\[.*?)\]/, '$1,"0999_more"]'),
        ),
        "restore it with the release that wrote it.",
      ],
      [
        await forge(path, "other.backup", (text) => text.replace('"format":1', '"format":2')),
        "isn't a backup that this release can read.",
      ],
      [place("nowhere.backup"), "There is no file"],
    ];
    for (const [file, says] of cases) await expect(restore(target.ownerUrl, file)).rejects.toThrow(says);
    expect(await queryOnce(target.appUrl, "SELECT id FROM player")).toEqual([]);
    expect(await queryOnce(target.appUrl, "SELECT name FROM switch")).toHaveLength(3);
    await restore(target.ownerUrl, path);
  });

  it("of books that don't balance fails when it is tried out", async () => {
    await world.query("UPDATE chain_cursor SET moved_at = now()");
    const owner = new pg.Client({ connectionString: world.database.ownerUrl });
    await owner.connect();
    const [wallet] = await world.query<{ next_nonce: string }>(
      "SELECT next_nonce FROM wallet WHERE purpose = 'vault'",
    );
    try {
      await owner.query("UPDATE wallet SET next_nonce = next_nonce + 1 WHERE purpose = 'vault'");
      const path = await writeOne("broken.backup");
      const tried = await operate(["restore", path, "--verify"]);
      expect(tried.code).toBe(1);
      expect(tried.stdout).toContain("7. BROKEN Nonces have no gap");
      expect(tried.stderr).toContain("The books in the backup DON'T balance.");
    } finally {
      await owner.query("UPDATE wallet SET next_nonce = $1 WHERE purpose = 'vault'", [wallet?.next_nonce]);
      await owner.end();
    }
  });
});
