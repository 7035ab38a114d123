import type { Problem } from "../../../engine/contract/problems.ts";

/** An answer that isn't a success, or no answer at all (`status` 0, code `no_answer`). */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly code: string;
  readonly status: number;
  readonly facts: Readonly<Record<string, string>>;
  /** What is wrong with single fields, by the name of the field. */
  readonly fields: Readonly<Record<string, string>>;
  readonly requestId: string | null;

  constructor(problem: Partial<Problem> & { code: string; status: number }) {
    super(problem.detail ?? problem.title ?? "Something went wrong here.");
    this.code = problem.code;
    this.status = problem.status;
    this.facts = problem.facts ?? {};
    this.fields = Object.fromEntries(
      (problem.errors ?? []).map(({ pointer, detail }) => [fieldOf(pointer), detail]),
    );
    this.requestId = problem.requestId ?? null;
  }

  /** Whether the effect is unknown: the same press, sent again with its key, is the way to find out. */
  get isUnclear(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

/** `#/body/opponent/handle` and `/opponent/handle` are both about `handle`. */
function fieldOf(pointer: string): string {
  return pointer.split(/[#/.]/).filter(Boolean).at(-1) ?? "";
}

/** Anything that was thrown, as a problem that can be shown. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  return new ApiProblem({ code: "page_failed", status: -1, detail: messageOf(error) });
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== ""
    ? error.message
    : "Something went wrong in this page.";
}
