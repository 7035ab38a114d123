/**
 * A backup as a file: gzip over lines of text. The first line says what it is, then comes each table (a line that names
 * it, its rows as Postgres copies them, `\.`), and the last line is the manifest, without which the file was cut off.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, open, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import type pg from "pg";
import { z } from "zod";
import {
  beginSnapshot,
  copyIn,
  copyOut,
  factsShape,
  listTables,
  readFacts,
  readMigrations,
  type Table,
  tableShape,
} from "../../engine/db/backup.ts";
import { CommandError } from "./arguments.ts";

const header = z.object({
  backup: z.literal("on-the-rail"),
  format: z.literal(1),
  takenAt: z.iso.datetime(),
  migrations: z.array(z.string()),
});
export type Header = z.output<typeof header>;
const copied = z.object({ rows: z.number().int(), sha256: z.string() });
const manifest = z.object({ tables: z.record(z.string(), copied), facts: factsShape });
export type Manifest = z.output<typeof manifest>;

const newline = 0x0a;
const endOfTable = Buffer.from("\\.");
const asLine = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);

/** What a table's rows come to. */
class Tally {
  readonly #hash = createHash("sha256");
  #rows = 0;
  add(lines: Buffer, rows: number): void {
    this.#hash.update(lines);
    this.#rows += rows;
  }
  get result(): z.output<typeof copied> {
    return { rows: this.#rows, sha256: this.#hash.copy().digest("hex") };
  }
}

async function* pagesOf(client: pg.Client, table: Table, tally: Tally): AsyncGenerator<Buffer> {
  const rows = copyOut(client, table);
  for await (const page of rows as AsyncIterable<Buffer>) {
    tally.add(page, countLines(page));
    yield page;
  }
}

function countLines(page: Buffer): number {
  let lines = 0;
  for (let at = page.indexOf(newline); at >= 0; at = page.indexOf(newline, at + 1)) lines += 1;
  return lines;
}

/** What a database holds now, as the manifest of its backup would say. */
export async function takeManifest(client: pg.Client): Promise<Manifest> {
  const tables: Manifest["tables"] = {};
  for (const table of await listTables(client)) {
    const tally = new Tally();
    for await (const page of pagesOf(client, table, tally)) void page;
    tables[table.name] = tally.result;
  }
  return { tables, facts: await readFacts(client) };
}

/**
 * Writes a new file that only its owner can read. It has its name when it is whole and on the disk, never before.
 * @throws CommandError when something is at `path` already
 */
export async function writeBackup(
  client: pg.Client,
  path: string,
  takenAt: Date,
): Promise<{ manifest: Manifest; sha256: string }> {
  const target = resolve(path);
  const unfinished = `${target}.${process.pid}.part`;
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const file = await open(unfinished, "wx", 0o600);
  try {
    await beginSnapshot(client);
    let made: Manifest = { tables: {}, facts: await readFacts(client) };
    const lines = backupLines(client, takenAt, (whole) => {
      made = whole;
    });
    const digest = createHash("sha256");
    await pipeline(
      Readable.from(lines, { objectMode: false }),
      createGzip(),
      async (packed: AsyncIterable<Buffer>) => {
        for await (const part of packed) {
          digest.update(part);
          await file.writeFile(part);
        }
      },
    );
    await file.sync();
    // Unlike a rename, a link never takes another file's place.
    await link(unfinished, target).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "EEXIST"
        ? new CommandError(`Something is already at ${path}. It was not touched.`)
        : error;
    });
    return { manifest: made, sha256: digest.digest("hex") };
  } finally {
    await file.close();
    await unlink(unfinished);
  }
}

async function* backupLines(
  client: pg.Client,
  takenAt: Date,
  finished: (manifest: Manifest) => void,
): AsyncGenerator<Buffer> {
  const first: Header = {
    backup: "on-the-rail",
    format: 1,
    takenAt: takenAt.toISOString(),
    migrations: await readMigrations(client),
  };
  yield asLine(first);
  const tables: Manifest["tables"] = {};
  for (const table of await listTables(client)) {
    yield asLine({ table });
    const tally = new Tally();
    yield* pagesOf(client, table, tally);
    tables[table.name] = tally.result;
    yield Buffer.concat([endOfTable, Buffer.from([newline])]);
  }
  const whole = { tables, facts: await readFacts(client) };
  yield asLine({ manifest: whole });
  finished(whole);
}

/** A backup that is being read, in its order: `copyInto` takes each table to a database and answers the manifest. */
export interface OpenBackup {
  header: Header;
  /** @throws CommandError when the file is cut off, or isn't what its manifest says */
  copyInto(client: pg.Client): Promise<Manifest>;
  close(): Promise<void>;
}

/** @throws CommandError when there is no backup of ours at `path` */
export async function openBackup(path: string): Promise<OpenBackup> {
  const file = createReadStream(path);
  const unpacked = createGunzip();
  file.on("error", (error) => unpacked.destroy(error));
  const lines = linesOf(file.pipe(unpacked));
  const next = async (): Promise<Buffer | null> => {
    const { done, value } = await lines.next().catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") throw new CommandError(`There is no file ${path}.`);
      throw error.code?.startsWith("Z_")
        ? new CommandError(`${path} is damaged, cut off, or no backup of ours.`)
        : error;
    });
    return done === true ? null : value;
  };
  const close = async (): Promise<void> => {
    file.destroy();
    unpacked.destroy();
  };
  try {
    const first = header.safeParse(jsonOf(await next()));
    if (!first.success) throw new CommandError(`${path} isn't a backup that this release can read.`);
    return { header: first.data, copyInto: (client) => copyAll(client, next, path), close };
  } catch (error) {
    await close();
    throw error;
  }
}

const part = z.union([z.object({ table: tableShape }), z.object({ manifest })]);

async function copyAll(
  client: pg.Client,
  next: () => Promise<Buffer | null>,
  path: string,
): Promise<Manifest> {
  const known = new Map((await listTables(client)).map((table) => [table.name, table]));
  const copiedTables: Manifest["tables"] = {};
  for (;;) {
    const line = part.safeParse(jsonOf(await next()));
    if (!line.success) throw new CommandError(`${path} is cut off: its manifest is missing.`);
    if ("manifest" in line.data) {
      compareTables(line.data.manifest.tables, copiedTables, path);
      return line.data.manifest;
    }
    const { table } = line.data;
    const ours = known.get(table.name);
    if (ours?.columns.join() !== table.columns.join())
      throw new CommandError(`${path} has a table ${table.name} of another form.`);
    copiedTables[table.name] = await copyTable(client, table, next, path);
  }
}

function compareTables(said: Manifest["tables"], found: Manifest["tables"], path: string): void {
  for (const name of new Set([...Object.keys(said), ...Object.keys(found)])) {
    if (said[name]?.rows !== found[name]?.rows || said[name]?.sha256 !== found[name]?.sha256)
      throw new CommandError(`${path} is damaged: table ${name} isn't what its manifest says.`);
  }
}

const rowsPerWrite = 500;

async function copyTable(
  client: pg.Client,
  table: Table,
  next: () => Promise<Buffer | null>,
  path: string,
): Promise<z.output<typeof copied>> {
  const tally = new Tally();
  async function* rows(): AsyncGenerator<Buffer> {
    for (let isOver = false; !isOver; ) {
      const lines: Buffer[] = [];
      while (lines.length < rowsPerWrite && !isOver) {
        const line = await next();
        if (line === null) throw new CommandError(`${path} is cut off in table ${table.name}.`);
        if (line.equals(endOfTable)) isOver = true;
        else lines.push(Buffer.concat([line, Buffer.from([newline])]));
      }
      const page = Buffer.concat(lines);
      tally.add(page, lines.length);
      if (page.length > 0) yield page;
    }
  }
  await pipeline(Readable.from(rows(), { objectMode: false }), copyIn(client, table));
  return tally.result;
}

async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const page of bytes) {
    let from = 0;
    for (let at = page.indexOf(newline); at >= 0; at = page.indexOf(newline, from)) {
      yield Buffer.concat([...rest, page.subarray(from, at)]);
      rest = [];
      from = at + 1;
    }
    rest.push(page.subarray(from));
  }
}

function jsonOf(line: Buffer | null): unknown {
  try {
    return line === null ? null : JSON.parse(line.toString("utf8"));
  } catch {
    return null;
  }
}
