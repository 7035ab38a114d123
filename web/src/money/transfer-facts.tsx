import { Moment } from "../time/clock.tsx";
import { OnChain } from "../ui/address.tsx";

/** When a transfer was seen, between whom, and where it can be looked up. */
export function TransferFacts({
  at,
  from,
  to,
  txHash,
}: {
  at: string;
  from?: string;
  to?: string;
  txHash: string | null;
}) {
  return (
    <p className="row facts">
      <Moment at={at} />
      {from === undefined ? null : (
        <span>
          from <OnChain kind="address" value={from} />
        </span>
      )}
      {to === undefined ? null : (
        <span>
          to <OnChain kind="address" value={to} />
        </span>
      )}
      {txHash === null ? (
        <span className="smoke">hash to come</span>
      ) : (
        <span>
          in transaction <OnChain kind="tx" value={txHash} />
        </span>
      )}
    </p>
  );
}
