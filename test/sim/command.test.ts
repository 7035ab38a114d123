/** `npm run sim` as a person runs it, in worlds of which one is broken on purpose. */
import { expect, inject, it } from "vitest";
import { runScript } from "../operator/command-line.ts";
import type { Planted } from "./planted.ts";

const broken = 8;
const planted: Planted = {
  seed: broken,
  ticks: 2,
  cluster: { superuserUrl: inject("superuserUrl"), templateDatabase: inject("templateDatabase") },
};
const sim = (...args: string[]) =>
  runScript("test/sim/command.ts", args, { environment: { SIM_PLANTED_FAULT: JSON.stringify(planted) } });

/** What is said of a world that fails: all that happened in it as one number, and what is wrong first. */
const failureIn = (said: string) => /^ {2}log (?<hash>[0-9a-f]{64})\n {2}(?<fault>.+)$/m.exec(said)?.groups;

it("a seed that fails is named, ends the command with 1, and fails again in the very same way", {
  timeout: 240_000,
}, async () => {
  const all = await sim("--from", String(broken - 1), "--seeds", "2");
  expect(all.stdout).toMatch(/^\[\d\/2, .* seed +7 holds: /m);
  expect(all.stdout).toContain(`1 of 2 seeds fail: ${broken}\n`);
  expect(all.code).toBe(1);
  const failure = failureIn(all.stdout);
  expect(failure?.fault).toContain("doesn't hold");

  const how = /^ {2}again: npm run sim -- (?<args>.+)$/m.exec(all.stdout)?.groups?.args;
  const again = await sim(...(how ?? "").split(" "));
  expect(again.code).toBe(1);
  expect(failureIn(again.stdout)).toEqual(failure);
});
