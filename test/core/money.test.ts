import { describe, expect, test } from "vitest";
import {
  formatAmount,
  formatTicket,
  maxUint256,
  oddsOf,
  parseAmount,
  parseBaseUnits,
} from "../../engine/core/money.ts";

const code = (result: ReturnType<typeof parseAmount>) => (result.ok ? result.amount : result.rejection.code);

describe("what a person types as an amount", () => {
  test.each([
    ["5", 6, 5_000_000n],
    ["5.00", 6, 5_000_000n],
    ["0.5", 6, 500_000n],
    ["0.000001", 6, 1n],
    ["5", 0, 5n],
    ["0.000000000000000001", 18, 1n],
    ["1.000000000000000000000001", 24, 1_000_000_000_000_000_000_000_001n],
    [maxUint256.toString(), 0, maxUint256],
    ["115792089237316195423570985008687907853269984665640564039457.584007913129639935", 18, maxUint256],
  ])("%s with %i decimals is exactly %s base units", (text, decimals, amount) => {
    expect(parseAmount(text, decimals)).toEqual({ ok: true, amount });
  });

  test.each([
    "",
    " ",
    " 12 ",
    "12 ",
    "\n12",
    "12\n",
    "+1",
    "-1",
    "−1",
    "1e21",
    "1E2",
    "0x10",
    "0b1",
    "0o7",
    ".5",
    "5.",
    ".",
    "1.2.3",
    "1,000",
    "1_000",
    "1 000",
    "$5",
    "05",
    "00",
    "٥",
    "५",
    "５",
    "Ⅴ",
    "½",
    "1\u200b",
    "NaN",
    "Infinity",
    "null",
  ])("%j is not an amount", (text) => {
    expect(code(parseAmount(text, 6))).toBe("amount_invalid");
  });

  test.each([["0.1234567"], ["1.0000000"], ["5.0000000000000000000"]])(
    "%s is more precise than a token of 6 decimals, and isn't rounded",
    (text) => expect(code(parseAmount(text, 6))).toBe("amount_too_precise"),
  );

  test("a token without decimals takes whole amounts only", () => {
    expect(code(parseAmount("5.0", 0))).toBe("amount_too_precise");
  });

  test.each([["0"], ["0.0"], ["0.000000"]])("%s stakes nothing and is refused", (text) => {
    expect(code(parseAmount(text, 6))).toBe("amount_not_positive");
  });

  test("2^256 and ten thousand digits are refused before they cost anything", () => {
    expect(code(parseAmount((maxUint256 + 1n).toString(), 0))).toBe("amount_too_large");
    expect(code(parseAmount(maxUint256.toString(), 1))).toBe("amount_too_large");
    expect(code(parseAmount("9".repeat(10_000), 6))).toBe("amount_too_large");
    expect(code(parseAmount(`0.${"0".repeat(10_000)}`, 6))).toBe("amount_too_large");
    expect(code(parseAmount("x".repeat(10_000), 6))).toBe("amount_too_large");
  });

  test("a number instead of a string is refused, whatever the types said", () => {
    expect(code(parseAmount(5 as unknown as string, 6))).toBe("amount_invalid");
    expect(code(parseBaseUnits(5 as unknown as string))).toBe("amount_invalid");
    expect(code(parseAmount(["5"] as unknown as string, 6))).toBe("amount_invalid");
    expect(code(parseBaseUnits(["5"] as unknown as string))).toBe("amount_invalid");
  });

  test.each([-1, 1.5, 37, Number.NaN])("decimals of %s are a broken promise, not an amount", (decimals) => {
    expect(() => parseAmount("5", decimals)).toThrow("decimals");
    expect(() => formatAmount(5n, decimals)).toThrow("decimals");
  });
});

describe("base units in JSON", () => {
  test("a canonical decimal string is read exactly, zero included", () => {
    expect(parseBaseUnits("0")).toEqual({ ok: true, amount: 0n });
    expect(parseBaseUnits(maxUint256.toString())).toEqual({ ok: true, amount: maxUint256 });
  });

  test.each(["", " 1", "1 ", "-1", "+1", "1.0", "1e3", "0x1", "01", "٥", "1\n"])("%j is refused", (text) => {
    expect(code(parseBaseUnits(text))).toBe("amount_invalid");
  });

  test("what no token can hold is refused", () => {
    expect(code(parseBaseUnits((maxUint256 + 1n).toString()))).toBe("amount_too_large");
    expect(code(parseBaseUnits("x".repeat(10_000)))).toBe("amount_too_large");
  });
});

describe("how an amount is shown", () => {
  test.each([
    [57_000_000n, 6, "57.00"],
    [32_400_000n, 6, "32.40"],
    [1n, 6, "0.000001"],
    [0n, 6, "0.00"],
    [1_234_567_890_000n, 6, "1234567.89"],
    [5n, 0, "5"],
    [5n, 1, "0.5"],
    [50n, 1, "5.0"],
    [-17_600_000n, 6, "-17.60"],
    [-1n, 6, "-0.000001"],
    [100n, 0, "100"],
  ])("%s units of %i decimals read %s", (amount, decimals, text) => {
    expect(formatAmount(amount, decimals)).toBe(text);
  });

  test("thousands are grouped when asked for, and only before the point", () => {
    expect(formatAmount(1_234_567_123_456n, 6, { group: true })).toBe("1,234,567.123456");
    expect(formatAmount(-1_000_000_000n, 6, { group: true })).toBe("-1,000.00");
    expect(formatAmount(999_000_000n, 6, { group: true })).toBe("999.00");
  });

  test("a ticket never shows more than there is", () => {
    expect(formatTicket(57_999_999n, 6)).toBe("57.99");
    expect(formatTicket(9_999n, 6)).toBe("<0.01");
    expect(formatTicket(10_000n, 6)).toBe("0.01");
    expect(formatTicket(0n, 6)).toBe("0.00");
    expect(formatTicket(1_234_567_999_999n, 6)).toBe("1,234,567.99");
    expect(formatTicket(-57_999_999n, 6)).toBe("-57.99");
    expect(formatTicket(1_234n, 0)).toBe("1,234");
    expect(formatTicket(15n, 1)).toBe("1.50");
    expect(formatTicket(1_009n, 3)).toBe("1.00");
  });
});

test.each([
  [50n, 10n, "5–1"],
  [10n, 50n, "1–5"],
  [10n, 10n, "1–1"],
  [15n, 10n, "3–2"],
  [5037n, 1011n, "4.98–1"],
  [1011n, 5037n, "1–4.98"],
  [1000n, 1n, "1000–1"],
  [201n, 2n, "100.5–1"],
])("stakes of %s and %s lay %s", (a, b, odds) => {
  expect(oddsOf(a, b)).toBe(odds);
});

test("there are no odds on nothing", () => {
  expect(() => oddsOf(0n, 1n)).toThrow("positive");
  expect(() => oddsOf(1n, 0n)).toThrow("positive");
});
