/** Times in which the second of two nodes lies or lags: what it alone says must move nothing for good. */
import type { ModeName } from "../helpers/fault-modes.ts";
import type { World } from "./world.ts";

export interface Spell {
  mode: ModeName;
  /** How far it is behind, where that is what it does. */
  blocks: bigint;
  /** The tick in which it is well again. */
  until: number;
}

const modes = [
  ["stale-head", 4],
  ["omit-logs", 3],
  ["empty-logs", 2],
  ["forge-logs", 3],
  ["duplicate-logs", 1],
  ["no-receipts", 1],
  ["no-finality", 1],
  ["null", 1],
] as const;
const longestTicks = 8;
const furthestBehind = 12;

/** Ends the one that is over, and now and then begins another. */
export function turnSpells(world: World): void {
  const { dice, rates, tick } = world;
  if (world.spell !== null && world.spell.until <= tick) mend(world);
  if (rates.nodes === 1 || world.spell !== null || !dice.chance(rates.spells)) return;
  const mode = dice.weighted<ModeName>(modes);
  const spell = {
    mode,
    blocks: BigInt(dice.int(1, furthestBehind)),
    until: tick + dice.int(1, longestTicks),
  };
  world.spell = spell;
  world.counts.spells += 1;
  world.say(`the second node: ${mode}${mode === "stale-head" ? ` of ${spell.blocks} blocks` : ""}`);
}

export function mend(world: World): void {
  if (world.spell === null) return;
  world.spell = null;
  world.say("the second node is well again");
}
