import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bloomOf, mayContain } from "../../engine/chain/bloom.ts";

const value = fc
  .uint8Array({ minLength: 20, maxLength: 32 })
  .map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`);

describe("a bloom filter", () => {
  it("never denies what is in it", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 50 }), (values) => {
        expect(mayContain(bloomOf(values), values)).toBe(true);
      }),
    );
  });

  it("of nothing denies everything", () => {
    expect(bloomOf([])).toBe(`0x${"00".repeat(256)}`);
    fc.assert(fc.property(value, (one) => !mayContain(bloomOf([]), [one])));
  });

  it("denies most of what isn't in it", () => {
    const bloom = bloomOf(["0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"]);
    expect(mayContain(bloom, ["0x299c30dd5974bf4d5bfe42c340ca40462816ab07"])).toBe(false);
  });
});
