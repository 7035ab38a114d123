/** The keys and locks that the engine's files hold, and which of them a list of guards doesn't take away. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Guard } from "../../scripts/mutants/guards/guard.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const texts = new Map<string, string>();
const read = (file: string): string => {
  const text = texts.get(file) ?? readFileSync(`${root}${file}`, "utf8");
  texts.set(file, text);
  return text;
};
const list = (ending: string): string[] =>
  readdirSync(`${root}engine`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => `engine/${file}`)
    .sort();
const schema = read("engine/db/schema.sql");
const migrations = list(".sql").filter((file) => file.includes("/migrations/"));
/** What a later migration makes takes the place of what an earlier one made. */
const newestWith = (has: (sql: string) => boolean): string | undefined =>
  migrations.findLast((file) => has(read(file)));

interface Held {
  name: string;
  isTakenAwayBy(guard: Guard): boolean;
}

const without = ({ file, guard, instead }: Guard): string => read(file).replace(guard, () => instead);
const tables = /^CREATE TABLE (\w+) \((.*?)^\);/gms;

/** The keys that a migration makes, by the names that Postgres gives them. */
function keysIn(sql: string): Set<string> {
  const names = [...sql.matchAll(/CREATE UNIQUE INDEX (\w+)|ADD CONSTRAINT (\w+) UNIQUE/g)].map(
    ([, index, constraint]) => index ?? constraint ?? "",
  );
  for (const [, table, body = ""] of sql.matchAll(tables)) {
    const text = body.replaceAll(/--.*/g, "");
    if (/\bPRIMARY KEY\b/.test(text)) names.push(`${table}_pkey`);
    for (const [, column] of text.matchAll(/^ +([a-z_]+) .*\bUNIQUE\b/gm))
      names.push(`${table}_${column}_key`);
    for (const [, columns = ""] of text.matchAll(/^ +UNIQUE [^(]*\((.+?)\)/gm))
      names.push(`${table}_${columns.split(", ").join("_")}_key`);
  }
  return new Set(names);
}

/** Numbers that the database counts by itself only identify a row: the application can't choose them. */
const isCounted = (body: string, column: string): boolean =>
  new RegExp(`^ +${column} .* GENERATED ALWAYS AS IDENTITY`, "m").test(body);

function listKeys(): Held[] {
  const names = [...schema.matchAll(/^CREATE UNIQUE INDEX (\w+)/gm)].map(([, name = ""]) => name);
  for (const [, , body = ""] of schema.matchAll(tables))
    for (const [, name = "", columns = ""] of body.matchAll(
      /CONSTRAINT (\w+) (?:PRIMARY KEY|UNIQUE)[^(]*\((.+?)\)/g,
    ))
      if (!isCounted(body, columns)) names.push(name);
  return names.map((name) => {
    const file = newestWith((sql) => keysIn(sql).has(name));
    return {
      name,
      isTakenAwayBy: (guard) => guard.file === file && !keysIn(without(guard)).has(name),
    };
  });
}

const lockText =
  /\bFOR (?:NO KEY )?UPDATE\b|\bFOR (?:KEY )?SHARE\b|\bLOCK TABLE\b|\bpg_\w*advisory\w*lock\w*\(/g;

/** The locks in a part of a file that begins `from` so many characters. */
const locksIn = (file: string, part: string, from = 0): Held[] =>
  [...part.matchAll(lockText)].map(({ index }) => {
    const at = from + index;
    const line = read(file).slice(0, at).split("\n").length;
    return {
      name: `${file}:${line}`,
      isTakenAwayBy: ({ file: its, guard, instead }) => {
        const start = read(file).indexOf(guard);
        return its === file && start <= at && at < start + guard.length && instead.match(lockText) === null;
      },
    };
  });

function listLocks(): Held[] {
  const inCode = list(".ts").flatMap((file) => locksIn(file, read(file)));
  const inFunctions = schema.split("\n").flatMap((line) => {
    const file = line.match(lockText) === null ? undefined : newestWith((sql) => sql.includes(line));
    return file === undefined
      ? locksIn("engine/db/schema.sql", line)
      : locksIn(file, line, read(file).indexOf(line));
  });
  return [...inCode, ...inFunctions];
}

const held = [...listKeys(), ...listLocks()];
export const unguardedBy = (guards: readonly Guard[]): string[] =>
  held.filter((one) => !guards.some((guard) => one.isTakenAwayBy(guard))).map(({ name }) => name);
