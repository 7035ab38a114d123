import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { FolderInUseError, lockFolder } from "../../scripts/local/folder-lock.ts";
import { startInOwnProcess } from "./killed-engine.ts";

let dataDir: string;
let kills: (() => Promise<void>)[];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "on-the-rail-lock-"));
  kills = [];
});
afterEach(async () => {
  for (const kill of kills) await kill();
  await rm(dataDir, { recursive: true, force: true });
});

async function lockInOwnProcess(): Promise<{ pid: number; kill(): Promise<void> }> {
  const held = await startInOwnProcess("lock", dataDir, z.object({ pid: z.number() }));
  kills.push(held.kill);
  return held;
}

test("a second engine is told who has the folder, where it listens and what to do", async () => {
  const { pid } = await lockInOwnProcess();
  await expect(lockFolder(dataDir)).rejects.toThrow(
    new FolderInUseError(
      `An engine runs on the data folder ${dataDir} already, as process ${pid} at http://localhost:4200: use that one, or stop it (kill ${pid}) and start again, or name another folder in DATA_DIR.`,
    ),
  );
});

test("an engine that is only starting has the folder too", async () => {
  await lockFolder(dataDir);
  await expect(lockFolder(dataDir)).rejects.toThrow(`is starting on the data folder ${dataDir}`);
});

test("a killed engine holds nothing any more", async () => {
  const { kill } = await lockInOwnProcess();
  await kill();
  await lockFolder(dataDir);
  await expect(lockFolder(dataDir)).rejects.toThrow(`as process ${process.pid}`);
});

test("a released folder can be had again and again, and keeps one file", async () => {
  for (let turn = 0; turn < 12; turn++) await (await lockFolder(dataDir)).release();
  expect(await readdir(join(dataDir, "lock"))).toHaveLength(1);
});

test("a start while another engine stops waits until that one is out", async () => {
  const first = await lockFolder(dataDir);
  await first.announceStop();
  const heardOf: number[] = [];
  let isReleased = false;
  const second = await lockFolder(dataDir, {
    waits: (pid) => {
      heardOf.push(pid);
      void first.release().then(() => {
        isReleased = true;
      });
    },
  });
  expect([heardOf, isReleased]).toEqual([[process.pid], true]);
  await second.announce("http://localhost:4201");
  await expect(lockFolder(dataDir)).rejects.toThrow("at http://localhost:4201");
});

test("a start doesn't wait forever for one that hangs while it stops", async () => {
  const first = await lockFolder(dataDir);
  await first.announceStop();
  await expect(lockFolder(dataDir, { patienceMs: 100 })).rejects.toThrow("is still stopping, as process");
});

test("whoever waits can be told to give up", async () => {
  const first = await lockFolder(dataDir);
  await first.announceStop();
  const ending = new AbortController();
  const waiting = lockFolder(dataDir, { waits: () => ending.abort(), signal: ending.signal });
  await expect(waiting).rejects.toThrow("aborted");
});

test("of many that find the lock of a killed engine exactly one gets it", async () => {
  for (let round = 0; round < 2; round++) {
    const { kill } = await lockInOwnProcess();
    await kill();
    const answers = await Promise.allSettled(Array.from({ length: 30 }, () => lockFolder(dataDir)));
    const locks = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    expect(locks).toHaveLength(1);
    for (const answer of answers)
      if (answer.status === "rejected") expect(answer.reason).toBeInstanceOf(FolderInUseError);
    await locks[0]?.release();
  }
});

test("a turn goes from one to the next under load, and never to two at once", async () => {
  let holders = 0;
  let turns = 0;
  const queue = async (): Promise<void> => {
    for (let taken = 0; taken < 5; ) {
      const lock = await lockFolder(dataDir).catch((error: unknown) => {
        if (!(error instanceof FolderInUseError)) throw error;
        return undefined;
      });
      if (lock === undefined) continue;
      holders += 1;
      expect(holders).toBe(1);
      await lock.announceStop();
      holders -= 1;
      taken += 1;
      turns += 1;
      await lock.release();
    }
  };
  await Promise.all(Array.from({ length: 8 }, queue));
  expect(turns).toBe(40);
});
