/** Starts a part of the local infrastructure, says where, and holds it until this process is killed. */
import { startLocalBase } from "../../scripts/local/base.ts";
import { lockFolder } from "../../scripts/local/folder-lock.ts";
import { startLocalPostgres } from "../../scripts/local/postgres.ts";

const [part, dataDir] = process.argv.slice(2);
if (!dataDir) throw new Error("Name the part and its data folder");

async function start(part: string | undefined, dataDir: string): Promise<unknown> {
  if (part === "base") return startLocalBase({ dataDir, persist: true, log: console.error });
  if (part === "postgres") return startLocalPostgres({ dataDir, persist: true });
  const lock = await lockFolder(dataDir);
  await lock.announce("http://localhost:4200");
  return { pid: process.pid };
}

console.log(JSON.stringify(await start(part, dataDir)));
setInterval(() => undefined, 60_000);
