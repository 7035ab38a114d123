/** What a command is, and how its answers are said. */
import type { Money } from "../../engine/contract/primitives.ts";
import { type ProblemCode, problemStatus, type Result } from "../../engine/contract/problems.ts";
import { formatAmount } from "../../engine/core/money.ts";
import type { Context } from "../../engine/services/context.ts";
import { CommandError, type Form, type Options } from "./arguments.ts";

export interface Command extends Form {
  /**
   * Reads the arguments; what it gives back does the work.
   * @throws UsageError
   */
  prepare(options: Options): (context: Context) => Promise<void>;
}

/** @throws CommandError with the refusal in words; `instead` has better ones for some codes. */
export function unwrap<Value>(
  result: Result<Value>,
  instead: Partial<Record<ProblemCode, string>> = {},
): Value {
  if (result.ok) return result.value;
  const { code, message, facts = {} } = result.rejection;
  const better = instead[code];
  if (better !== undefined) throw new CommandError(better);
  const title = `${problemStatus[code][1]}.`;
  const known = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
  throw new CommandError(
    [
      title,
      ...(message === undefined || message === title ? [] : [message]),
      ...(known.length === 0 ? [] : [`(${known.join(", ")})`]),
    ].join(" "),
  );
}

export const show = ({ amount, decimals, symbol }: Money): string =>
  `${formatAmount(BigInt(amount), decimals)} ${symbol}`;
