/** Offers. Rows are decoded into the state that core decides on. */
import { z } from "zod";
import type { ProposalState } from "../core/proposal.ts";
import { big, count, firstCellOf, firstOf, id, maybeMoment, moment, rowsOf } from "./decode.ts";
import type { Queryable, Tx } from "./pool.ts";
import { isSwitchOn } from "./switches.ts";

export const proposalRow = z.object({
  id: z.string(),
  parent_id: z.string().nullable(),
  root_id: z.string(),
  proposer_id: id,
  taker_id: id.nullable(),
  token: z.string(),
  proposer_stake: big,
  taker_stake: big,
  terms: z.string(),
  referee_id: id.nullable(),
  expected_minutes: count,
  rake_bps: count,
  state: z.enum(["pending", "accepted", "countered", "declined", "cancelled", "expired"]),
  expires_at: moment,
  created_at: moment,
});
export const proposalColumns = Object.keys(proposalRow.shape)
  .map((name) => `proposal.${name}`)
  .join(", ");

export const stateOf = (found: z.output<typeof proposalRow>): ProposalState => ({
  id: found.id,
  parentId: found.parent_id,
  rootId: found.root_id,
  proposerId: found.proposer_id,
  takerId: found.taker_id,
  token: found.token,
  proposerStake: found.proposer_stake,
  takerStake: found.taker_stake,
  terms: found.terms,
  refereeId: found.referee_id,
  expectedMinutes: found.expected_minutes,
  rakeBps: found.rake_bps,
  expiresAtMs: found.expires_at.getTime(),
  status: found.state,
});

/**
 * Locks an offer, together with the first one of its chain when `withRoot`, in id order. Answers null when there is no
 * such offer; `root` is null when the offer is its own root or the root wasn't asked for.
 */
export async function lockProposal(
  tx: Tx,
  { id: proposalId, withRoot }: { id: string; withRoot: boolean },
): Promise<{ state: ProposalState; root: ProposalState | null } | null> {
  const { rows } = await tx.query({
    name: withRoot ? "lock_proposal_and_root" : "lock_proposal",
    // A root never changes, so that it may be read before the lock.
    text: `SELECT ${proposalColumns} FROM proposal WHERE id = $1
           ${withRoot ? "OR id = (SELECT root_id FROM proposal child WHERE child.id = $1)" : ""} ORDER BY id FOR UPDATE`,
    values: [proposalId],
  });
  const states = rowsOf(proposalRow, rows).map(stateOf);
  const state = states.find(({ id: found }) => found === proposalId);
  if (state === undefined) return null;
  return { state, root: states.find(({ id: found }) => found !== proposalId) ?? null };
}

/** An offer whose time has run out by `now`, locked; null when none waits that nobody else is at, or a recovery stands. */
export async function lockDueProposal(
  tx: Tx,
  { now, except }: { now: Date; except: string[] },
): Promise<ProposalState | null> {
  const { rows } = await tx.query({
    name: "lock_due_proposal",
    text: `SELECT ${proposalColumns} FROM proposal WHERE state = 'pending' AND expires_at <= $1 AND id <> ALL ($2::uuid[])
             AND NOT EXISTS (SELECT FROM recovery WHERE ended_at IS NULL)
           ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
    values: [now, except],
  });
  const found = firstOf(proposalRow, rows);
  return found === null ? null : stateOf(found);
}

/** False when the proposer has `mostPending` offers open already; exact, because the caller holds the pool's lock. */
export async function insertProposal(
  tx: Tx,
  { state, createdAt, mostPending }: { state: ProposalState; createdAt: Date; mostPending: number },
): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: "insert_proposal",
    text: `INSERT INTO proposal (id, parent_id, root_id, proposer_id, taker_id, token, proposer_stake, taker_stake, terms,
             referee_id, expected_minutes, rake_bps, expires_at, created_at)
           SELECT $1, $2, $3, $4::bigint, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
           WHERE (SELECT count(*) FROM proposal WHERE proposer_id = $4 AND state = 'pending') < $15::integer`,
    values: [
      state.id,
      state.parentId,
      state.rootId,
      state.proposerId,
      state.takerId,
      state.token,
      state.proposerStake.toString(),
      state.takerStake.toString(),
      state.terms,
      state.refereeId,
      state.expectedMinutes,
      state.rakeBps,
      new Date(state.expiresAtMs),
      createdAt,
      mostPending,
    ],
  });
  return rowCount === 1;
}

/** Writes what may change of an offer: its status, and who took it. */
export async function updateProposal(
  tx: Tx,
  { state, decidedAt }: { state: ProposalState; decidedAt: Date },
): Promise<void> {
  await tx.query({
    name: "update_proposal",
    text: `UPDATE proposal SET state = $2, taker_id = $3, decided_at = CASE WHEN $2 = 'pending' THEN NULL ELSE $4::timestamptz END
           WHERE id = $1`,
    values: [state.id, state.status, state.takerId, decidedAt],
  });
}

const parties = z.object({
  offers_on: z.boolean(),
  proposer_handle: z.string(),
  opponent_id: id.nullable(),
  opponent_handle: z.string().nullable(),
  referee_id: id.nullable(),
  referee_handle: z.string().nullable(),
});
/** Everything that a new offer needs to know of others, in one statement. */
export async function readOfferParties(
  db: Queryable,
  input: {
    proposerId: string;
    opponentHandle: string | null;
    opponentAddress: string | null;
    refereeHandle: string | null;
  },
) {
  const { rows } = await db.query({
    name: "read_offer_parties",
    text: `SELECT (SELECT ${isSwitchOn} FROM switch WHERE name = 'proposals') AS offers_on,
             proposer.handle AS proposer_handle, opponent.id AS opponent_id, opponent.handle AS opponent_handle,
             referee.id AS referee_id, referee.handle AS referee_handle
           FROM player proposer
           LEFT JOIN player opponent ON opponent.id = coalesce(
             (SELECT id FROM player WHERE lower(handle) = lower($2::text)),
             (SELECT player_id FROM player_wallet WHERE address = $3::text))
           LEFT JOIN player referee ON lower(referee.handle) = lower($4::text)
           WHERE proposer.id = $1`,
    values: [input.proposerId, input.opponentHandle, input.opponentAddress, input.refereeHandle],
  });
  return firstOf(parties, rows);
}

/** The next moment at which an offer lapses; null while none is open. */
export async function readNextLapse(db: Queryable): Promise<Date | null> {
  const { rows } = await db.query("SELECT min(expires_at) AS at FROM proposal WHERE state = 'pending'");
  return firstCellOf(maybeMoment, rows);
}
