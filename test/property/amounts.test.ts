import fc from "fast-check";
import { expect, test } from "vitest";
import {
  formatAmount,
  formatTicket,
  maxDecimals,
  maxUint256,
  parseAmount,
  parseBaseUnits,
} from "../../engine/core/money.ts";

const amounts = fc.bigInt({ min: 1n, max: maxUint256 });
// Half of them small: there the point and the zeros are.
const anyAmount = fc.oneof(amounts, fc.bigInt({ min: 1n, max: 10n ** 9n }));
const decimals = fc.integer({ min: 0, max: maxDecimals });

test("every amount reads back to the same base units", () => {
  fc.assert(
    fc.property(anyAmount, decimals, (amount, places) => {
      expect(parseAmount(formatAmount(amount, places), places)).toEqual({ ok: true, amount });
      expect(parseBaseUnits(amount.toString())).toEqual({ ok: true, amount });
    }),
    { numRuns: 5_000 },
  );
});

test("grouping changes nothing but the commas", () => {
  fc.assert(
    fc.property(anyAmount, decimals, (amount, places) => {
      const grouped = formatAmount(amount, places, { group: true });
      expect(grouped.replaceAll(",", "")).toBe(formatAmount(amount, places));
      expect(grouped.split(".")[0]).toMatch(/^\d{1,3}(,\d{3})*$/);
    }),
    { numRuns: 2_000 },
  );
});

test("a ticket is never above the amount, and less than a cent below it", () => {
  fc.assert(
    fc.property(anyAmount, fc.integer({ min: 2, max: maxDecimals }), (amount, places) => {
      const shown = formatTicket(amount, places).replaceAll(",", "");
      const cent = 10n ** BigInt(places - 2);
      if (shown === "<0.01") {
        expect(amount < cent).toBe(true);
        return;
      }
      const read = parseAmount(shown, places);
      if (!read.ok) throw new Error(shown);
      expect(read.amount <= amount && amount - read.amount < cent).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("no text whatever is read as an amount that it doesn't say", () => {
  const texts = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[0-9.,eExX+\- _]{0,12}$/));
  fc.assert(
    fc.property(texts, decimals, (text, places) => {
      const read = parseAmount(text, places);
      if (!read.ok) return;
      const [whole = "", fraction = ""] = text.split(".");
      expect(text).toMatch(/^[0-9]+(\.[0-9]+)?$/);
      expect(read.amount).toBe(BigInt(whole + fraction) * 10n ** BigInt(places - fraction.length));
    }),
    { numRuns: 20_000 },
  );
});
