/** What the chain does to everybody: blocks, reorgs, lost transactions. */
import type { Wallet } from "./players.ts";
import { finalityBlocks } from "./sim-chain.ts";
import type { World } from "./world.ts";

/** So long may a wallet's app take to notice that the chain has lost a transaction. */
const longestForgottenTicks = 12;

/** A block, and now and then the chain takes another way. */
export async function nextBlock(world: World): Promise<void> {
  const { dice, rates, isRough } = world;
  await world.mine();
  if (!isRough) return;
  if (dice.chance(rates.deepReorgs)) await reorganize(world, dice.int(4, finalityBlocks - 1));
  else if (dice.chance(rates.reorgs)) await reorganize(world, dice.int(1, 3));
}

/**
 * The last blocks are replaced by as many others. Each of their transactions comes back at once, in a later one of them,
 * in the next block, or is lost; a player's lost one is sent again after a while, or its nonce goes elsewhere.
 */
async function reorganize(world: World, depth: number): Promise<void> {
  const { dice, chain } = world;
  const taken = await chain.rollBack(depth);
  const sendings: string[][] = Array.from({ length: depth + 1 }, () => []);
  let lost = 0;
  for (const [index, block] of taken.entries())
    for (const hash of block.transactions) {
      const fate = dice.weighted([
        ["comes back", 4],
        ["comes later", 3],
        ["is lost", 3],
      ]);
      if (fate === "is lost") {
        lost += 1;
        await lose(world, hash);
      } else sendings[fate === "comes back" ? index : dice.int(index, depth)]?.push(hash);
    }
  for (const [index, block] of taken.entries()) {
    for (const hash of sendings[index] ?? []) await chain.send(chain.bytesOf(hash));
    await chain.mine((Number(block.timestamp) + 1) * 1_000);
  }
  for (const hash of sendings[depth] ?? []) await chain.send(chain.bytesOf(hash));
  const moved = taken.reduce((sum, { transactions }) => sum + transactions.length, 0);
  world.say(`a reorg of ${depth} blocks with ${moved} transactions, ${lost} of them lost`);
  if (depth > 3) world.counts.deepReorgs += 1;
  else world.counts.reorgs += 1;
}

async function lose(world: World, hash: string): Promise<void> {
  const found = findSent(world.everybody, hash);
  if (found === undefined) return; // The engine's own, which it has to notice itself.
  found.sent.againAt = world.tick + world.dice.int(1, longestForgottenTicks);
  if (!world.dice.chance(0.15)) return;
  const replacement = await found.wallet.replace(found.sent);
  await world.chain.send(replacement.raw);
}

function findSent(wallets: readonly Wallet[], hash: string) {
  for (const wallet of wallets)
    for (const sent of wallet.sent.values()) if (sent.hash === hash) return { wallet, sent };
  return undefined;
}

/** People's wallets send again what isn't in the chain. */
export async function sendAgain(world: World): Promise<void> {
  for (const wallet of world.everybody) {
    const spent = Number(await world.chain.call("eth_getTransactionCount", [wallet.address, "latest"]));
    for (const { nonce, raw, againAt } of wallet.sent.values())
      if (nonce >= spent && (againAt <= world.tick || !world.isRough)) await world.chain.send(raw);
  }
}
