import { open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { callNode } from "./rpc.ts";

const dumpTimeoutMs = 60_000;

/**
 * Keeps the whole state of a chain (blocks, logs, accounts) in a file of the folder. The old file is replaced only by a
 * complete new one that has reached the disk, so that a kill at any moment leaves one or the other.
 */
export async function writeSnapshot(folder: string, name: string, rpcUrl: string): Promise<void> {
  const dump = await callNode(rpcUrl, "anvil_dumpState", [], dumpTimeoutMs);
  if (typeof dump !== "string" || !dump.startsWith("0x1f8b"))
    throw new Error("anvil dumped no compressed state");
  const temporaryFile = join(folder, `${name}.new`);
  const file = await open(temporaryFile, "w");
  try {
    await file.writeFile(Buffer.from(dump.slice(2), "hex"));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporaryFile, snapshotFile(folder, name));
}

/** Unpacks the kept state for `anvil --load-state` and gives its path; undefined when nothing was kept. */
export async function readSnapshot(folder: string, name: string): Promise<string | undefined> {
  let packed: Buffer;
  try {
    packed = await readFile(snapshotFile(folder, name));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const stateFile = join(folder, `${name}.json`);
  await writeFile(stateFile, gunzipSync(packed));
  return stateFile;
}

function snapshotFile(folder: string, name: string): string {
  return join(folder, `${name}.json.gz`);
}
