import { useQuery } from "@tanstack/react-query";
import { call } from "../api/call.ts";
import { suspenseQuery } from "../api/queries.ts";
import type { SuspenseItem } from "../api/shapes.ts";
import { exact, withSymbol } from "../money/show.ts";
import { TransferFacts } from "../money/transfer-facts.tsx";
import { ActSection } from "../ui/act-section.tsx";
import { List } from "../ui/list-section.tsx";
import { ReasonForm } from "./reason-form.tsx";

/** Money that nobody could be credited for; it goes back where it came from, or to whose it turns out to be. */
export function Suspense() {
  return (
    <ActSection id="suspense" title="Suspense">
      <List title="Suspense" query={useQuery(suspenseQuery)} empty="All that came in has an owner.">
        {(item) => <Item key={item.id} item={item} />}
      </List>
    </ActSection>
  );
}

const causes: Readonly<Record<string, string>> = {
  unknown_sender: "From a wallet that nobody had signed in with.",
  minted: "Minted: it has no sender to go back to.",
  escrow: "Sent to a game's escrow, where stakes come out of pools only.",
  gas_wallet: "Sent to the gas wallet, which takes no deposits.",
  unassigned_deposit_address: "Sent to a deposit address before that was anybody's.",
};
const nobody = /^0x0{40}$/;

function Item({ item }: { item: SuspenseItem }) {
  return (
    <li className="box box-pad stack" style={{ gap: "0.75rem" }}>
      <p className="row" style={{ justifyContent: "space-between" }}>
        <strong className="sum">{withSymbol(item.money)}</strong>
        <span className="call">{item.state}</span>
      </p>
      <p>{causes[item.cause] ?? item.cause}</p>
      <TransferFacts at={item.seenAt} from={item.sender} txHash={item.txHash} />
      {item.state === "open" ? <Ways item={item} /> : null}
    </li>
  );
}

function Ways({ item: { id, money, sender } }: { item: SuspenseItem }) {
  return (
    <>
      {nobody.test(sender) ? null : (
        <ReasonForm
          action="Send it back"
          subject={withSymbol(money)}
          done={`Goes back: ${withSymbol(money)}`}
          confirm={exact(money)}
          send={(reason, idempotencyKey) =>
            call("refundSuspense", { params: { id }, body: { reason }, idempotencyKey })
          }
        />
      )}
      <ReasonForm
        action="Credit a player"
        subject={withSymbol(money)}
        done={`Credited: ${withSymbol(money)}`}
        confirm={exact(money)}
        asksForPlayer
        send={(reason, idempotencyKey, handle) =>
          call("assignSuspense", { params: { id }, body: { reason, handle }, idempotencyKey })
        }
      />
    </>
  );
}
