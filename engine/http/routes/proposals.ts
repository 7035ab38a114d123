/** Offers. */
import type { Context } from "../../services/context.ts";
import * as proposals from "../../services/proposals.ts";
import type { HandlersOf } from "../call.ts";

type Names =
  | "propose"
  | "listProposals"
  | "readProposal"
  | "readProposalChain"
  | "acceptProposal"
  | "counterProposal"
  | "declineProposal"
  | "cancelProposal";

const stakesOf = (body: { proposerStake: string; takerStake: string }) => ({
  proposerStake: BigInt(body.proposerStake),
  takerStake: BigInt(body.takerStake),
});

export function proposalHandlers(context: Context): HandlersOf<Names> {
  return {
    propose: ({ session, idempotency, body }) =>
      proposals.propose(context, { ...body, ...stakesOf(body), by: session.playerId, idempotency }),
    listProposals: ({ session, query }) =>
      proposals.listProposals(context, { ...query, by: session.playerId }),
    readProposal: ({ params }) => proposals.readProposal(context, params.id),
    readProposalChain: ({ params }) => proposals.readProposalChain(context, params.id),
    acceptProposal: ({ session, idempotency, params }) =>
      proposals.accept(context, { by: session.playerId, idempotency, proposalId: params.id }),
    counterProposal: ({ session, idempotency, params, body }) =>
      proposals.counter(context, {
        ...body,
        ...stakesOf(body),
        by: session.playerId,
        idempotency,
        proposalId: params.id,
      }),
    declineProposal: ({ session, idempotency, params }) =>
      proposals.decline(context, { by: session.playerId, idempotency, proposalId: params.id }),
    cancelProposal: ({ session, idempotency, params }) =>
      proposals.cancel(context, { by: session.playerId, idempotency, proposalId: params.id }),
  };
}
