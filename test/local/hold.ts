/** Starts a part of the local infrastructure, says where, and holds it until this process is killed. */
import { startLocalBase } from "../../scripts/local/base.ts";
import { startLocalPostgres } from "../../scripts/local/postgres.ts";

const [part, dataDir] = process.argv.slice(2);
if (!dataDir) throw new Error("Name the part and its data folder");

const started =
  part === "base"
    ? await startLocalBase({ dataDir, persist: true, log: console.error })
    : await startLocalPostgres({ dataDir, persist: true });
console.log(JSON.stringify(started));
setInterval(() => undefined, 60_000);
