import { describe, expect, test } from "vitest";
import {
  type ConfirmationTier,
  checkTiers,
  deepestDepth,
  isPlayable,
  playableAt,
  withinExposure,
} from "../../engine/core/tiers.ts";

const tiers: ConfirmationTier[] = [
  { upTo: 100n, playableAt: { depth: 1 } },
  { upTo: 1_000n, playableAt: { depth: 5 } },
  { upTo: 10_000n, playableAt: "safe" },
  { upTo: null, playableAt: "finalized" },
];

test.each([
  [1n, { depth: 1 }],
  [100n, { depth: 1 }],
  [101n, { depth: 5 }],
  [1_000n, { depth: 5 }],
  [1_001n, "safe"],
  [10_000n, "safe"],
  [10_001n, "finalized"],
  [2n ** 256n - 1n, "finalized"],
])("a deposit of %s waits for %o", (amount, demand) => {
  expect(playableAt(tiers, amount)).toEqual(demand);
});

describe("tiers from configuration", () => {
  const last = { upTo: null, playableAt: "finalized" } as const;
  test.each<[string, ConfirmationTier[]]>([
    ["one for all", [last]],
    ["four that rise", tiers],
    ["two that ask the same", [{ upTo: 1n, playableAt: "finalized" }, last]],
    [
      "the deepest depth, then safe, then finalized",
      [{ upTo: 1n, playableAt: { depth: deepestDepth } }, { upTo: 2n, playableAt: "safe" }, last],
    ],
  ])("are taken: %s", (_, good) => {
    expect(() => checkTiers(good)).not.toThrow();
  });

  test.each<[string, ConfirmationTier[]]>([
    ["none", []],
    ["no last one", [{ upTo: 1n, playableAt: "safe" }]],
    ["two last ones", [last, last]],
    ["amounts that fall", [{ upTo: 2n, playableAt: "safe" }, { upTo: 1n, playableAt: "safe" }, last]],
    ["one amount twice", [{ upTo: 2n, playableAt: "safe" }, { upTo: 2n, playableAt: "safe" }, last]],
    ["a tier for nothing", [{ upTo: 0n, playableAt: "safe" }, last]],
    [
      "less depth for more money",
      [
        { upTo: 1n, playableAt: { depth: 2 } },
        { upTo: null, playableAt: { depth: 1 } },
      ],
    ],
    [
      "a depth after safe",
      [
        { upTo: 1n, playableAt: "safe" },
        { upTo: null, playableAt: { depth: deepestDepth } },
      ],
    ],
    [
      "safe after finalized",
      [
        { upTo: 1n, playableAt: "finalized" },
        { upTo: null, playableAt: "safe" },
      ],
    ],
    ["a depth of zero", [{ upTo: null, playableAt: { depth: 0 } }]],
    ["half a block", [{ upTo: null, playableAt: { depth: 1.5 } }]],
    ["a depth without end", [{ upTo: null, playableAt: { depth: deepestDepth + 1 } }]],
  ])("are refused: %s", (_, bad) => {
    expect(() => checkTiers(bad)).toThrow("Broken promise");
  });

  test("that cover no amount are a broken promise", () => {
    expect(() => playableAt([{ upTo: 1n, playableAt: "safe" }], 2n)).toThrow("covers 2");
  });
});

describe("how deep a block lies", () => {
  const heads = { latest: 100n, safe: 90n, finalized: 80n };
  test.each([
    [{ depth: 1 }, 100n, true],
    [{ depth: 1 }, 101n, false],
    [{ depth: 5 }, 96n, true],
    [{ depth: 5 }, 97n, false],
    ["safe", 90n, true],
    ["safe", 91n, false],
    ["finalized", 80n, true],
    ["finalized", 81n, false],
  ] as const)("%o is met by block %s: %s", (tier, block, met) => {
    expect(isPlayable({ tier, block, heads })).toBe(met);
  });
});

test.each([
  [0n, 0n, 10n, true],
  [0n, 0n, 11n, false],
  [9n, 9n, 1n, true],
  [10n, 10n, 1n, false],
  [0n, 15n, 5n, true],
  [0n, 15n, 6n, false],
])(
  "%s of the player and %s of all not final, %s more within 10 and 20: %s",
  (playerNotFinal, totalNotFinal, amount, fits) => {
    expect(
      withinExposure({ playerNotFinal, totalNotFinal, amount, caps: { perPlayer: 10n, inAll: 20n } }),
    ).toBe(fits);
  },
);
