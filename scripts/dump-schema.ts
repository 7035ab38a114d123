/**
 * Writes engine/db/schema.sql: what the migrations add up to, read back from the database itself, for review.
 * `npm run schema` writes it; `npm run schema -- --check` fails when the file is out of date.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { migrate } from "../engine/db/migrate.ts";
import { describeSchema } from "../engine/db/schema.ts";
import { startLocalPostgres } from "./local/postgres.ts";

const file = fileURLToPath(new URL("../engine/db/schema.sql", import.meta.url));
const dataDir = await mkdtemp(join(tmpdir(), "rail-schema-"));
const postgres = await startLocalPostgres({ dataDir: join(dataDir, "postgres"), persist: false });
try {
  await migrate(postgres.ownerUrl);
  const schema = await describeSchema(postgres.ownerUrl);
  if (!process.argv.includes("--check")) {
    await writeFile(file, schema);
    console.log("engine/db/schema.sql is written.");
  } else if ((await readFile(file, "utf8")) !== schema) {
    console.error("engine/db/schema.sql is out of date: run npm run schema and review the difference.");
    process.exitCode = 1;
  } else {
    console.log("engine/db/schema.sql is what the migrations give.");
  }
} finally {
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
}
