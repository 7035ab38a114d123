import { useQuery } from "@tanstack/react-query";
import type { OwnSuspenseItem } from "../../../engine/contract/account.ts";
import { ownSuspenseQuery } from "../api/queries.ts";
import { ListSection } from "../ui/list-section.tsx";
import { withSymbol } from "./show.ts";
import { TransferFacts } from "./transfer-facts.tsx";

/** What the player has sent and couldn't be credited for: why, and what becomes of it. */
export function OwnSuspense() {
  return (
    <ListSection
      id="not-credited"
      title="Here, but not credited"
      query={useQuery(ownSuspenseQuery)}
      empty="Nothing of yours waits outside your pool."
    >
      {(item) => <Item key={item.id} item={item} />}
    </ListSection>
  );
}

function Item({ item }: { item: OwnSuspenseItem }) {
  return (
    <li className="box box-pad stack" style={{ gap: "0.5rem" }}>
      <p className="row" style={{ justifyContent: "space-between" }}>
        <strong className="sum" style={{ fontSize: "1.25rem" }}>
          {withSymbol(item.money)}
        </strong>
        <span className="call">{item.state === "open" ? "Waits" : "Sent back"}</span>
      </p>
      <p>{item.why}</p>
      <p>{item.next}</p>
      <TransferFacts at={item.seenAt} from={item.sender} to={item.recipient} txHash={item.txHash} />
    </li>
  );
}
