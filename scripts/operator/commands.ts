/** The commands on the books, by their names. */
import { assigning, decide, givingBack, refund, sweeping, thawing } from "./acting.ts";
import { type Line, readOptions, UsageError } from "./arguments.ts";
import type { Command } from "./command.ts";
import { help } from "./help.ts";
import { disputes, frozen, instructions, solvency, suspense } from "./looking.ts";
import { beginning, ending, recovery } from "./recovering.ts";

/** A map, not an object: `constructor` is no command. */
const commands: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    ...{
      solvency,
      disputes,
      decide,
      suspense,
      refund,
      assign: assigning,
      instructions,
      "give-back": givingBack,
      sweep: sweeping,
    },
    ...{ frozen, thaw: thawing },
    ...{ recovery, "begin-recovery": beginning, "end-recovery": ending },
  }),
);

/**
 * What the line asks for, ready to be done.
 * @throws UsageError
 */
export function prepare(line: Line): ReturnType<Command["prepare"]> {
  const command = commands.get(line.name);
  if (command === undefined)
    throw new UsageError(`There is no command ${JSON.stringify(line.name)}.\n\n${help}`);
  return command.prepare(readOptions(line, command));
}
