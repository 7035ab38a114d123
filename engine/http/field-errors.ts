/** From what zod found wrong to pointers at the fields, in the words of the schema. */
import type { FastifySchemaCompiler } from "fastify";
import { z } from "zod";
import { plainWords } from "../contract/plain-words.ts";

export interface FieldError {
  /** JSON pointer into the body; for a query or path parameter its name after `query` or `params`. */
  pointer: string;
  detail: string;
}
type Issue = z.core.$ZodIssue;

/** At most as many are named, so that a hostile body doesn't make a long answer. */
const maxErrors = 20;

/** Thrown by the validator; fastify adds which part of the request it was about. */
export class FieldFailure extends Error {
  override readonly name = "FieldFailure";
  readonly statusCode = 400;
  constructor(
    readonly issues: readonly Issue[],
    readonly part: string,
  ) {
    super("request_invalid");
  }
}
export const isFieldFailure = (error: unknown): error is FieldFailure => error instanceof FieldFailure;

export function fieldErrors({ issues, part }: FieldFailure): FieldError[] {
  const prefix = part === "body" ? "" : part === "querystring" ? "/query" : `/${part}`;
  return issues.flatMap((issue) => errorsOf(issue, prefix)).slice(0, maxErrors);
}

function errorsOf(issue: Issue, prefix: string): FieldError[] {
  const pointer = prefix + issue.path.map((step) => `/${escapeStep(String(step))}`).join("");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.slice(0, maxErrors).map((key) => ({
      pointer: `${pointer}/${escapeStep(key.slice(0, 100))}`,
      detail: "There is no such field.",
    }));
  }
  if (issue.code === "invalid_union") {
    // Of several shapes the one that was nearest is what the sender meant.
    const nearest = issue.errors.toSorted((a, b) => weight(a) - weight(b))[0];
    if (nearest !== undefined) return nearest.flatMap((inner) => errorsOf(inner, pointer));
  }
  return [{ pointer, detail: issue.message }];
}

/** A missing or unknown field says that another shape was meant, more than a wrong value does. */
const weight = (issues: readonly Issue[]): number =>
  issues.reduce(
    (sum, { code }) => sum + (code === "unrecognized_keys" || code === "invalid_type" ? 10 : 1),
    0,
  );

const escapeStep = (step: string): string => step.replaceAll("~", "~0").replaceAll("/", "~1");

/** Checks and decodes one part of a request by its schema. A body that is absent counts as an empty object. */
export const validatorCompiler: FastifySchemaCompiler<unknown> = ({ schema, httpPart = "" }) => {
  // The routes are given zod's schemas and nothing else.
  const shape = schema as z.ZodType;
  return (data: unknown) => {
    const result = z.safeParse(shape, httpPart === "body" ? (data ?? {}) : data, { error: plainWords });
    return result.success
      ? { value: result.data }
      : { error: new FieldFailure(result.error.issues, httpPart) };
  };
};
