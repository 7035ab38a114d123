/** What a run of the tests says of the guard that was taken away for it. */

/** Unclear is when the tests couldn't even be begun, or stumbled over a text that is none any more. */
export type Verdict = "killed" | "SURVIVES" | "UNCLEAR" | "NOT FOUND";
export interface Tried {
  verdict: Verdict;
  /** The test that has failed, or why what its file stands on couldn't be made. */
  by?: string;
}

/** A file or a statement that can't be read breaks whatever stands on it, whether or not anything guards there. */
const unreadable =
  /syntax error at |Transform failed|Parse failure|Failed to (?:resolve|load)|^SyntaxError|does not provide an export/;

/** @param said by vitest, without colours */
export function verdictOn({ code, said }: { code: number; said: string }): Tried {
  if (code === 0) return { verdict: "SURVIVES" };
  const [, failed, why] = /^ *FAIL +\S+ (?:> (.+)|\[.+\])\n(.+)$/m.exec(said) ?? [];
  if (why === undefined) return { verdict: "UNCLEAR" };
  return unreadable.test(why) ? { verdict: "UNCLEAR", by: why } : { verdict: "killed", by: failed ?? why };
}
