/** What has come in and gone out over the chain, newest first. */
import { useQuery } from "@tanstack/react-query";
import type { Deposit, Withdrawal } from "../../../engine/contract/account.ts";
import { call } from "../api/call.ts";
import { depositsQuery, withdrawalsQuery } from "../api/queries.ts";
import { useConfig } from "../shell/use-me.ts";
import { Moment } from "../time/clock.tsx";
import { OnChain } from "../ui/address.tsx";
import { ListSection } from "../ui/list-section.tsx";
import { Claim } from "./claim.tsx";
import { allowedNow, stagesReached } from "./said.ts";
import { withSymbol } from "./show.ts";
import { Stages } from "./stages.tsx";
import { TransferFacts } from "./transfer-facts.tsx";

export function DepositList() {
  return (
    <ListSection
      id="deposits"
      title="Deposits"
      query={useQuery(depositsQuery)}
      empty="Nothing has come in yet."
    >
      {(deposit) => <DepositLine key={deposit.id} deposit={deposit} />}
    </ListSection>
  );
}

function DepositLine({ deposit }: { deposit: Deposit }) {
  const token = useConfig()?.tokens.find(({ address }) => address === deposit.money.token);
  return (
    <li className="box box-pad stack" style={{ gap: "0.5rem" }}>
      <p className="row" style={{ justifyContent: "space-between" }}>
        <strong className="sum" style={{ fontSize: "1.25rem" }}>
          {withSymbol(deposit.money)}
        </strong>
        <span>
          <Moment at={deposit.seenAt} /> · <OnChain kind="tx" value={deposit.txHash} />
        </span>
      </p>
      <Stages reached={stagesReached(deposit)} label={`Deposit of ${withSymbol(deposit.money)}`} />
      <p>{allowedNow(deposit, token?.listed !== false)}</p>
    </li>
  );
}

const withdrawalWords: Record<Withdrawal["state"], string> = {
  waiting: "About to leave",
  sent: "Sent",
  mined: "In a block",
  final: "There, final",
  parked: "Couldn't be sent",
  cancelled: "Given back: it is in your pool again",
};

export function WithdrawalList() {
  return (
    <ListSection
      id="withdrawals"
      title="Withdrawals"
      query={useQuery(withdrawalsQuery)}
      empty="Nothing has gone out yet."
    >
      {(withdrawal) => <WithdrawalLine key={withdrawal.id} withdrawal={withdrawal} />}
    </ListSection>
  );
}

function WithdrawalLine({ withdrawal }: { withdrawal: Withdrawal }) {
  return (
    <li className="box box-pad stack" style={{ gap: "0.25rem" }}>
      <p className="row" style={{ justifyContent: "space-between" }}>
        <strong className="sum" style={{ fontSize: "1.25rem" }}>
          {withSymbol(withdrawal.money)}
        </strong>
        <span className="call">{withdrawalWords[withdrawal.state]}</span>
      </p>
      {withdrawal.state === "parked" ? (
        <>
          <p>
            Your wallet couldn't be paid. An operator looks at it, or you take it back and send it elsewhere.
          </p>
          <Claim
            sum={withSymbol(withdrawal.money)}
            send={(idempotencyKey) =>
              call("claimWithdrawal", { params: { id: withdrawal.id }, idempotencyKey })
            }
          />
        </>
      ) : null}
      <TransferFacts at={withdrawal.createdAt} to={withdrawal.address} txHash={withdrawal.txHash} />
    </li>
  );
}
