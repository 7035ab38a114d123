import type { Problem } from "../../../engine/contract/problems.ts";
import type { BodyIn, ParamsIn, QueryIn, ResponseOf } from "../../../engine/contract/routes.ts";
import { paths, type WebRoute } from "./paths.ts";
import { ApiProblem } from "./problem.ts";

export interface CallOptions<Name extends WebRoute> {
  params?: ParamsIn<Name>;
  query?: QueryIn<Name>;
  body?: BodyIn<Name>;
  /** One per press of a button, kept for its retries; see `createPress`. */
  idempotencyKey?: string;
}

const answerTimeoutMs = 20_000;

/**
 * Calls a route of the engine with the session's cookie.
 *
 * @throws ApiProblem when the engine refuses or doesn't answer.
 */
export async function call<Name extends WebRoute>(
  name: Name,
  { params, query, body, idempotencyKey }: CallOptions<Name> = {},
): Promise<ResponseOf<Name>> {
  const line = paths[name];
  const [method, pattern] = [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)];
  const isRead = method === "GET";
  let response: Response;
  try {
    response = await fetch(`${filled(pattern, params)}${queryString(query)}`, {
      method,
      headers: {
        accept: "application/json",
        ...(isRead ? {} : { "content-type": "application/json" }),
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
      credentials: "same-origin",
      signal: AbortSignal.timeout(answerTimeoutMs),
      ...(isRead ? {} : { body: JSON.stringify(body ?? {}) }),
    });
  } catch {
    throw new ApiProblem({ code: "no_answer", status: 0, detail: noAnswer(isRead) });
  }
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer as ResponseOf<Name>;
  throw new ApiProblem({ ...readProblem(answer), status: response.status });
}

function noAnswer(isRead: boolean): string {
  return isRead
    ? "No answer from the house."
    : "No answer from the house. Press again: it can't happen twice.";
}

function readProblem(answer: unknown): Partial<Problem> & { code: string } {
  if (typeof answer === "object" && answer !== null && "code" in answer && typeof answer.code === "string") {
    return answer as Partial<Problem> & { code: string };
  }
  return { code: "unreadable", detail: "The house gave an answer that this page can't read." };
}

function filled(pattern: string, params: unknown): string {
  const values = (params ?? {}) as Record<string, string>;
  return pattern.replace(/:(\w+)/g, (_, key: string) => encodeURIComponent(values[key] ?? ""));
}

function queryString(query: unknown): string {
  const pairs = Object.entries((query ?? {}) as Record<string, unknown>).filter(
    ([, value]) => value !== undefined,
  );
  return pairs.length === 0
    ? ""
    : `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString()}`;
}
