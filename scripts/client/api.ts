/** A player who plays by program: the public HTTP API with a cookie jar and a wallet. Used by the demo, bench and tests. */
import { randomUUID } from "node:crypto";
import type { Account } from "viem";
import type { Problem } from "../../engine/contract/problems.ts";
import {
  type BodyIn,
  type ParamsIn,
  type QueryIn,
  type ResponseOf,
  type RouteName,
  routes,
} from "../../engine/contract/routes.ts";

/** An answer that isn't a success, with what the engine said. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly route: RouteName,
    readonly problem: Problem,
  ) {
    super(`${route}: ${problem.status} ${problem.code}: ${problem.detail ?? problem.title}`);
  }
}

interface CallOptions<Name extends RouteName> {
  params?: ParamsIn<Name>;
  query?: QueryIn<Name>;
  body?: BodyIn<Name>;
  /** Absent: a new one for each call. */
  idempotencyKey?: string;
}

export class ApiClient {
  readonly #cookies = new Map<string, string>();
  constructor(readonly origin: string) {}

  /** For the `Cookie` header of a socket. */
  get cookieHeader(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** @throws ApiError when the engine refuses. */
  async call<Name extends RouteName>(
    name: Name,
    { params, query, body, idempotencyKey = randomUUID() }: CallOptions<Name> = {},
  ): Promise<ResponseOf<Name>> {
    const { method, path } = routes[name];
    const url = new URL(fill(path, params), this.origin);
    for (const [key, value] of Object.entries(query ?? {}))
      if (value !== undefined) url.searchParams.set(key, String(value));
    const response = await fetch(url, {
      method,
      headers: {
        origin: this.origin,
        ...(this.#cookies.size > 0 ? { cookie: this.cookieHeader } : {}),
        ...(method === "GET"
          ? {}
          : { "content-type": "application/json", "idempotency-key": idempotencyKey }),
      },
      ...(method === "GET" ? {} : { body: JSON.stringify(body ?? {}) }),
    });
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    const answer: unknown = await response.json();
    if (!response.ok) throw new ApiError(name, answer as Problem);
    return answer as ResponseOf<Name>;
  }

  /** Signs in with a wallet and accepts the terms. */
  async signIn(account: Account): Promise<ResponseOf<"readMe">> {
    const { message } = await this.call("createChallenge", { body: { address: account.address } });
    await this.call("verifyChallenge", { body: { message, signature: await signMessage(account, message) } });
    return this.call("changeMe", { body: { acceptTerms: true } });
  }

  #keep(cookie: string): void {
    const [pair = ""] = cookie.split(";", 1);
    const at = pair.indexOf("=");
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
    if (value === "" || /max-age=0/i.test(cookie)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

export async function signMessage(account: Account, message: string): Promise<`0x${string}`> {
  if (account.signMessage === undefined) throw new Error("this account can't sign");
  return account.signMessage({ message });
}

function fill(path: string, params: unknown): string {
  const values = (params ?? {}) as Record<string, string>;
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(values[name] ?? ""));
}
