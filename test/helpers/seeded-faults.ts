/**
 * Faults drawn by a seed. What happens to a call depends on the seed, the call and how often it was made before, and on
 * nothing else: the same calls meet the same faults in whatever order they come.
 */
import { createHash } from "node:crypto";
import { faultModes, type ModeName, toldAs } from "./fault-modes.ts";
import type { Fault } from "./rpc-proxy.ts";

export interface FaultRates {
  /** Share of calls that get no usable answer. */
  failures: number;
  /** Share of questions for a block that are answered by a node that is behind. */
  staleHeads: number;
  /** Share of lists of logs and of receipts that are forged, short or doubled. */
  lies: number;
  /** Most blocks of one question for logs; null: no limit. */
  rangeLimit: bigint | null;
  /** Most logs of one answer; null: no limit. */
  sizeLimit: bigint | null;
}

const honest: FaultRates = { failures: 0, staleHeads: 0, lies: 0, rangeLimit: null, sizeLimit: null };
const profiles = {
  steady: () => honest,
  shaky: () => ({ ...honest, failures: 0.02 }),
  failing: () => ({ ...honest, failures: 0.05 }),
  lagging: () => ({ ...honest, staleHeads: 0.05 }),
  limited: () => ({ ...honest, rangeLimit: 10n, sizeLimit: 100n }),
  lying: () => ({ ...honest, lies: 0.05 }),
  worst: () => ({ failures: 0.05, staleHeads: 0.05, lies: 0.05, rangeLimit: 10n, sizeLimit: 100n }),
  drawn: (seed: string): FaultRates => ({
    failures: pick(`${seed} failures`, [0, 0.02, 0.05]),
    staleHeads: pick(`${seed} stale heads`, [0, 0.02, 0.05]),
    lies: 0,
    rangeLimit: pick(`${seed} range`, [null, 100n, 10n, 1n]),
    sizeLimit: pick(`${seed} size`, [null, 1_000n, 100n]),
  }),
} satisfies Record<string, (seed: string) => FaultRates>;

export type ProfileName = keyof typeof profiles;
export const profileNames = Object.keys(profiles) as ProfileName[];
export const isProfileName = (name: string): name is ProfileName => Object.hasOwn(profiles, name);
/** What each is for. */
export const profileSays: Readonly<Record<ProfileName, string>> = {
  steady: "no faults",
  shaky: "2 % of the calls fail, in every way there is",
  failing: "5 % of the calls fail",
  lagging: "5 % of the heads are up to 20 blocks old",
  limited: "logs of at most 10 blocks at once, at most 100 logs",
  lying: "5 % of the logs and receipts are forged, left out or told twice",
  worst: "all of that together",
  drawn: "failures and old heads of 0, 2 or 5 % and limits from none to one block, as the seed has it",
};
export const ratesOf = (profile: ProfileName, seed: string): FaultRates => profiles[profile](seed);

const failures: ModeName[] = ["drop", "cut", "hang", "error", "rate-limit", "html", "null", "bad-hex"];
const lies: ModeName[] = ["empty-logs", "omit-logs", "duplicate-logs", "forge-logs", "no-receipts"];
const furthestBehind = 20;
const blockMethods = ["eth_blockNumber", "eth_getBlockByNumber"];

/** The faults of one node. `onFault` hears of each answer that isn't the node's own. */
export function seededFaults(
  seed: string,
  rates: FaultRates,
  onFault: (name: ModeName, method: string) => void = () => undefined,
): Fault[] {
  const times = new Map<string, number>();
  const make = (name: ModeName, number = 0n): Fault => toldAs(name, faultModes[name].make(number), onFault);
  const drawn: Fault = (call) => {
    const key = `${call.method} ${JSON.stringify(call.params)}`;
    const time = times.get(key) ?? 0;
    times.set(key, time + 1);
    const which = `${seed} ${key} ${time}`;
    if (chance(`${which} fails`) < rates.failures) return make(pick(`${which} how`, failures))(call);
    if (blockMethods.includes(call.method) && chance(`${which} old`) < rates.staleHeads)
      return make("stale-head", BigInt(1 + Math.floor(chance(`${which} age`) * furthestBehind)))(call);
    if (chance(`${which} lies`) < rates.lies) return make(pick(`${which} what`, lies))(call);
    return undefined;
  };
  const limits: Fault[] = [];
  if (rates.rangeLimit !== null) limits.push(make("range-limit", rates.rangeLimit));
  if (rates.sizeLimit !== null) limits.push(make("size-limit", rates.sizeLimit));
  return [drawn, ...limits];
}

/** One number after the other, from 0 to just below 1. */
export function drawsOf(seed: string): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    return chance(`${seed} ${drawn}`);
  };
}

/** From 0 to just below 1. */
const chance = (of: string): number => createHash("sha256").update(of).digest().readUInt32BE(0) / 2 ** 32;

function pick<Item>(of: string, items: readonly Item[]): Item {
  return items[Math.floor(chance(of) * items.length)] as Item;
}
