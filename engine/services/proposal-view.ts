/** Offers as everybody sees them: one statement, however many. */
import type { z } from "zod";
import { type Result, reject } from "../contract/problems.ts";
import type { Proposal, proposalBox, proposals } from "../contract/wager.ts";
import { type Side, settleDuel } from "../core/settlement.ts";
import type { Queryable } from "../db/pool.ts";
import {
  type ProposalWithNames,
  listProposals as readBox,
  readChain,
  readProposals,
} from "../db/proposal-reads.ts";
import type { Token } from "../db/tokens.ts";
import type { Context } from "./context.ts";
import { pageOf, placeOf } from "./cursor.ts";
import { knownTokens, moneyOf } from "./tokens.ts";

export function proposalView(tokens: ReadonlyMap<string, Token>, row: ProposalWithNames): Proposal {
  const { state } = row;
  const money = (amount: bigint) => moneyOf(tokens, state.token, amount);
  const stakes = { red: state.proposerStake, blue: state.takerStake };
  const winGets = (outcome: Side) =>
    money(settleDuel({ stakes, outcome, rakeBps: state.rakeBps }).payouts[outcome]);
  const person = (id: string | null, handle: string | null) =>
    id === null || handle === null ? null : { id, handle };
  return {
    id: state.id,
    parentId: state.parentId,
    rootId: state.rootId,
    state: state.status,
    proposer: { id: state.proposerId, handle: row.proposerHandle },
    taker: person(state.takerId, row.takerHandle),
    proposerStake: money(state.proposerStake),
    takerStake: money(state.takerStake),
    pot: money(state.proposerStake + state.takerStake),
    rakeBps: state.rakeBps,
    proposerWinGets: winGets("red"),
    takerWinGets: winGets("blue"),
    terms: state.terms,
    referee: person(state.refereeId, row.refereeHandle),
    expectedMinutes: state.expectedMinutes,
    expiresAt: new Date(state.expiresAtMs).toISOString(),
    createdAt: row.createdAt.toISOString(),
    gameId: row.gameId,
  };
}

/** Some offers by id, in the order asked for. Throws when one is missing. */
export async function viewProposals(context: Context, db: Queryable, ids: string[]): Promise<Proposal[]> {
  const tokens = await knownTokens(context.pool);
  const found = new Map(
    (await readProposals(db, ids)).map((row) => [row.state.id, proposalView(tokens, row)]),
  );
  return ids.map((id) => {
    const view = found.get(id);
    if (view === undefined) throw new Error(`proposal ${id} is gone`);
    return view;
  });
}

export async function readProposal(context: Context, proposalId: string): Promise<Result<Proposal>> {
  const tokens = await knownTokens(context.pool);
  const [row] = await readProposals(context.pool, [proposalId]);
  return row === undefined ? reject("not_found") : { ok: true, value: proposalView(tokens, row) };
}

/** The chain of counters that an offer is part of, oldest first, at most 200. */
export async function readProposalChain(
  context: Context,
  proposalId: string,
): Promise<Result<{ items: Proposal[] }>> {
  const tokens = await knownTokens(context.pool);
  const rows = await readChain(context.pool, proposalId);
  if (rows.length === 0) return reject("not_found");
  return { ok: true, value: { items: rows.map((row) => proposalView(tokens, row)) } };
}

/**
 * A page of a player's offers, newest first. `inbox`: open ones to the player by name; `sent`: everything the player ever
 * offered; `public`: open ones to anyone; `all`: whatever the player was part of.
 */
export async function listProposals(
  context: Context,
  query: { by: string; box: z.infer<typeof proposalBox>; cursor?: string | undefined; limit: number },
): Promise<Result<z.infer<typeof proposals>>> {
  const below = query.cursor === undefined ? null : placeOf(query.cursor);
  if (below === null && query.cursor !== undefined) return reject("request_invalid", { field: "cursor" });
  const tokens = await knownTokens(context.pool);
  const rows = await readBox(context.pool, {
    playerId: query.box === "public" ? null : query.by,
    box: query.box,
    below,
    limit: query.limit + 1,
    now: new Date(context.clock()),
  });
  const value = pageOf(rows, query.limit, {
    place: ({ createdAt, state }) => ({ at: createdAt, id: state.id }),
    item: (row) => proposalView(tokens, row),
  });
  return { ok: true, value };
}
