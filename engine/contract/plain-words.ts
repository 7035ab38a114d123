/** What zod finds wrong, for people: used where a schema doesn't say it in its own words. */
import type { z } from "zod";

/** Given to a parse as its `error`. */
export function plainWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return "This is missing.";
      return issue.expected in kinds
        ? `This must be ${kinds[issue.expected as keyof typeof kinds]}.`
        : undefined;
    case "too_small":
      if (issue.origin === "string")
        return issue.minimum === 1 ? "Write something here." : `At least ${issue.minimum} characters.`;
      return issue.origin === "array" ? `At least ${issue.minimum} of them.` : `At least ${issue.minimum}.`;
    case "too_big":
      if (issue.origin === "string") return `At most ${issue.maximum} characters.`;
      return issue.origin === "array" ? `At most ${issue.maximum} of them.` : `At most ${issue.maximum}.`;
    case "invalid_value":
      return `This must be ${issue.values.map(String).join(" or ")}.`;
    case "invalid_format":
      return issue.format === "url" ? "This isn't a web address: copy all of it." : undefined;
    default:
      return undefined;
  }
}

const kinds = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  null: "empty",
};
