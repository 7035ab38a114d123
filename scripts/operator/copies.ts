/** `backup` and `restore`: copies of the whole books, taken while the engine runs and brought back where nothing is yet. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { readConfig } from "../../engine/config.ts";
import { connectForCopying, findFilledTables, readMigrations, restoring } from "../../engine/db/backup.ts";
import { migrate } from "../../engine/db/migrate.ts";
import { beginRecovery } from "../../engine/db/recovery.ts";
import { openFoundation } from "../../engine/foundation.ts";
import { reportBooks } from "../../engine/services/books-report.ts";
import { startLocalPostgres } from "../local/postgres.ts";
import { CommandError, type Line, readOptions } from "./arguments.ts";
import { type Manifest, openBackup, takeManifest, writeBackup } from "./backup-file.ts";
import { explainFailure, readEnvironment } from "./books.ts";

/**
 * What the line asks for, ready to be done.
 * @throws UsageError
 */
export function prepareCopying(line: Line): () => Promise<void> {
  if (line.name === "backup") {
    const { subject: path } = readOptions(line, { subject: "FILE", options: [] });
    return async () => {
      const startedAtMs = performance.now();
      const { manifest, sha256 } = await backUp(await readOwnerUrl(), path);
      console.log(`${path} holds ${summaryOf(manifest)}, ${secondsSince(startedAtMs)} s.`);
      console.log(`sha256 ${sha256}`);
      console.log("The seed isn't in it: keep the keystore's copies apart.");
    };
  }
  const { subject: path, verify } = readOptions(line, { subject: "FILE", options: ["verify"] });
  if (verify === true) return () => verifyBackup(path);
  return async () => {
    await restore(await readOwnerUrl(), path);
    console.log(`${path} is restored, and in recovery: nothing leaves before an operator ends it.`);
    console.log("Start the engine, and look: npm run operator -- recovery");
  };
}

/** @throws CommandError when something is at `path` already */
export async function backUp(ownerUrl: string, path: string): ReturnType<typeof writeBackup> {
  const client = await connect(ownerUrl);
  try {
    return await writeBackup(client, path, new Date());
  } finally {
    await client.end();
  }
}

/**
 * Brings a backup back, in recovery.
 * @throws CommandError unless the database is there and holds nothing
 */
export async function restore(ownerUrl: string, path: string): Promise<void> {
  const client = await connect(ownerUrl);
  try {
    await refuseFilled(client);
    await migrate(ownerUrl);
    await fill(client, path, async (cause) => {
      await beginRecovery(client, { cause });
    });
  } finally {
    await client.end();
  }
}

async function refuseFilled(client: pg.Client): Promise<void> {
  const filled = await findFilledTables(client);
  if (filled.length === 0) return;
  throw new CommandError(
    `The database isn't empty (${filled.slice(0, 3).join(", ")} …): name a new one in DATABASE_OWNER_URL. Nothing was written.`,
  );
}

/** @param last what comes after all rows, in the same transaction */
async function fill(
  client: pg.Client,
  path: string,
  last: (cause: string) => Promise<void> = async () => undefined,
): Promise<Manifest> {
  const backup = await openBackup(path);
  try {
    const { takenAt, migrations } = backup.header;
    const ours = await readMigrations(client);
    if (migrations.join() !== ours.join()) {
      throw new CommandError(
        `The backup of ${takenAt} has the schema ${migrations.at(-1)}, this release makes ${ours.at(-1)}: restore it with the release that wrote it.`,
      );
    }
    let manifest: Manifest | undefined;
    const copy = async (): Promise<void> => {
      manifest = await backup.copyInto(client);
    };
    await restoring(client, copy, () => last(`restored from the backup of ${takenAt}`));
    if (manifest === undefined) throw new Error("a backup ends with its manifest");
    return manifest;
  } finally {
    await backup.close();
  }
}

/** Restores into a Postgres of its own, compares everything, checks the books, and leaves nothing behind. */
async function verifyBackup(path: string): Promise<void> {
  const startedAtMs = performance.now();
  const environment = await readEnvironment();
  const folder = await mkdtemp(join(tmpdir(), "on-the-rail-verify-"));
  await chmod(folder, 0o711); // Postgres may run as another user, who has to reach its data.
  try {
    const postgres = await startLocalPostgres({ dataDir: join(folder, "postgres"), persist: false });
    try {
      await migrate(postgres.ownerUrl);
      const manifest = await restoreAndCompare(path, postgres.ownerUrl);
      console.log(`${path} can be restored: ${summaryOf(manifest)}.`);
      const scratch = { ...environment, DATABASE_URL: postgres.appUrl, DATABASE_OWNER_URL: undefined };
      await checkInvariants(scratch);
      console.log(`Looked at for ${secondsSince(startedAtMs)} s; nothing was kept.`);
    } finally {
      await postgres.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function restoreAndCompare(path: string, ownerUrl: string): Promise<Manifest> {
  const client = await connectForCopying(ownerUrl);
  try {
    const manifest = await fill(client, path);
    const restored = await takeManifest(client);
    for (const [name, { sha256 }] of Object.entries(manifest.tables)) {
      if (restored.tables[name]?.sha256 !== sha256)
        throw new CommandError(`Table ${name} came out of the database as something else.`);
    }
    if (JSON.stringify(restored.facts) !== JSON.stringify(manifest.facts))
      throw new CommandError("The restored books are not those of the manifest.");
    return manifest;
  } finally {
    await client.end();
  }
}

async function checkInvariants(environment: Record<string, string | undefined>): Promise<void> {
  const foundation = await openFoundation(readConfig({ ...environment, LOG_LEVEL: "error" }), {
    keys: "none",
  }).catch((error: unknown) => {
    throw explainFailure(error);
  });
  try {
    const { invariants, blockNumber } = await reportBooks(foundation.context);
    const broken = invariants.filter(({ ok }) => !ok);
    for (const { number, name, detail } of broken) console.log(`${number}. BROKEN ${name}: ${detail}`);
    if (broken.length > 0) throw new CommandError("The books in the backup DON'T balance.");
    console.log(
      blockNumber === null
        ? "Its books balance; the chain didn't say what the wallets held then."
        : `Its books balance, with what the wallets held at block ${blockNumber}.`,
    );
  } finally {
    await foundation.close();
  }
}

async function readOwnerUrl(): Promise<string> {
  const { DATABASE_OWNER_URL: ownerUrl } = await readEnvironment();
  if (ownerUrl === undefined || ownerUrl === "")
    throw new CommandError("Set DATABASE_OWNER_URL: only the owner's login reaches every table.");
  return ownerUrl;
}

const connect = (ownerUrl: string): Promise<pg.Client> =>
  connectForCopying(ownerUrl).catch((error: unknown) => {
    throw explainFailure(error);
  });

function summaryOf({ tables, facts }: Manifest): string {
  const rows = Object.values(tables).reduce((sum, table) => sum + table.rows, 0);
  const block = facts.chain === null ? "no block" : `block ${facts.chain.head}`;
  return `${rows} rows of ${Object.keys(tables).length} tables, ${facts.ledger.transfers} ledger transfers, up to ${block}`;
}

const secondsSince = (startedAtMs: number): string => ((performance.now() - startedAtMs) / 1_000).toFixed(1);
