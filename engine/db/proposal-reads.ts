/** Offers with the names that are shown beside them: by id, as a chain of counters, and in lists. */
import { z } from "zod";
import type { ProposalState } from "../core/proposal.ts";
import { rowsOf } from "./decode.ts";
import type { Below } from "./page.ts";
import type { Queryable } from "./pool.ts";
import { proposalColumns, proposalRow, stateOf } from "./proposals.ts";

const viewRow = proposalRow.extend({
  proposer_handle: z.string(),
  taker_handle: z.string().nullable(),
  referee_handle: z.string().nullable(),
  game_id: z.string().nullable(),
});
/** An offer with what is shown beside it. */
export interface ProposalWithNames {
  state: ProposalState;
  createdAt: Date;
  proposerHandle: string;
  takerHandle: string | null;
  refereeHandle: string | null;
  gameId: string | null;
}
const select = `SELECT ${proposalColumns}, proposer.handle AS proposer_handle, taker.handle AS taker_handle,
    referee.handle AS referee_handle, game.id AS game_id
  FROM proposal JOIN player proposer ON proposer.id = proposer_id
  LEFT JOIN player taker ON taker.id = taker_id LEFT JOIN player referee ON referee.id = proposal.referee_id
  LEFT JOIN game ON game.proposal_id = proposal.id`;
const namedOf = (rows: unknown[]): ProposalWithNames[] =>
  rowsOf(viewRow, rows).map((found) => ({
    state: stateOf(found),
    createdAt: found.created_at,
    proposerHandle: found.proposer_handle,
    takerHandle: found.taker_handle,
    refereeHandle: found.referee_handle,
    gameId: found.game_id,
  }));

/** Those of the ids that exist, in no particular order. */
export async function readProposals(db: Queryable, ids: string[]): Promise<ProposalWithNames[]> {
  const { rows } = await db.query({
    name: "read_proposals",
    text: `${select} WHERE proposal.id = ANY ($1::uuid[])`,
    values: [ids],
  });
  return namedOf(rows);
}

/** The whole chain of counters that an offer belongs to, oldest first; of one moment, an offer before its counter. */
export async function readChain(db: Queryable, proposalId: string): Promise<ProposalWithNames[]> {
  const { rows } = await db.query({
    name: "read_proposal_chain",
    text: `WITH RECURSIVE member AS MATERIALIZED (
             SELECT id, parent_id FROM proposal WHERE root_id = (SELECT root_id FROM proposal asked WHERE asked.id = $1)),
           chain AS (
             SELECT id, 0 AS depth FROM member WHERE parent_id IS NULL
             UNION ALL SELECT member.id, depth + 1 FROM member JOIN chain ON member.parent_id = chain.id)
           ${select} JOIN chain ON chain.id = proposal.id ORDER BY proposal.created_at, depth, proposal.id LIMIT 200`,
    values: [proposalId],
  });
  return namedOf(rows);
}

const pending = "proposal.state = 'pending' AND proposal.expires_at > $5";
// $1: the player (null for the public box), $5: now, where an offer must still be open.
const boxes = {
  inbox: { condition: `proposal.taker_id = $1 AND ${pending}`, isTimed: true },
  sent: { condition: "proposal.proposer_id = $1", isTimed: false },
  public: { condition: `$1::bigint IS NULL AND proposal.taker_id IS NULL AND ${pending}`, isTimed: true },
  all: { condition: "(proposal.proposer_id = $1 OR proposal.taker_id = $1)", isTimed: false },
  /** Open offers from and to a player. */
  open: { condition: `(proposal.proposer_id = $1 OR proposal.taker_id = $1) AND ${pending}`, isTimed: true },
} as const;
export type Box = keyof typeof boxes;

/** Offers of a box, newest first, below a place in it. The public box is nobody's: `playerId` null. */
export async function listProposals(
  db: Queryable,
  input: { playerId: string | null; box: Box; below: Below | null; limit: number; now: Date },
): Promise<ProposalWithNames[]> {
  const { condition, isTimed } = boxes[input.box];
  const { rows } = await db.query({
    name: `list_proposals_${input.box}`,
    text: `${select} WHERE ${condition} AND ($2::timestamptz IS NULL
             OR proposal.created_at <= $2 AND (proposal.created_at < $2 OR proposal.id > $3::uuid))
           ORDER BY proposal.created_at DESC, proposal.id LIMIT $4`,
    values: [
      input.playerId,
      input.below?.at ?? null,
      input.below?.id ?? null,
      input.limit,
      ...(isTimed ? [input.now] : []),
    ],
  });
  return namedOf(rows);
}
