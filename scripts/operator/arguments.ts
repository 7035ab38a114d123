/** What was typed, checked in form before anything is opened: a word that isn't understood must not be passed over. */
import { parseArgs } from "node:util";

/** Something the person at the keyboard can mend; printed without a stack. */
export class CommandError extends Error {}
/** The command was written wrongly, and nothing was looked at. */
export class UsageError extends CommandError {}

const optionTypes = {
  as: { type: "string" },
  token: { type: "string" },
  confirm: { type: "string" },
  outcome: { type: "string" },
  reason: { type: "string" },
  state: { type: "string" },
  to: { type: "string" },
  "dry-run": { type: "boolean" },
  verify: { type: "boolean" },
} as const;
export type OptionName = keyof typeof optionTypes;

/** The form of a command. */
export interface Form {
  /** What it is about, such as `GAME`; null when nothing has to be named. */
  subject: string | null;
  options: readonly OptionName[];
}
export type Values = {
  [Name in OptionName]?:
    | ((typeof optionTypes)[Name]["type"] extends "boolean" ? boolean : string)
    | undefined;
};
/** What a command is given; `subject` is empty only when its form has none. */
export type Options = Values & { subject: string };
export interface Line {
  /** `help` when nothing was typed. */
  name: string;
  rest: string[];
  values: Values;
}

/** @throws UsageError */
export function readLine(args: string[]): Line {
  const parsed = parse(args);
  const seen = new Set<string>();
  for (const token of parsed.tokens) {
    if (token.kind !== "option") continue;
    if (seen.has(token.name)) throw new UsageError(`--${token.name} is given twice: which one counts?`);
    seen.add(token.name);
  }
  const [name = "help", ...rest] = parsed.positionals;
  return { name: parsed.values.help === true ? "help" : name, rest, values: parsed.values };
}

function parse(args: string[]) {
  try {
    const options = { ...optionTypes, help: { type: "boolean", short: "h" } } as const;
    return parseArgs({ args, allowPositionals: true, tokens: true, options });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // The rest of Node's message is about dashes and doesn't help here.
    const [what = ""] = error.message.split(/\.(?:\s|$)|\n/, 1);
    throw new UsageError(`${what}. See how each command is written: npm run operator -- help`);
  }
}

/**
 * The line as its command takes it.
 * @throws UsageError for what is missing, and for what the command would otherwise ignore: `refund 3 --dry-run` must not pay
 */
export function readOptions({ name, rest, values }: Line, form: Form): Options {
  const [subject = "", ...others] = form.subject === null ? ["", ...rest] : rest;
  if (form.subject !== null && subject === "")
    throw new UsageError(`Name the ${form.subject}: npm run operator -- ${name} ${form.subject}`);
  const [surplus] = others;
  if (surplus !== undefined) {
    throw new UsageError(
      `${name} doesn't know what to do with ${JSON.stringify(surplus)}. Put words with spaces between them in quotes.`,
    );
  }
  for (const option of Object.keys(values))
    if (!form.options.some((known) => known === option))
      throw new UsageError(`${name} doesn't take --${option}. See: npm run operator -- help`);
  return { ...values, subject };
}
