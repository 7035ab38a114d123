import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { callNode, toQuantity } from "./rpc.ts";

const originSchema = z.object({
  upstream: z.enum(["local", "base"]),
  blockNumber: z.number().int().nonnegative(),
  blockHash: z.string(),
});
const blockSchema = z.object({ number: z.string(), hash: z.string() });

/** Which block of which chain a kept chain was forked at: it means nothing on any other. */
type ForkOrigin = z.infer<typeof originSchema>;

/**
 * The block to fork at: what the folder says when it holds a chain, else a block of the upstream that can't go away,
 * which is noted in the folder.
 *
 * @throws when the folder's chain was forked from another upstream, or the upstream doesn't have that block any more.
 */
export async function settleForkOrigin(
  folder: string,
  { upstream, upstreamUrl }: { upstream: ForkOrigin["upstream"]; upstreamUrl: string },
): Promise<number> {
  const file = join(folder, "fork.json");
  const known = await readOrigin(file);
  if (!known) {
    const block = await readBlock(upstreamUrl, upstream === "base" ? "finalized" : "latest");
    const blockNumber = Number(block.number);
    await writeFile(
      file,
      JSON.stringify({ upstream, blockNumber, blockHash: block.hash } satisfies ForkOrigin),
    );
    return blockNumber;
  }
  if (known.upstream !== upstream) {
    throw new Error(
      `${folder} holds a fork of ${known.upstream}, not of ${upstream}: choose another data folder`,
    );
  }
  const block = await readBlock(upstreamUrl, toQuantity(known.blockNumber));
  if (block.hash !== known.blockHash) {
    throw new Error(
      `The upstream's block ${known.blockNumber} isn't the one that the chain in ${folder} was forked at`,
    );
  }
  return known.blockNumber;
}

async function readOrigin(file: string): Promise<ForkOrigin | undefined> {
  try {
    return originSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function readBlock(rpcUrl: string, which: string): Promise<z.infer<typeof blockSchema>> {
  return blockSchema.parse(await callNode(rpcUrl, "eth_getBlockByNumber", [which, false]));
}
