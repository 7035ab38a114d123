/** How rough a seed's world is: the rates that Ponder publishes for its own simulation, and rougher restarts. */
import type { Dice } from "./dice.ts";

export interface Rates {
  /** Share of RPC calls that get no usable answer. */
  rpcErrors: number;
  /** Share of blocks after which the chain is reorganised by a few blocks. */
  reorgs: number;
  /** The same, down to the last block above finality. */
  deepReorgs: number;
  /** Share of blocks in which the chain's process dies, at a statement or a call of its work. */
  restarts: number;
  /** Share of players' requests in which the API's process dies. */
  requestDeaths: number;
  /** Share of blocks in which the leader stands still in the middle of its work while another takes over. */
  stalls: number;
  /** Most blocks of one question for logs; null: no limit. */
  rangeLimit: bigint | null;
  /** Most logs of one answer for more than a block; null: no limit. */
  sizeLimit: bigint | null;
  /** How many nodes are asked. */
  nodes: 1 | 2;
  /** Share of blocks at which the second of two nodes begins to lie or lag, for a while. */
  spells: number;
  /** Whether what is owed together is paid in one transaction. */
  payouts: "batch" | "plain";
}

export const calm: Rates = {
  rpcErrors: 0,
  reorgs: 0,
  deepReorgs: 0,
  restarts: 0,
  requestDeaths: 0,
  stalls: 0,
  rangeLimit: null,
  sizeLimit: null,
  nodes: 1,
  spells: 0,
  payouts: "batch",
};

/** Half of the worlds have the published rates; they are so small that the others meet a multiple, to meet much at all. */
export function drawRates(dice: Dice): Rates {
  const isRougher = dice.chance(0.5);
  return {
    rpcErrors: dice.pick([0, 0.02, 0.05]),
    reorgs: dice.pick(isRougher ? [0.05, 0.1, 0.2] : [0, 0.02, 0.05]),
    deepReorgs: dice.pick(isRougher ? [0, 0.04, 0.08] : [0, 0.01, 0.02]),
    restarts: dice.pick(isRougher ? [0, 0.05, 0.1] : [0, 0.001, 0.002]),
    requestDeaths: dice.pick(isRougher ? [0, 0.02, 0.05] : [0, 0.001, 0.002]),
    stalls: dice.pick(isRougher ? [0, 0.02, 0.05] : [0, 0.001, 0.002]),
    rangeLimit: dice.pick([1n, 10n, 100n, 1_000n, null]),
    sizeLimit: dice.pick([3n, 1_000n, null]),
    nodes: dice.pick([1, 2]),
    spells: dice.pick([0, 0.05, 0.15]),
    payouts: dice.pick(["batch", "plain"]),
  };
}
