import { assert, type Refused, refused } from "./rejection.ts";

/** The largest amount that an ERC-20 token can hold, in base units. */
export const maxUint256 = 2n ** 256n - 1n;

/** Tokens with more decimals than this aren't listed; it bounds the length of every amount we read or print. */
export const maxDecimals = 36;

const maxWholeDigits = 78;
const maxAmountChars = maxWholeDigits + 1 + maxDecimals;
const amountPattern = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;
const baseUnitsPattern = /^(0|[1-9][0-9]*)$/;

export type AmountRejectionCode =
  | "amount_invalid"
  | "amount_too_precise"
  | "amount_too_large"
  | "amount_not_positive";

export type AmountResult = { ok: true; amount: bigint } | Refused<AmountRejectionCode>;

/**
 * Reads what a person typed ("5", "5.00", "0.5") into base units, exactly, or says what is wrong with it. Nothing is
 * rounded, trimmed or guessed: signs, spaces, exponents, group separators, leading zeros, ".5", "5." and digits of
 * other scripts are refused, and so are more fraction digits than the token has, even zeros.
 */
export function parseAmount(text: string, decimals: number): AmountResult {
  checkDecimals(decimals);
  if (typeof text !== "string")
    return refused("amount_invalid", "Write the amount as digits, like 5 or 5.50.");
  if (text.length > maxAmountChars) return refused("amount_too_large", "That is more than any token holds.");
  const match = amountPattern.exec(text);
  if (match === null) return refused("amount_invalid", "Write the amount as digits, like 5 or 5.50.");
  const fraction = match[2] ?? "";
  if (fraction.length > decimals) {
    return refused("amount_too_precise", `This token has ${decimals} decimals, not ${fraction.length}.`);
  }
  const amount = BigInt(`${match[1]}${fraction.padEnd(decimals, "0")}`);
  if (amount > maxUint256) return refused("amount_too_large", "That is more than any token holds.");
  if (amount === 0n) return refused("amount_not_positive", "The amount must be more than nothing.");
  return { ok: true, amount };
}

/** Reads the JSON form of an amount: base units as a canonical decimal string, 0 to 2^256 − 1. Zero is allowed. */
export function parseBaseUnits(text: string): AmountResult {
  if (typeof text !== "string")
    return refused("amount_invalid", "Base units are a string of decimal digits.");
  if (text.length > maxAmountChars) return refused("amount_too_large", "That is more than any token holds.");
  if (!baseUnitsPattern.test(text)) {
    return refused("amount_invalid", "Base units are a string of decimal digits.");
  }
  const amount = BigInt(text);
  if (amount > maxUint256) return refused("amount_too_large", "That is more than any token holds.");
  return { ok: true, amount };
}

export interface FormatOptions {
  /** Puts a comma between thousands. For display only: `parseAmount` refuses commas. */
  group?: boolean;
}

/**
 * The whole amount, exactly: at least two fraction digits (as far as the token has them), no trailing zeros beyond
 * these. Without grouping, a positive amount reads back through `parseAmount` to the same base units.
 */
export function formatAmount(amount: bigint, decimals: number, options: FormatOptions = {}): string {
  const { sign, whole, fraction } = digitsOf(amount, decimals);
  const shown = fraction.replace(/0+$/, "").padEnd(Math.min(2, decimals), "0");
  return `${sign}${options.group === true ? groupThousands(whole) : whole}${shown === "" ? "" : `.${shown}`}`;
}

/**
 * The short form for tickets and boards: grouped, cut to two fraction digits. It never shows more than there is; what
 * is more than nothing and too small for two digits reads "<0.01".
 */
export function formatTicket(amount: bigint, decimals: number): string {
  const { sign, whole, fraction } = digitsOf(amount, decimals);
  const shown = fraction.slice(0, 2);
  const tooSmall = amount !== 0n && whole === "0" && /^0*$/.test(shown);
  if (tooSmall) return `${sign}<0.01`;
  return `${sign}${groupThousands(whole)}${shown === "" ? "" : `.${shown.padEnd(2, "0")}`}`;
}

/**
 * The odds that two stakes make, reduced: 50 against 10 is "5–1". When the reduced numbers don't fit two digits each,
 * the smaller becomes 1 and the larger is cut (not rounded) to two fraction digits: "4.98–1".
 */
export function oddsOf(stakeA: bigint, stakeB: bigint): string {
  assert(stakeA > 0n && stakeB > 0n, "odds need two positive stakes");
  const divisor = greatestCommonDivisor(stakeA, stakeB);
  const [a, b] = [stakeA / divisor, stakeB / divisor];
  if (a < 100n && b < 100n) return `${a}–${b}`;
  const larger = a > b ? a : b;
  const smaller = a > b ? b : a;
  const ratio = formatAmount((larger * 100n) / smaller, 2).replace(/\.?0+$/, "");
  return a > b ? `${ratio}–1` : `1–${ratio}`;
}

function digitsOf(amount: bigint, decimals: number): { sign: string; whole: string; fraction: string } {
  checkDecimals(decimals);
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, "0");
  const split = digits.length - decimals;
  return { sign: amount < 0n ? "-" : "", whole: digits.slice(0, split), fraction: digits.slice(split) };
}

function groupThousands(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+$)/g, ",");
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y > 0n) [x, y] = [y, x % y];
  return x;
}

function checkDecimals(decimals: number): void {
  assert(
    Number.isInteger(decimals) && decimals >= 0 && decimals <= maxDecimals,
    `decimals are 0 to ${maxDecimals}, not ${decimals}`,
  );
}
