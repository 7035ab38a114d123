/** A second real node of a chain of ours, with a process of its own that can be stopped. */
import { setTimeout as delay } from "node:timers/promises";
import { inject } from "vitest";
import { type Anvil, startAnvil } from "../../scripts/local/anvil.ts";
import { callNode } from "../../scripts/local/rpc.ts";
import { dumpState } from "../../scripts/local/snapshots.ts";

const lookEveryMs = 50;

/**
 * Has each block of the other a moment later, and makes none itself: what is sent to it waits there. Blocks that came
 * while it was stopped follow when it goes on.
 */
export async function startFollowingNode(followedUrl: string): Promise<Anvil> {
  const flags = ["--fork-url", inject("upstreamUrl"), "--no-rate-limit", "--no-storage-caching"];
  const node = await startAnvil({ port: 0, flags, detached: false });
  let copied = await copyState(followedUrl, node.rpcUrl);
  const stopping = new AbortController();
  const { signal } = stopping;
  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      // A stopped node doesn't take it, and a busy one makes blocks faster than they are read: then it is tried again.
      copied = await copyState(followedUrl, node.rpcUrl, copied).catch(() => copied);
      await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const following = follow();
  return {
    ...node,
    stop: async () => {
      stopping.abort();
      await node.stop();
      await following;
    },
  };
}

/** Answers the hash of the head that the second has now. */
async function copyState(from: string, to: string, copied?: string): Promise<string> {
  const head = (await callNode(from, "eth_getBlockByNumber", ["latest", false])) as { hash: string };
  if (head.hash === copied) return copied;
  const { hash, packed } = await dumpState(from);
  await callNode(to, "anvil_loadState", [`0x${packed.toString("hex")}`]);
  return hash;
}
