/** What has come in and gone out over the chain, newest first. */
import { useQuery } from "@tanstack/react-query";
import type { Deposit, Withdrawal } from "../../../engine/contract/account.ts";
import { depositsQuery, withdrawalsQuery } from "../api/queries.ts";
import { Moment } from "../time/clock.tsx";
import { OnChain } from "../ui/address.tsx";
import { Empty, Loaded } from "../ui/states.tsx";
import { withSymbol } from "./show.ts";
import { allowedNow, Stages, stagesReached } from "./stages.tsx";

export function DepositList() {
  const deposits = useQuery(depositsQuery);
  return (
    <section className="stack" aria-labelledby="deposits">
      <div className="section-head">
        <h2 id="deposits">Deposits</h2>
      </div>
      <Loaded query={deposits} label="Deposits">
        {(items) =>
          items.length === 0 ? (
            <Empty>Nothing has come in yet.</Empty>
          ) : (
            <ul className="stack">
              {items.map((deposit) => (
                <DepositLine key={deposit.id} deposit={deposit} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  );
}

function DepositLine({ deposit }: { deposit: Deposit }) {
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
      <p>{allowedNow(deposit)}</p>
    </li>
  );
}

const withdrawalWords: Record<Withdrawal["state"], string> = {
  waiting: "About to leave",
  sent: "Sent",
  mined: "In a block",
  final: "There, final",
  parked: "The token refuses this address. The money waits here",
  cancelled: "Taken back",
};

export function WithdrawalList() {
  const withdrawals = useQuery(withdrawalsQuery);
  return (
    <section className="stack" aria-labelledby="withdrawals">
      <div className="section-head">
        <h2 id="withdrawals">Withdrawals</h2>
      </div>
      <Loaded query={withdrawals} label="Withdrawals">
        {(items) =>
          items.length === 0 ? (
            <Empty>Nothing has gone out yet.</Empty>
          ) : (
            <ul className="stack">
              {items.map((withdrawal) => (
                <li key={withdrawal.id} className="box box-pad stack" style={{ gap: "0.25rem" }}>
                  <p className="row" style={{ justifyContent: "space-between" }}>
                    <strong className="sum" style={{ fontSize: "1.25rem" }}>
                      {withSymbol(withdrawal.money)}
                    </strong>
                    <span className="call">{withdrawalWords[withdrawal.state]}</span>
                  </p>
                  <p className="row">
                    <Moment at={withdrawal.createdAt} />
                    <span>
                      to <OnChain kind="address" value={withdrawal.address} />
                    </span>
                    {withdrawal.txHash === null ? (
                      <span className="smoke">hash to come</span>
                    ) : (
                      <OnChain kind="tx" value={withdrawal.txHash} />
                    )}
                  </p>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  );
}
