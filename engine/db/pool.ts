/** Connections and transactions. Everything else in this layer is one function a statement. */
import pg from "pg";
import { isRetriable } from "./errors.ts";

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
  applicationName?: string;
}

export function createPool({
  url,
  maxConnections = 20,
  statementTimeoutMs = 15_000,
  applicationName = "on-the-rail",
}: PoolOptions): Pool {
  const pool = new PgPool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    application_name: applicationName,
  });
  // A connection that dies while idle is replaced by the pool; without a listener it would end the process.
  pool.on("error", () => undefined);
  return pool;
}

const maxTries = 5;

/**
 * Runs `work` in one READ COMMITTED transaction and commits. Rolled back when it throws, or when it returns a value
 * for which `keep` is false (an expected failure leaves no trace). A deadlock or serialization failure runs it anew, up
 * to five times. `work` must not talk to the chain, sign or emit.
 */
export async function transaction<Value>(
  pool: Pool,
  work: (tx: Tx) => Promise<Value>,
  { keep = () => true }: { keep?: (value: Value) => boolean } = {},
): Promise<Value> {
  for (let attempt = 1; ; attempt += 1) {
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      await client.query("BEGIN");
      const value = await work(client as unknown as Tx);
      await client.query(keep(value) ? "COMMIT" : "ROLLBACK");
      return value;
    } catch (error) {
      // A failed rollback means that the connection is unusable: it is thrown away.
      await client.query("ROLLBACK").catch((failure: Error) => {
        broken = failure;
      });
      if (attempt >= maxTries || !isRetriable(error)) throw error;
    } finally {
      client.release(broken);
    }
  }
}

/** Several reads of one moment, for snapshots. */
export async function snapshot<Value>(pool: Pool, work: (tx: Tx) => Promise<Value>): Promise<Value> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const value = await work(client as unknown as Tx);
    await client.query("COMMIT");
    return value;
  } catch (error) {
    await client.query("ROLLBACK").catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
