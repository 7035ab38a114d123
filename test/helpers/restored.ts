/** Books as of a backup, in the world that has gone on since. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPool } from "../../engine/db/pool.ts";
import { confirmRound } from "../../engine/services/confirming.ts";
import type { Context, Settings } from "../../engine/services/context.ts";
import { recoverIfOld, recoverRound, reportRecovery } from "../../engine/services/recovery.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { prepareWallets } from "../../engine/services/wallets.ts";
import { runWatcher } from "../../engine/workers/watcher.ts";
import { createMoneyContext } from "../../scripts/local/bare-context.ts";
import { backUp, restore } from "../../scripts/operator/copies.ts";
import { createTestDatabase, queryOnce } from "./database.ts";
import { createMoneyWorld, type MoneyWorld } from "./money-world.ts";
import { waitFor } from "./wait.ts";

/** A world that goes on after its books were copied. */
export interface BackedUpWorld {
  world: MoneyWorld;
  takeBackup(): Promise<void>;
  /** The engine on the restored books, in the same world; nobody watches on the newer ones any more. */
  restored(by?: "restore" | "other means"): Promise<MoneyWorld>;
  stop(): Promise<void>;
}

export async function createBackedUpWorld(settings: Partial<Settings> = {}): Promise<BackedUpWorld> {
  const folder = await mkdtemp(join(tmpdir(), "on-the-rail-restored-"));
  const world = await createMoneyWorld(settings);
  const path = join(folder, "books.backup");
  const endWatching = world.watch();
  await world.caughtUp();
  return {
    world,
    async takeBackup() {
      await backUp(world.database.ownerUrl, path);
    },
    async restored(by = "restore") {
      await endWatching();
      return restoreWorld(world, { path, by });
    },
    async stop() {
      await world.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The engine on the restored books: the database has gone, the chain hasn't. It ends with the world. */
async function restoreWorld(
  world: MoneyWorld,
  { path, by }: { path: string; by: "restore" | "other means" },
): Promise<MoneyWorld> {
  const database = await createTestDatabase();
  await restore(database.ownerUrl, path);
  const pool = createPool({ url: database.appUrl, maxConnections: 20 });
  const ends: (() => Promise<void>)[] = [() => database.drop(), () => pool.end()];
  // What was begun last ends first.
  world.endsAfter(async () => {
    for (const end of ends.reverse()) await end();
  });
  const { chain, base } = world;
  const query = async <Row>(text: string, values: unknown[] = []) =>
    (await pool.query(text, values)).rows as Row[];
  if (by === "other means") await forgetRestore(database.ownerUrl);
  const context: Context = await createMoneyContext({ pool, chain, tokens: base });
  await query(
    "INSERT INTO lease (name, holder, fence, expires_at) VALUES ('chain', 'test', 1, now() + interval '1 hour')",
  );
  return { ...world, database, context, fence: 1, query, endsAfter: (end) => void ends.push(end) };
}

/** Books that the operator's command brought back, as if something else had. */
export const forgetRestore = (ownerUrl: string): Promise<unknown> =>
  queryOnce(
    ownerUrl,
    "DELETE FROM recovery; DELETE FROM wallet WHERE retired AND address IS NULL; UPDATE wallet SET retired = false",
  );

/** What a process does at its start, and the watcher of it; it ends with the world. */
export async function startRestored(old: MoneyWorld): Promise<void> {
  await prepareWallets(old.context);
  await recoverIfOld(old.context);
  const stopping = new AbortController();
  const done = runWatcher(old.context, { signal: stopping.signal });
  old.endsAfter(async () => {
    stopping.abort();
    await done;
  });
}

/** Rounds of a leading process, with blocks in between, until nothing keeps the recovery from ending. */
export async function recover(old: MoneyWorld): Promise<void> {
  await waitFor(
    async () => {
      await sendRound(old.context, { fence: old.fence });
      await recoverRound(old.context);
      await confirmRound(old.context);
      await old.base.mine(1);
      const report = await reportRecovery(old.context);
      return report?.open.length === 0;
    },
    { what: "everything to be explained", timeoutMs: 60_000, everyMs: 100 },
  );
}

/** Rounds until no instruction is under way any more. */
export async function settleRestored(old: MoneyWorld): Promise<void> {
  await waitFor(
    async () => {
      await sendRound(old.context, { fence: old.fence });
      await old.base.mine(1);
      await confirmRound(old.context);
      const open = await old.query(
        "SELECT 1 FROM instruction WHERE state IN ('gathering', 'queued', 'sending', 'mined')",
      );
      return open.length === 0;
    },
    { what: "every instruction to be over", timeoutMs: 40_000, everyMs: 50 },
  );
}
