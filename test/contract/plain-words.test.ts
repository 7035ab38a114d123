import { expect, test } from "vitest";
import { z } from "zod";
import { plainWords } from "../../engine/contract/plain-words.ts";
import { type Route, routes } from "../../engine/contract/routes.ts";

/** Values that are wrong nearly everywhere, each in its own way. */
const wrong = [undefined, null, "", "x".repeat(100_000), "javascript:alert(1)", -1, 1e21, 0.5, true, [], {}];
/** How zod speaks when nobody tells it how. */
const machine = /expected|received|invalid|too (small|big)|>=|<=|undefined|NaN/i;

const described = Object.entries(routes as Record<string, Route>).flatMap(([name, { body, query, params }]) =>
  [body, query, params].flatMap((schema) =>
    schema === undefined ? [] : [[name, schema as z.ZodType] as const],
  ),
);

test.each(described)("%s tells whoever sends something wrong what to write instead", (_name, schema) => {
  const fields = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const bodies = wrong.flatMap((value) => [value, ...fields.map((field) => ({ [field]: value }))]);
  const messages = bodies.flatMap((body) => {
    const { error } = z.safeParse(schema, body, { error: plainWords });
    return error?.issues.flatMap(messagesOf) ?? [];
  });
  expect([...new Set(messages)].filter((message) => machine.test(message))).toEqual([]);
});

function messagesOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code === "invalid_union") return issue.errors.flat().flatMap(messagesOf);
  // Told by the fields' own pointers.
  return issue.code === "unrecognized_keys" ? [] : [issue.message];
}
