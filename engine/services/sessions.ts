/** Sessions: one row each in Postgres, seven days at most, gone on every process at once when they end. */
import DataLoader from "dataloader";
import { notify } from "../db/notify.ts";
import type { Tx } from "../db/pool.ts";
import {
  deleteSession,
  insertSession,
  readSessions,
  readStandingSessions,
  trimSessions,
} from "../db/sessions.ts";
import type { Context } from "./context.ts";
import { cookieRules, hashOf, newCookieSecret, readSecret } from "./cookies.ts";

export const sessionLifetimeMs = 7 * 24 * 60 * 60 * 1_000;

export interface Session {
  /** Names the session inside; it is the hash of the secret, and nobody can sign in with it. */
  sessionId: string;
  playerId: string;
  handle: string;
  /** A wallet of the player is on the list of operators. */
  operator: boolean;
  /** Age and terms were accepted. */
  termsAccepted: boolean;
}

/** Who asks, by the `Cookie` header of a request or of a socket's handshake; null when nobody is signed in. */
export type ReadSession = (cookieHeader: string | undefined) => Promise<Session | null>;

const mostAtOnce = 100;

/** Sessions that are asked for within one turn of the event loop are read by one query; none is ever remembered. */
export function createSessionReader(context: Context): ReadSession {
  const { name } = cookieRules(context.settings, "session");
  const sessions = new DataLoader((idHashes: readonly Buffer[]) => readEach(context, idHashes), {
    cache: false,
    maxBatchSize: mostAtOnce,
    batchScheduleFn: (read) => void setImmediate(read),
  });
  return async (cookieHeader) => {
    const secret = readSecret(cookieHeader, name);
    return secret === null ? null : sessions.load(hashOf(secret));
  };
}

async function readEach(context: Context, idHashes: readonly Buffer[]): Promise<(Session | null)[]> {
  const rows = await readSessions(context.pool, {
    idHashes: [...idHashes],
    now: new Date(context.clock()),
    operatorAddresses: [...context.settings.operatorAddresses],
  });
  const found = new Map(rows.map((row) => [row.id_hash.toString("hex"), row]));
  return idHashes.map((idHash) => {
    const sessionId = idHash.toString("hex");
    const row = found.get(sessionId);
    if (row === undefined) return null;
    return {
      sessionId,
      playerId: row.player_id,
      handle: row.handle,
      operator: row.operator,
      termsAccepted: row.terms_accepted_at !== null,
    };
  });
}

/** Begins a session within the transaction that proves who it is for. Answers the secret for the cookie. */
export async function beginSession(
  context: Context,
  tx: Tx,
  { playerId, address }: { playerId: string; address: string },
): Promise<string> {
  const now = context.clock();
  const secret = newCookieSecret();
  await trimSessions(tx, new Date(now));
  await insertSession(tx, {
    idHash: hashOf(secret),
    playerId,
    address,
    createdAt: new Date(now),
    expiresAt: new Date(now + sessionLifetimeMs),
  });
  return secret;
}

/** Ends the session that a `Cookie` header names, if any, and tells every process of it when the transaction commits. */
export async function endSessionOf(
  context: Context,
  db: Tx | Context["pool"],
  cookieHeader: string | undefined,
): Promise<void> {
  const secret = readSecret(cookieHeader, cookieRules(context.settings, "session").name);
  if (secret === null) return;
  const idHash = hashOf(secret);
  if (await deleteSession(db, idHash)) await notify(db, "session_ended", idHash.toString("hex"));
}

/**
 * Which of these sessions have ended. Sockets are told by the `session_ended` notification; this finds what a lost
 * connection missed, and what merely ran out.
 */
export async function endedSessions(context: Context, sessionIds: readonly string[]): Promise<string[]> {
  const standing = await readStandingSessions(context.pool, {
    idHashes: sessionIds.map((id) => Buffer.from(id, "hex")),
    now: new Date(context.clock()),
  });
  const alive = new Set(standing.map((idHash) => idHash.toString("hex")));
  return sessionIds.filter((id) => !alive.has(id));
}
