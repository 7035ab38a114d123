import type { Proposal } from "../../../engine/contract/wager.ts";
import { Empty } from "../ui/states.tsx";
import { OfferCard } from "./offer-card.tsx";

export function OfferCards({ proposals, empty }: { proposals: readonly Proposal[]; empty: string }) {
  if (proposals.length === 0) return <Empty>{empty}</Empty>;
  return (
    <div className="cards">
      {proposals.map((proposal) => (
        <OfferCard key={proposal.id} proposal={proposal} />
      ))}
    </div>
  );
}
