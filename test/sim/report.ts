/** What is printed of a seed. */

import { calm } from "./rates.ts";
import type { SeedReport } from "./run-seed.ts";

const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`;

export function lineOf({ seed, rates, counts, faults, seconds }: SeedReport): string {
  const { blocks, moves, deposits, games, payouts, reorgs, deepReorgs, restarts, stalls, spells, lifted } =
    counts;
  const reached = [
    `${blocks} blocks`,
    `${moves} moves`,
    `${deposits} deposits`,
    `${games} games`,
    `${payouts} transfers out (${counts.parked} at the second try)`,
    `${reorgs}+${deepReorgs} reorgs`,
    `${counts.faults} of the calls lost (${percent(rates.rpcErrors)})`,
    `${restarts} restarts`,
    `${stalls} overtaken`,
    `${spells} times lied to (${lifted} breaches)`,
  ];
  const verdict = faults.length === 0 ? "holds" : "FAILS";
  return `seed ${String(seed).padStart(4)} ${verdict}: ${reached.join(", ")}; ${seconds.toFixed(1)} s`;
}

/** The same for two runs of a seed, to the letter of its first lines: what is wrong with it, and all that had happened. */
export const outcomeOf = ({ hash, faults }: SeedReport): string =>
  [`log ${hash}`, ...faults].map((line) => `  ${line}`).join("\n");

export const ratesLine = ({ rates }: SeedReport): string =>
  (Object.keys(calm) as (keyof typeof calm)[])
    .map((name) => `${name} ${rates[name] === null ? "none" : rates[name]}`)
    .join(", ");

export const howToReplay = (seed: number): string => `npm run sim -- --seed ${seed}`;
