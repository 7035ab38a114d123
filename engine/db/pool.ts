/** Connections and transactions. Everything else in this layer is one function a statement. */
import pg from "pg";
import { DatabaseAwayError, isAway, isDatabaseError, isRefusedAfterFailure, isRetriable } from "./errors.ts";

// bigint and numeric come as strings; each decoder says which of them it reads as a bigint.
const { Pool: PgPool } = pg;

export type Pool = pg.Pool;
declare const inTransaction: unique symbol;
/** Anything that runs a statement. */
export interface Queryable {
  query: pg.ClientBase["query"];
}
/** A database transaction in progress; never a pool, so that writes can't slip outside of one. */
export type Tx = pg.PoolClient & { readonly [inTransaction]: true };

export interface PoolOptions {
  url: string;
  maxConnections?: number;
  /** A statement that runs longer is cancelled, ms. */
  statementTimeoutMs?: number;
  /** Whoever has waited longer for a connection is turned away, ms. */
  connectionTimeoutMs?: number;
  applicationName?: string;
}

/** Statements are planned once a connection: each is a look-up by a key, for which the values make no difference. */
const sessionSettings = "-c plan_cache_mode=force_generic_plan -c jit=off";

export function createPool({
  url,
  maxConnections = 10,
  statementTimeoutMs = 15_000,
  connectionTimeoutMs = 10_000,
  applicationName = "on-the-rail",
}: PoolOptions): Pool {
  const pool = new PgPool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: connectionTimeoutMs,
    idleTimeoutMillis: 30_000,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    application_name: applicationName,
    pipeline: true,
    options: sessionSettings,
  });
  // A connection that dies while idle is replaced by the pool; without a listener it would end the process.
  pool.on("error", () => undefined);
  // The same in the moment between the pool's hearing and that of whoever it is lent to.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

const maxTries = 5;

export interface TransactionOptions<Value> {
  /** False rolls back (an expected failure leaves no trace). */
  keep?: (value: Value) => boolean;
  /**
   * Sends the last statements, if the value is kept: in one packet with the COMMIT, so that what fails here, fails before
   * that is sent, or in the database.
   */
  last?: (tx: Tx, value: Value) => Promise<unknown>[];
}

/**
 * Runs `work` in one READ COMMITTED transaction and commits, or rolls back when it throws. A deadlock or serialization
 * failure runs it anew, up to five times. `work` must not talk to the chain, sign or emit.
 *
 * BEGIN travels with the first statement.
 */
export async function transaction<Value>(
  pool: Pool,
  work: (tx: Tx) => Promise<Value>,
  { keep = () => true, last = () => [] }: TransactionOptions<Value> = {},
): Promise<Value> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await onConnection(pool, async (client) => {
        const tx = client as unknown as Tx;
        const [, value] = await together(tx, () => [client.query("BEGIN"), work(tx)]);
        if (!keep(value)) {
          await client.query("ROLLBACK");
          return value;
        }
        const [{ command }] = await together(tx, () => {
          const sent = last(tx, value);
          return [client.query("COMMIT"), ...sent];
        });
        checkCommitted(command);
        return value;
      });
    } catch (error) {
      if (attempt >= maxTries || !isRetriable(error)) throw error;
    }
  }
}

/** The database answers otherwise when a statement had failed and nobody minded. */
function checkCommitted(command: string): void {
  if (command !== "COMMIT") throw new Error("the transaction was rolled back at its end");
}

/**
 * Lends a connection, and rolls back what is open on it when `work` throws. One that breaks is thrown away.
 * @throws DatabaseAwayError when there is none, or when it broke and `work` failed for it
 */
async function onConnection<Value>(
  pool: Pool,
  work: (client: pg.PoolClient) => Promise<Value>,
): Promise<Value> {
  const client = await pool.connect().catch((failure: unknown) => {
    throw isAway(failure) || isDatabaseError(failure) ? failure : new DatabaseAwayError(failure);
  });
  let broken: Error | undefined;
  // The pool listens only while a connection is idle; an error that nobody hears would end the process.
  const breaks = (failure: Error): void => {
    broken = failure;
  };
  client.on("error", breaks);
  try {
    return await work(client);
  } catch (error) {
    await client.query("ROLLBACK").catch(breaks);
    if (broken === undefined || isAway(error) || isDatabaseError(error)) throw error;
    throw new DatabaseAwayError(error);
  } finally {
    client.off("error", breaks);
    client.release(broken);
  }
}

/**
 * Sends the statements that `send` issues in one packet. They are run in their order; after one that fails the database
 * refuses the rest. Nothing is under way any more when this ends, also when it throws.
 */
export async function together<Sent extends Promise<unknown>[]>(tx: Tx, send: () => [...Sent]) {
  const { stream } = tx.connection;
  stream.cork();
  process.nextTick(() => stream.uncork());
  const sent = send();
  const settled = await Promise.allSettled(sent);
  // What was refused because another statement had failed says nothing of why.
  const cause = settled.find((one) => one.status === "rejected" && !isRefusedAfterFailure(one.reason));
  if (cause?.status === "rejected") throw cause.reason;
  return Promise.all(sent);
}

/**
 * A transaction whose statements are all known before, in one packet from BEGIN to COMMIT. It isn't tried again.
 */
export const atOnce = (pool: Pool, send: (tx: Tx) => Promise<unknown>[]): Promise<void> =>
  onConnection(pool, async (client) => {
    const tx = client as unknown as Tx;
    const [, { command }] = await together(tx, () => {
      const begun = client.query("BEGIN");
      const sent = send(tx);
      return [begun, client.query("COMMIT"), ...sent];
    });
    checkCommitted(command);
  });

/** Several reads on one connection, each of its own moment, in one packet if `send` sends them at once. */
export const reading = <Value>(pool: Pool, send: (db: Queryable) => Promise<Value>): Promise<Value> =>
  onConnection(pool, async (client) => {
    const [value] = await together(client as unknown as Tx, () => [send(client)]);
    return value;
  });

/** Several reads of one moment, each within the pool's time for a statement unless told. */
export const snapshot = <Value>(
  pool: Pool,
  work: (tx: Tx) => Promise<Value>,
  { statementTimeoutMs }: { statementTimeoutMs?: number } = {},
): Promise<Value> =>
  onConnection(pool, async (client) => {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (statementTimeoutMs !== undefined)
      await client.query("SELECT set_config('statement_timeout', $1, true)", [String(statementTimeoutMs)]);
    const value = await work(client as unknown as Tx);
    await client.query("COMMIT");
    return value;
  });

/** Why nobody can log in at this address, in a word of the server's or the system's; null when somebody can. */
export async function whyUnreachable(url: string): Promise<string | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    return null;
  } catch (error) {
    // Several addresses of one name fail together, with an empty message of their own.
    const [cause] = error instanceof AggregateError ? error.errors : [error];
    return cause instanceof Error ? cause.message : String(cause);
  } finally {
    await client.end().catch(() => undefined);
  }
}
