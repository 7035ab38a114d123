/** The HTTP application on a database of its own, twice as two processes would run it, and browsers that visit it. */
import { randomUUID } from "node:crypto";
import type { FastifyInstance, InjectOptions } from "fastify";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import type { Me } from "../../engine/contract/account.ts";
import type { Problem } from "../../engine/contract/problems.ts";
import { type ResponseOf, type RouteName, routes } from "../../engine/contract/routes.ts";
import { buildApp, type HttpOptions } from "../../engine/http/app.ts";
import type { Context, Settings } from "../../engine/services/context.ts";
import { createWorld, type World } from "../services/wager-world.ts";

export interface Site extends World {
  app: FastifyInstance;
  /** A second process on the same database. */
  otherApp: FastifyInstance;
  origin: string;
  browser(app?: FastifyInstance): Browser;
  /** Somebody with a wallet, signed in and with the terms accepted; `dollars` in the pool. */
  player(options?: { account?: PrivateKeyAccount; baseUnits?: bigint }): Promise<Player>;
}
export interface Player {
  id: string;
  handle: string;
  account: PrivateKeyAccount;
  browser: Browser;
}

export async function openSite({
  settings = {},
  chain,
  ...options
}: { settings?: Partial<Settings>; chain?: Context["chain"] } & Partial<
  Omit<HttpOptions, "context">
> = {}): Promise<Site> {
  const world = await createWorld(settings);
  const build = (context: Context) =>
    buildApp({
      context: chain === undefined ? context : { ...context, chain },
      trustedProxyHops: 0,
      requestsPerMinute: 1_000_000,
      ...options,
    });
  const [app, otherApp] = await Promise.all([build(world.context), build(world.other)]);
  const origin = world.context.settings.publicOrigin;
  const browser = (visited = app) => new Browser(visited, origin);
  return {
    ...world,
    app,
    otherApp,
    origin,
    browser,
    async player({ account = privateKeyToAccount(generatePrivateKey()), baseUnits = 0n } = {}) {
      const visitor = browser();
      const { id, handle } = await visitor.signIn(account);
      await visitor.get("changeMe", { body: { acceptTerms: true } });
      if (baseUnits > 0n) await world.deposit(id, { amount: baseUnits });
      return { id, handle, account, browser: visitor };
    },
    async end() {
      await Promise.all([app.close(), otherApp.close()]);
      await world.end();
    },
  };
}

export interface Ask {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  /** Absent: a fresh one for each write. */
  key?: string | null;
  headers?: Record<string, string | undefined>;
}
export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came.
  body: any;
  headers: Record<string, string | string[] | number | undefined>;
}

/** Keeps cookies, names its origin with every request, and follows nobody. */
export class Browser {
  readonly cookies = new Map<string, string>();
  constructor(
    readonly app: FastifyInstance,
    readonly origin: string,
  ) {}

  get cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Another window with the same cookies, on another process if asked. */
  copy(app: FastifyInstance = this.app): Browser {
    const twin = new Browser(app, this.origin);
    for (const [name, value] of this.cookies) twin.cookies.set(name, value);
    return twin;
  }

  async ask(
    name: RouteName,
    { params = {}, query, body = {}, key = randomUUID(), headers = {} }: Ask = {},
  ): Promise<Answer> {
    const { method, path } = routes[name];
    const url = path.replace(/:(\w+)/g, (_, param: string) => encodeURIComponent(params[param] ?? ""));
    return this.send({
      method,
      url,
      ...(query === undefined ? {} : { query }),
      headers: {
        ...(method === "GET" ? {} : { "content-type": "application/json" }),
        ...(method === "GET" || key === null ? {} : { "idempotency-key": key }),
        ...headers,
      },
      ...(method === "GET" ? {} : { payload: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  }

  async send({ headers = {}, ...request }: InjectOptions): Promise<Answer> {
    const all = {
      origin: this.origin,
      ...(this.cookies.size > 0 ? { cookie: this.cookieHeader } : {}),
      ...headers,
    };
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const answer = await this.app.inject({ ...request, headers: sent });
    for (const { name, value, maxAge } of answer.cookies) {
      if (value === "" || maxAge === 0) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const isJson = String(answer.headers["content-type"] ?? "").includes("json");
    return { status: answer.statusCode, body: isJson ? answer.json() : answer.body, headers: answer.headers };
  }

  /** The answer of a request that must succeed. */
  async get<Name extends RouteName>(name: Name, asked: Ask = {}): Promise<ResponseOf<Name>> {
    const answer = await this.ask(name, asked);
    if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as ResponseOf<Name>;
  }

  /** Status and code of a request that must be refused, such as `401 not_signed_in`. */
  async refused(name: RouteName, asked: Ask = {}): Promise<string> {
    const answer = await this.ask(name, asked);
    if (answer.status < 400) throw new Error(`${name} went through: ${JSON.stringify(answer.body)}`);
    return `${answer.status} ${(answer.body as Problem).code}`;
  }

  /** A message for an address, and this account's signature on it. */
  async challenge(account: PrivateKeyAccount, address: string = account.address) {
    const { message } = await this.get("createChallenge", { body: { address } });
    return { message, signature: await account.signMessage({ message }) };
  }

  /** The same, for linking the wallet to whoever is signed in. */
  async linkChallenge(account: PrivateKeyAccount) {
    const { message } = await this.get("createLinkChallenge", { body: { address: account.address } });
    return { message, signature: await account.signMessage({ message }) };
  }

  async signIn(account: PrivateKeyAccount): Promise<Me> {
    return this.get("verifyChallenge", { body: await this.challenge(account) });
  }
}

/** A wallet that nobody has used before. */
export const newAccount = (): PrivateKeyAccount => privateKeyToAccount(generatePrivateKey());
