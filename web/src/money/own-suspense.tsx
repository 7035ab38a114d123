import { useQuery } from "@tanstack/react-query";
import type { OwnSuspenseItem } from "../../../engine/contract/account.ts";
import { ownSuspenseQuery } from "../api/queries.ts";
import { Moment } from "../time/clock.tsx";
import { OnChain } from "../ui/address.tsx";
import { Empty, Loaded } from "../ui/states.tsx";
import { withSymbol } from "./show.ts";

/** What the player has sent and couldn't be credited for: why, and what becomes of it. */
export function OwnSuspense() {
  const items = useQuery(ownSuspenseQuery);
  return (
    <section className="stack" aria-labelledby="not-credited">
      <div className="section-head">
        <h2 id="not-credited">Here, but not credited</h2>
      </div>
      <Loaded query={items} label="Here, but not credited">
        {(known) =>
          known.length === 0 ? (
            <Empty>Nothing of yours waits outside your pool.</Empty>
          ) : (
            <ul className="stack">
              {known.map((item) => (
                <Item key={item.id} item={item} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
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
      <p className="row">
        <Moment at={item.seenAt} />
        <span>
          from <OnChain kind="address" value={item.sender} />
        </span>
        <span>
          to <OnChain kind="address" value={item.recipient} />
        </span>
        <OnChain kind="tx" value={item.txHash} />
      </p>
    </li>
  );
}
