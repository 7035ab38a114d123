/** The simulation as tests: a seed each. */
import { describe, expect, inject, it } from "vitest";
import { clusterOn } from "./cluster.ts";
import { howToReplay } from "./report.ts";
import { runSeed } from "./run-seed.ts";

/** Long, since several may run on a small machine; a world that doesn't come to rest says so itself much sooner. */
const timeoutMs = 240_000;

/** Five minutes for the suite's seeds: its files of them run side by side. */
const mostSeconds = 300;

export const testCluster = () => clusterOn(inject("superuserUrl"), inject("templateDatabase"));

export function describeSeeds(from: number, to: number): void {
  let taken = 0;
  const seeds = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  describe("after faults, reorgs and deaths everybody has what is theirs, to the unit", () => {
    it.each(seeds)(`in the world of seed %i`, { timeout: timeoutMs }, async (seed) => {
      const { faults, seconds } = await runSeed(testCluster(), seed);
      taken += seconds;
      expect(faults, `again: ${howToReplay(seed)}`).toEqual([]);
    });
    it("all of it within the time that the simulation has", () => {
      expect(taken).toBeLessThan(mostSeconds);
    });
  });
}
