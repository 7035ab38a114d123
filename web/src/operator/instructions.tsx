import { useQuery } from "@tanstack/react-query";
import { call } from "../api/call.ts";
import { instructionsQuery } from "../api/queries.ts";
import type { Instruction } from "../api/shapes.ts";
import { exact, withSymbol } from "../money/show.ts";
import { ActSection } from "../ui/act-section.tsx";
import { OnChain } from "../ui/address.tsx";
import { List } from "../ui/list-section.tsx";
import { ReasonForm } from "./reason-form.tsx";

/** Those that were to reach a person's wallet, and where their money goes instead. */
const givenBackTo: Readonly<Record<string, string>> = {
  withdrawal: "into the player's pool",
  payout: "into the player's pool",
  refund: "into suspense",
};

/** Chain transfers that we owe or have sent. */
export function Instructions() {
  return (
    <ActSection id="instructions" title="Chain transfers">
      <List
        title="Chain transfers"
        query={useQuery(instructionsQuery)}
        empty="Nothing was owed yet."
        gap="0.5rem"
      >
        {(instruction) => <Line key={instruction.id} instruction={instruction} />}
      </List>
    </ActSection>
  );
}

function Line({ instruction }: { instruction: Instruction }) {
  const { id, kind, state, money, destination, txHash, attempts, note } = instruction;
  return (
    <li className="box stack" style={{ padding: "0.35rem 0.75rem", gap: "0.75rem" }}>
      <div className="row" style={{ gap: "0.25rem 1rem" }}>
        <span className="call">
          {kind} {id}
        </span>
        <span>{state}</span>
        <span className="sum">{money === null ? "gas" : withSymbol(money)}</span>
        <span>
          to <OnChain kind="address" value={destination} />
        </span>
        {txHash === null ? null : <OnChain kind="tx" value={txHash} />}
        <span className="smoke">{attempts} sent</span>
      </div>
      {note === null ? null : <p>{note}</p>}
      {state === "parked" ? (
        <ReasonForm
          action="Try again"
          subject={`${kind} ${id}`}
          done={`Tried again: ${kind} ${id}`}
          send={(reason, idempotencyKey) =>
            call("retryInstruction", { params: { id }, body: { reason }, idempotencyKey })
          }
        />
      ) : null}
      {state === "parked" && givenBackTo[kind] !== undefined && money !== null ? (
        <ReasonForm
          action="Give back"
          subject={`${kind} ${id}`}
          done={`Given back ${givenBackTo[kind]}: ${withSymbol(money)}`}
          confirm={exact(money)}
          send={(reason, idempotencyKey) =>
            call("giveBack", { params: { id }, body: { reason }, idempotencyKey })
          }
        />
      ) : null}
    </li>
  );
}
