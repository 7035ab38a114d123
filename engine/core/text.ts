/** What is wrong with a text that other people will read. */
export type TextProblem = "empty" | "too_long" | "unreadable";

export type CleanText = { ok: true; text: string } | { ok: false; problem: TextProblem };

/**
 * Controls, line separators, halves of surrogate pairs, private and never-assigned code points, everything invisible or
 * turning the reading direction (the variation selector of emoji excepted), the blank Braille cell, and piles of accents.
 */
const unreadable =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u2800]|(?!\ufe0f)\p{Default_Ignorable_Code_Point}|\p{M}{5,}/u;

/**
 * Brings a text into the form that is stored and shown verbatim: composed (NFC), without space around it. Two texts that
 * look alike because one hides characters would let somebody agree to what they can't see, so these are refused.
 *
 * @param maxChars limit in code points, as Postgres counts them
 * @param lines whether line feeds are allowed
 */
export function cleanText({
  text,
  maxChars,
  lines,
}: {
  text: string;
  maxChars: number;
  lines: boolean;
}): CleanText {
  // An upper bound first, so that a huge text costs nothing: a code point is at most two units, and space is no excuse.
  if (text.length > maxChars * 4) return { ok: false, problem: "too_long" };
  const clean = text.normalize("NFC").trim();
  if (clean === "") return { ok: false, problem: "empty" };
  if ([...clean].length > maxChars) return { ok: false, problem: "too_long" };
  if (unreadable.test(lines ? clean.replaceAll("\n", " ") : clean))
    return { ok: false, problem: "unreadable" };
  return { ok: true, text: clean };
}
