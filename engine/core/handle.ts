import { type Refused, refused } from "./rejection.ts";

export type HandleResult = { ok: true; handle: string } | Refused<"handle_invalid">;

/** Names that would let somebody speak for the house, or that mean nobody in an offer. */
const reservedHandles: readonly string[] = [
  "admin",
  "anybody",
  "anyone",
  "everyone",
  "house",
  "moderator",
  "nobody",
  "official",
  "on_the_rail",
  "ontherail",
  "support",
];

/**
 * Reads a handle as typed, with or without its @: 3 to 20 of a–z, 0–9 and _, in either case. Only ASCII, so no letter
 * of another script can pass for one of these. The case is kept for display; `handleKey` is what must be unique.
 */
export function parseHandle(text: string): HandleResult {
  const handle = text.startsWith("@") ? text.slice(1) : text;
  if (!/^[A-Za-z0-9_]{3,20}$/.test(handle)) {
    return refused("handle_invalid", "A handle has 3 to 20 letters, digits or underscores.", "handle");
  }
  if (reservedHandles.includes(handleKey(handle))) {
    return refused("handle_invalid", "This handle is kept by the house.", "handle");
  }
  return { ok: true, handle };
}

/** The form by which two handles are the same. */
export function handleKey(handle: string): string {
  return handle.toLowerCase();
}

/**
 * "Did you mean marcus?": the known handle nearest to a wanted one, or null. At most two slips away (a letter wrong,
 * missing, added, or two swapped), one for short ones; ties go by the alphabet.
 */
export function suggestHandle(wanted: string, known: readonly string[]): string | null {
  if (wanted.length > 21) return null;
  const key = handleKey(wanted.startsWith("@") ? wanted.slice(1) : wanted);
  const mostSlips = key.length <= 4 ? 1 : 2;
  const near = known
    .map((handle) => ({ handle, slips: slipsBetween(key, handleKey(handle)) }))
    .filter(({ slips }) => slips <= mostSlips)
    .sort((a, b) => a.slips - b.slips || (handleKey(a.handle) < handleKey(b.handle) ? -1 : 1));
  return near[0]?.handle ?? null;
}

/** Damerau–Levenshtein distance in its optimal string alignment form, over three rows. */
function slipsBetween(a: string, b: string): number {
  let rowBeforeLast: number[] = [];
  let lastRow = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(lastRow, j) + 1,
        at(row, j - 1) + 1,
        at(lastRow, j - 1) + (isSame ? 0 : 1),
        isSwap ? at(rowBeforeLast, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    rowBeforeLast = lastRow;
    lastRow = row;
  }
  return at(lastRow, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
