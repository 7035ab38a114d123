import { expect, it } from "vitest";
import { testCluster } from "./holds.ts";
import type { Rates } from "./rates.ts";
import { runSeed } from "./run-seed.ts";

/** Everything there is, so that nothing that may differ from run to run is left out. */
const rough: Rates = {
  rpcErrors: 0.05,
  reorgs: 0.1,
  deepReorgs: 0.05,
  restarts: 0.1,
  requestDeaths: 0.05,
  stalls: 0.05,
  rangeLimit: 10n,
  sizeLimit: 3n,
  nodes: 2,
  spells: 0.15,
  payouts: "batch",
};

it("a seed happens again exactly as it did, whatever else the machine does", {
  timeout: 240_000,
}, async () => {
  const [one, other] = await Promise.all(
    [1, 2].map(() => runSeed(testCluster(), 7, { rates: rough, ticks: 30 })),
  );
  expect(one?.counts.restarts).toBeGreaterThan(0);
  expect(one?.counts.reorgs).toBeGreaterThan(0);
  expect(one?.counts.faults).toBeGreaterThan(0);
  expect(other?.lines).toEqual(one?.lines);
  expect(other?.hash).toBe(one?.hash);
});
