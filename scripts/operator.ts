/**
 * The operator's commands on the books of the running engine: `npm run operator -- help`. They work on the database that
 * DATABASE_URL names, or on the local engine's; what has to be sent on the chain is sent by the running engine.
 *
 * Ends with 0 when it is done, 1 when it was refused or the books don't balance, 2 when the command was written wrongly.
 */
import { CommandError, readLine, readOptions, UsageError } from "./operator/arguments.ts";
import { help } from "./operator/help.ts";

async function main(): Promise<void> {
  const line = readLine(process.argv.slice(2));
  if (line.name === "help") return console.log(help);
  // Loaded when it is needed: a new seed takes no engine, and a wrong line no database.
  if (line.name === "create-keystore") {
    const { subject } = readOptions(line, { subject: "FILE", options: [] });
    const { createKeystoreAt } = await import("./operator/keystore.ts");
    return createKeystoreAt(subject);
  }
  if (line.name === "backup" || line.name === "restore") {
    const { prepareCopying } = await import("./operator/copies.ts");
    return prepareCopying(line)();
  }
  const { prepare } = await import("./operator/commands.ts");
  const run = prepare(line);
  const { withBooks } = await import("./operator/books.ts");
  await withBooks(run);
}

main().catch((error: unknown) => {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  console.error(error instanceof CommandError ? error.message : error);
});
