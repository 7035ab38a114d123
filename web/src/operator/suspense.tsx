import { useQuery } from "@tanstack/react-query";
import { call } from "../api/call.ts";
import { suspenseQuery } from "../api/queries.ts";
import type { SuspenseItem } from "../api/shapes.ts";
import { exact, withSymbol } from "../money/show.ts";
import { Moment } from "../time/clock.tsx";
import { OnChain } from "../ui/address.tsx";
import { Empty, Loaded } from "../ui/states.tsx";
import { ReasonForm } from "./reason-form.tsx";

/** Money that nobody could be credited for; it goes back where it came from. */
export function Suspense() {
  const items = useQuery(suspenseQuery);
  return (
    <section className="stack" aria-labelledby="suspense">
      <div className="section-head">
        <h2 id="suspense">Suspense</h2>
      </div>
      <Loaded query={items} label="Suspense">
        {(known) =>
          known.length === 0 ? (
            <Empty>All that came in has an owner.</Empty>
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

function Item({ item }: { item: SuspenseItem }) {
  return (
    <li className="box box-pad stack" style={{ gap: "0.5rem" }}>
      <p className="row" style={{ justifyContent: "space-between" }}>
        <strong className="sum">{withSymbol(item.money)}</strong>
        <span className="call">{item.state}</span>
      </p>
      <p>{item.cause}</p>
      <p className="row">
        <Moment at={item.seenAt} />
        <span>
          from <OnChain kind="address" value={item.sender} />
        </span>
        <OnChain kind="tx" value={item.txHash} />
      </p>
      {item.state === "open" ? (
        <ReasonForm
          action="Send it back"
          subject={withSymbol(item.money)}
          confirm={exact(item.money)}
          send={(reason, idempotencyKey) =>
            call("refundSuspense", { params: { id: item.id }, body: { reason }, idempotencyKey })
          }
        />
      ) : null}
    </li>
  );
}
