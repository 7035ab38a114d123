import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { HistoryLine } from "../../../engine/contract/account.ts";
import { call } from "../api/call.ts";
import { Moment } from "../time/clock.tsx";
import { OnChain } from "../ui/address.tsx";
import { Button } from "../ui/button.tsx";
import { Blank, Empty, Failure } from "../ui/states.tsx";
import { exact } from "./show.ts";

const pageSize = 20;

/** Every movement of the player's pool; each line leads to its game or to the chain. */
export function HistoryTable() {
  const history = useInfiniteQuery({
    queryKey: ["own", "history"],
    queryFn: ({ pageParam }) =>
      call("readHistory", { query: { limit: pageSize, ...(pageParam && { cursor: pageParam }) } }),
    initialPageParam: "",
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const lines = history.data?.pages.flatMap(({ items }) => items);
  return (
    <section className="stack" aria-labelledby="history">
      <div className="section-head">
        <h2 id="history">History</h2>
      </div>
      {lines === undefined ? (
        history.error === null ? (
          <Blank label="History" />
        ) : (
          <Failure error={history.error} onRetry={() => void history.refetch()} />
        )
      ) : lines.length === 0 ? (
        <Empty>No money has moved yet.</Empty>
      ) : (
        <table className="ledger ledger-wide">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">What</th>
              <th scope="col" className="amount">
                Amount
              </th>
              <th scope="col">Proof</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <Line key={line.id} line={line} />
            ))}
          </tbody>
        </table>
      )}
      {history.hasNextPage ? (
        <p>
          <Button isBusy={history.isFetchingNextPage} onClick={() => void history.fetchNextPage()}>
            Earlier
          </Button>
        </p>
      ) : null}
    </section>
  );
}

/** What is locked or free again stays the player's own: no sign. */
const signs: Record<HistoryLine["direction"], string> = { in: "+", out: "−", locked: "", unlocked: "" };
const directionWords: Record<HistoryLine["direction"], string> = {
  in: "in",
  out: "out",
  locked: "locked",
  unlocked: "free again",
};

function Line({ line: { at, reason, direction, money, gameId, chainTxHash } }: { line: HistoryLine }) {
  return (
    <tr>
      <td>
        <Moment at={at} />
      </td>
      <td>
        {reasonSaid(reason)} <span className="smoke">({directionWords[direction]})</span>
      </td>
      <td className="amount">
        <span aria-hidden="true">{signs[direction]}</span>
        {exact(money)} {money.symbol}
      </td>
      <td>
        {gameId === null ? null : (
          <Link className="link" to="/g/$id" params={{ id: gameId }}>
            Game
          </Link>
        )}
        {gameId !== null && chainTxHash !== null ? " · " : null}
        {chainTxHash === null ? null : <OnChain kind="tx" value={chainTxHash} />}
      </td>
    </tr>
  );
}

/** The ledger's reasons as a player reads them. */
const reasonWords: Record<string, string> = {
  deposit: "Deposit",
  collect: "Deposit",
  hold: "Stake held for an offer",
  release: "Stake back from an offer",
  capture: "Stake into the game",
  win: "Won",
  payout: "Won, paid to your wallet",
  stake_returned: "Stake returned",
  withdrawal: "Withdrawal",
  withdrawal_returned: "Withdrawal given back",
  suspense_claimed: "Deposit found",
  deposit_orphaned: "Deposit fell out of the chain",
  settlement_undone: "Settlement taken back",
};

function reasonSaid(reason: string): string {
  return reasonWords[reason] ?? reason.replaceAll("_", " ");
}
