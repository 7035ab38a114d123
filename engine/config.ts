/**
 * Configuration: the environment, read once. Absent means the default, invalid means that the engine refuses to start
 * and says which variable and why.
 */
import { z } from "zod";
import { plainWords } from "./contract/plain-words.ts";
import { address } from "./contract/primitives.ts";
import { type ConfirmationTier, checkTiers, type ExposureCaps } from "./core/tiers.ts";

/** Each variable: what it says, its form, its default. The README's table is checked against this. */
export const variables = {
  ROLE: z
    .enum(["all", "api", "chain"])
    .default("all")
    .describe(
      "all: one process alone. api: pages, API and sockets, without keys, as often as needed; chain: everything else",
    ),
  HOST: z.string().min(1).default("127.0.0.1").describe("Address to listen on"),
  PORT: integer(0, 65_535).default(4200).describe("Port to listen on"),
  PUBLIC_ORIGIN: z
    .url({ protocol: /^https?$/, error: "must be an http or https address." })
    .optional()
    .describe("Where the browser finds it, such as https://rail.example; default http://localhost:PORT"),
  TRUSTED_PROXY_HOPS: integer(0, 10)
    .default(0)
    .describe("Reverse proxies in front of it whose X-Forwarded-For counts"),
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace"])
    .default("info")
    .describe("How much it logs"),
  DATABASE_URL: postgresUrl()
    .optional()
    .describe("Postgres, the application's login (a member of on_the_rail_app)"),
  DATABASE_OWNER_URL: postgresUrl()
    .optional()
    .describe("Postgres, the owner's login; only for migrations at start"),
  DATABASE_SIGNER_URL: postgresUrl()
    .optional()
    .describe("Postgres, the signer's login, which only reads (a member of on_the_rail_signer)"),
  DATABASE_CONNECTIONS: integer(2, 200)
    .default(10)
    .describe("Most connections of one process, beside up to four for its lease and for reading the chain"),
  BASE_RPC_URLS: list(
    z.url({ protocol: /^(https?|wss?)$/, error: "must be an http, https, ws or wss address." }),
    8,
  )
    .optional()
    .describe("Base nodes, HTTP and WebSocket, comma-separated; several providers are compared"),
  TOKENS: list(address, 20)
    .default(["0x299c30dd5974bf4d5bfe42c340ca40462816ab07", "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"])
    .describe("The tokens that new offers can be made in, by contract address (docs/runbook.md)"),
  HOUSE_ADDRESS: address
    .default("0x4ba550190e5793752c4248098ebb85c977815ddc")
    .describe("Where the rake is swept to"),
  RAKE_BPS: integer(0, 2_000).default(500).describe("The house's cut of a pot, in hundredths of a percent"),
  OPERATORS: list(address, 20).default([]).describe("Wallets whose players are operators"),
  KEYSTORE_FILE: z.string().min(1).optional().describe("The encrypted seed"),
  KEYSTORE_PASSPHRASE_FD: integer(0, 1_023).optional().describe("File descriptor that gives its passphrase"),
  KEYSTORE_PASSPHRASE_FILE: z.string().min(1).optional().describe("File that holds its passphrase"),
  KEYSTORE_PASSPHRASE: z
    .string()
    .min(1)
    .optional()
    .describe("Its passphrase, for trying out: it stays readable in the memory of the process"),
  RESULT_GRACE_SECONDS: integer(1, 604_800)
    .default(7_200)
    .describe("From the expected end until an unreported game is refunded"),
  REPORT_WINDOW_SECONDS: integer(1, 604_800)
    .default(1_800)
    .describe("How long the other side may object to a report"),
  DISPUTE_WINDOW_SECONDS: integer(60, 2_592_000)
    .default(86_400)
    .describe("How long a dispute may stay undecided until it is refunded"),
  UNDO_WINDOW_SECONDS: integer(0, 86_400)
    .default(60)
    .describe("How long payouts wait after a settlement that wasn't agreed"),
  DEPOSIT_TIERS: json(tierTable())
    .optional()
    .describe("Per token: up to which amount a deposit is playable how soon (docs/money.md)"),
  EXPOSURE_CAPS: json(capTable())
    .optional()
    .describe("Per token: how much may be played with before it is final (docs/money.md)"),
  OUTFLOW_LIMITS: json(limitTable())
    .optional()
    .describe("Per token: the most that one transaction and one hour may take out (docs/security.md)"),
  COLLECT_MINIMUM: json(amountTable())
    .optional()
    .describe("Per token: a deposit address is emptied when it holds as much"),
  APPROVAL_LIMIT: json(amountTable())
    .optional()
    .describe("Per token: an operator's act above it needs a second operator"),
  PAYOUTS: z
    .enum(["batch", "plain"])
    .default("batch")
    .describe(
      "batch: one transaction of the gas wallet pays all that a wallet owes (EIP-7702); plain: a transfer each",
    ),
  MAX_FEE_PER_GAS_GWEI: integer(1, 1_000)
    .default(5)
    .describe("The highest gas price that we pay; above it payouts wait"),
  SOCKETS_PER_ADDRESS: integer(1, 100_000).default(100).describe("Most sockets from one client address"),
  REQUESTS_PER_MINUTE: integer(10, 10_000_000)
    .default(600)
    .describe("Most API requests a minute from one client"),
  EXPLORER_URL: z
    .url({ protocol: /^https?$/, error: "must be an http or https address." })
    .default("https://basescan.org")
    .describe("Where addresses and transactions are linked to"),
} satisfies Record<string, z.ZodType>;

const environment = z.object(variables);
export type Environment = z.output<typeof environment>;

export interface Config extends Environment {
  PUBLIC_ORIGIN: string;
  DATABASE_URL: string;
  BASE_RPC_URLS: string[];
  /** True when every node is on this machine. Whether it really is a development chain is asked of the node itself. */
  nodesAreLoopback: boolean;
}

/** Says everything that is wrong with the environment, one line a variable. Values are never repeated: some are secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly problems: string[]) {
    super(`The configuration can't be used:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
  }
}

/** @throws ConfigError */
export function readConfig(given: Record<string, string | undefined>): Config {
  const set = Object.fromEntries(
    Object.entries(given).filter(([name, value]) => name in variables && value !== ""),
  );
  const parsed = environment.safeParse(set, { error: plainWords });
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map(describe));
  }
  const { DATABASE_URL, BASE_RPC_URLS, PUBLIC_ORIGIN = `http://localhost:${parsed.data.PORT}` } = parsed.data;
  const problems: string[] = [];
  if (DATABASE_URL === undefined)
    problems.push(
      "DATABASE_URL: name the Postgres to use (npm start brings one of its own when nothing is set).",
    );
  if (BASE_RPC_URLS === undefined) problems.push("BASE_RPC_URLS: name at least one Base node.");
  const asked = (BASE_RPC_URLS ?? []).filter((url) => url.startsWith("http")).map((url) => new URL(url).host);
  if (new Set(asked).size < asked.length)
    problems.push("BASE_RPC_URLS: two http addresses are on one host, whose word would count as two.");
  const nodesAreLoopback = (BASE_RPC_URLS ?? []).every(isLoopback);
  const origin = new URL(PUBLIC_ORIGIN);
  if (origin.origin !== PUBLIC_ORIGIN)
    problems.push("PUBLIC_ORIGIN: only scheme, host and port, without a slash at the end.");
  if (!nodesAreLoopback) problems.push(...unsafeOffLoopback(parsed.data, origin));
  if (DATABASE_URL === undefined || BASE_RPC_URLS === undefined || problems.length > 0)
    throw new ConfigError(problems);
  return { ...parsed.data, DATABASE_URL, BASE_RPC_URLS, PUBLIC_ORIGIN, nodesAreLoopback };
}

/** Such as `TOKENS, item 2: An address is 0x and 40 hex digits.` */
function describe({ path: [name, item], message }: z.core.$ZodIssue): string {
  return `${String(name)}${typeof item === "number" ? `, item ${item + 1}` : ""}: ${message}`;
}

/** What is fine on a developer's machine and never with real money. */
function unsafeOffLoopback(data: Environment, origin: URL): string[] {
  const problems: string[] = [];
  if (origin.protocol !== "https:")
    problems.push("PUBLIC_ORIGIN: must be https where real money is played for.");
  if (data.KEYSTORE_FILE === undefined && data.ROLE !== "api")
    problems.push("KEYSTORE_FILE: name the encrypted seed (the development seed is for local chains only).");
  if (data.DATABASE_SIGNER_URL === undefined && data.ROLE !== "api")
    problems.push(
      "DATABASE_SIGNER_URL: name a login for the process that holds the keys, a member of on_the_rail_signer alone.",
    );
  if (data.OPERATORS.length === 0)
    problems.push("OPERATORS: name at least one operator's wallet: somebody must settle disputes.");
  if (data.UNDO_WINDOW_SECONDS < 10)
    problems.push("UNDO_WINDOW_SECONDS: at least 10 where real money is played for.");
  const shallow = [...(data.DEPOSIT_TIERS ?? new Map<string, ConfirmationTier[]>()).values()]
    .flat()
    .some(({ upTo, playableAt }) => upTo === null && typeof playableAt !== "string");
  if (shallow)
    problems.push(
      "DEPOSIT_TIERS: the highest tier must wait for safe or finalized where real money is played for.",
    );
  return problems;
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function integer(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number, digits only.")
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be between ${least} and ${most}.`);
}

function postgresUrl() {
  return z.url({ protocol: /^postgres(ql)?$/, error: "must be a postgres:// address." });
}

function list<Item extends z.ZodType<string, string>>(item: Item, most: number) {
  return z
    .string()
    .transform((text) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    )
    .pipe(z.array(item).min(1).max(most));
}

function json<Shape extends z.ZodType>(shape: Shape) {
  return z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: "custom", message: "must be JSON." });
        return z.NEVER;
      }
    })
    .pipe(shape);
}

function units() {
  return z
    .string()
    .regex(/^(0|[1-9][0-9]{0,77})$/, "amounts are base units, digits in quotes.")
    .transform(BigInt);
}
function perToken<Shape extends z.ZodType>(shape: Shape) {
  return z.record(z.string(), shape).transform((record, context) => {
    const entries: [string, z.output<Shape>][] = [];
    for (const [key, value] of Object.entries(record)) {
      const token = address.safeParse(key);
      if (!token.success) {
        context.addIssue({ code: "custom", message: `${key} isn't a token's address.` });
        return z.NEVER;
      }
      entries.push([token.data, value as z.output<Shape>]);
    }
    return new Map(entries);
  });
}
function amountTable() {
  return perToken(units());
}
function capTable() {
  return perToken(z.strictObject({ perPlayer: units(), inAll: units() }) satisfies z.ZodType<ExposureCaps>);
}
function limitTable() {
  return perToken(z.strictObject({ perTransaction: units(), perHour: units() }));
}
function tierTable() {
  const playableAt = z.union([
    z.strictObject({ depth: z.int().min(1).max(10_000) }),
    z.enum(["safe", "finalized"]),
  ]);
  const tier = z.strictObject({ upTo: units().nullable(), playableAt });
  return perToken(
    z.array(tier).refine((tiers) => {
      try {
        checkTiers(tiers);
        return true;
      } catch {
        return false;
      }
    }, "tiers rise in amount and in depth, and the last one has upTo null."),
  );
}
