/** What a database error means, by SQLSTATE and constraint name, never by message text. */
import pg from "pg";

const retriableStates = new Set(["40001" /* serialization_failure */, "40P01" /* deadlock_detected */]);

export const isDatabaseError = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError;
export const isRetriable = (error: unknown): boolean =>
  isDatabaseError(error) && retriableStates.has(error.code ?? "");
/** Refused because an earlier statement of its transaction had failed. */
export const isRefusedAfterFailure = (error: unknown): boolean =>
  isDatabaseError(error) && error.code === "25P02" /* in_failed_sql_transaction */;
/** A unique key stands already; with `constraint`, that one. */
export const isUniqueViolation = (error: unknown, constraint?: string): boolean =>
  isDatabaseError(error) &&
  error.code === "23505" &&
  (constraint === undefined || error.constraint === constraint);
/** A statement that must write found the books other than was foreseen. */
export const isUnwritten = (error: unknown): boolean => isDatabaseError(error) && error.code === "OTR01";
/** A connection that broke, or couldn't be had, without a code that says so. */
export class DatabaseAwayError extends Error {
  override readonly name = "DatabaseAwayError";
  constructor(cause: unknown) {
    super("the database is away", { cause });
  }
}
const awayStates = new Set([
  "ECONNREFUSED",
  "ENOENT" /* no socket of that name */,
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "57P01" /* admin_shutdown */,
  "57P02" /* crash_shutdown */,
  "57P03" /* cannot_connect_now */,
  "53300" /* too_many_connections */,
]);
/** The database can't be reached, or went away in the middle; whether the last commit took place isn't known then. */
export const isAway = (error: unknown): boolean =>
  error instanceof DatabaseAwayError ||
  (error instanceof Error && "code" in error && awayStates.has(String(error.code)));
