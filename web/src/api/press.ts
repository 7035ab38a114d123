import type { ApiProblem } from "./problem.ts";
import { problemOf } from "./problem.ts";

/**
 * One press of a money button. The same words sent again after an unclear answer carry the same key, so that the engine
 * does them once; a clear answer, or other words, end the key. A second press while one is under way is dropped.
 */
export function createPress<Input, Output>(
  send: (input: Input, idempotencyKey: string) => Promise<Output>,
  newKey: () => string = () => crypto.randomUUID(),
): (input: Input) => Promise<{ ok: true; value: Output } | { ok: false; problem: ApiProblem } | null> {
  let kept: { words: string; key: string } | null = null;
  let isUnderWay = false;
  return async (input) => {
    if (isUnderWay) return null;
    isUnderWay = true;
    const words = JSON.stringify(input);
    const { key } = kept !== null && kept.words === words ? kept : { key: newKey() };
    kept = { words, key };
    try {
      const value = await send(input, key);
      kept = null;
      return { ok: true, value };
    } catch (error) {
      const problem = problemOf(error);
      if (!problem.isUnclear) kept = null;
      return { ok: false, problem };
    } finally {
      isUnderWay = false;
    }
  };
}
