import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { guards } from "../../scripts/mutants/guards/all.ts";
import { verdictOn } from "../../scripts/mutants/verdict.ts";
import { unguardedBy } from "./guarded.ts";

const pathOf = (file: string): URL => new URL(`../../${file}`, import.meta.url);

/** Keys and locks that no guard takes away, and why not. */
const exempt: Record<string, string> = {
  chain_tx_state_key: "Adds nothing to the primary key: it is there for the foreign key that refers to it.",
  game_pkey: "Foreign keys refer to it: without it there is no schema.",
  proposal_pkey: "Foreign keys refer to it: without it there is no schema.",
  token_pkey: "Foreign keys refer to it: without it there is no schema.",
};

describe("the list of guards", () => {
  it("names texts that stand exactly once in their files, and tests that exist", () => {
    const wrong = guards.filter(
      ({ file, guard, instead, tests }) =>
        readFileSync(pathOf(file), "utf8").split(guard).length !== 2 ||
        instead === guard ||
        !tests.every((test) => existsSync(pathOf(test))),
    );
    expect(wrong.map(({ name }) => name)).toEqual([]);
    expect(new Set(guards.map(({ name }) => name)).size).toBe(guards.length);
  });

  it("takes away each key and each lock of the database, but for those that say why not", () => {
    expect(unguardedBy(guards)).toEqual(Object.keys(exempt));
  });

  it("is missed where it is a key's", () => {
    const keys = guards.filter(({ name }) => name.startsWith("key: "));
    const dispensable = keys.filter(
      (key) => unguardedBy(guards.filter((guard) => guard !== key)).length === Object.keys(exempt).length,
    );
    expect(dispensable.map(({ name }) => name)).toEqual([]);
  });
});

describe("a run without a guard", () => {
  const failing = (place: string, why: string) => ({
    code: 1,
    said: `\n FAIL  test/a.test.ts ${place}\n${why}\n`,
  });
  it.each([
    ["in which all tests hold", { code: 0, said: "" }, { verdict: "SURVIVES" }],
    [
      "in which one fails",
      failing("> payouts > are paid once", "AssertionError: expected 2 to be 1"),
      { verdict: "killed", by: "payouts > are paid once" },
    ],
    [
      "in which nothing can be prepared",
      failing("[ test/a.test.ts ]", "Error: duplicate key"),
      { verdict: "killed", by: "Error: duplicate key" },
    ],
    [
      "whose statement is none any more",
      failing("> payouts > are paid once", 'error: syntax error at or near "ORDER"'),
      { verdict: "UNCLEAR", by: 'error: syntax error at or near "ORDER"' },
    ],
    [
      "whose file can't be loaded",
      failing("[ test/a.test.ts ]", "Error: Transform failed with 1 error:"),
      { verdict: "UNCLEAR", by: "Error: Transform failed with 1 error:" },
    ],
    ["that didn't begin", { code: 1, said: "spawn npx ENOENT" }, { verdict: "UNCLEAR" }],
  ])("%s", (_, ended, verdict) => {
    expect(verdictOn(ended)).toEqual(verdict);
  });
});
