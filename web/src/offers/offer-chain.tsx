import { useQuery } from "@tanstack/react-query";
import type { Proposal } from "../../../engine/contract/wager.ts";
import { chainQuery } from "../api/queries.ts";
import { offerSentence, stampOf } from "./said.ts";

/** What was offered before, oldest first; the whole chain stays visible. */
export function OfferChain({ proposal }: { proposal: Proposal }) {
  const { data } = useQuery(chainQuery(proposal.id));
  const before = (data ?? []).filter(
    ({ id, createdAt }) => id !== proposal.id && createdAt <= proposal.createdAt,
  );
  if (before.length === 0) return null;
  return (
    <div style={{ borderLeft: "6px solid", paddingLeft: "0.75rem" }}>
      <p className="label">Before this</p>
      <ol aria-label="Offers before this">
        {before.map((earlier) => (
          <li key={earlier.id} className="smoke">
            {offerSentence(earlier)} {earlier.terms === proposal.terms ? "" : `${earlier.terms} `}
            {stampOf(earlier.state) ?? "Still open"}.
          </li>
        ))}
      </ol>
    </div>
  );
}
