/** What the game is waiting for, in a sentence or two, and where its money is. */
import type { Side } from "../../../engine/contract/primitives.ts";
import type { Game } from "../../../engine/contract/wager.ts";
import { call } from "../api/call.ts";
import { Claim } from "../money/claim.tsx";
import { exact, withSymbol } from "../money/show.ts";
import { Countdown, Moment, useNow } from "../time/clock.tsx";
import { OnChain } from "../ui/address.tsx";
import { consequenceSaid, isSending, otherSide, outcomeSaid, payoutSaid } from "./said.ts";

export function Deadline({ game }: { game: Game }) {
  const consequence = consequenceSaid(game);
  if (consequence === null || game.deadline === null) return null;
  return (
    <p>
      {consequence.before} <Moment at={game.deadline.at} /> (<Countdown until={game.deadline.at} />
      ), {consequence.after}
    </p>
  );
}

export function DisputeWords({ game, side }: { game: Game; side: Side | null }) {
  const due = game.deadline;
  return (
    <p>
      {side === null ? "The two disagree." : "You two disagree."} {exact(game.pot)} stays locked.{" "}
      {side !== null && due !== null ? (
        <>
          Add a clip, picture or words before <Moment at={due.at} />.{" "}
        </>
      ) : null}
      {game.referee === null ? "A person" : game.referee.handle} decides, with reasons.
    </p>
  );
}

/** The end: who won, why, and every payout until it is there. */
export function Result({ game, side }: { game: Game; side: Side | null }) {
  const now = useNow();
  const isUndoable = game.undoUntil !== null && Date.parse(game.undoUntil) > now;
  const isWon = side !== null && game.outcome === side;
  const isLost = side !== null && game.outcome === otherSide(side);
  return (
    <div className={`stack ${isSending(game) ? "" : "torn"}`}>
      <p>
        <span
          className={`stamp ${game.state === "refunded" ? "stamp-red" : isLost ? "" : "stamp-win"}`}
          style={{ fontSize: "2.5rem" }}
        >
          {game.state === "refunded" || game.outcome === null
            ? "Refunded"
            : outcomeSaid(game, game.outcome, side)}
        </span>
      </p>
      {isLost ? (
        <p className="call" style={{ fontSize: "1.5rem" }}>
          You lost {exact(game[side].stake)}.
        </p>
      ) : null}
      {isWon && isSending(game) ? <p className="call">Won, sending</p> : null}
      {game.decision === null ? null : (
        <p>
          {game.decision.by}: "{game.decision.reason}"
        </p>
      )}
      {isUndoable && game.undoUntil !== null ? (
        <p>
          Payouts to wallets leave in <Countdown until={game.undoUntil} />. Until then an operator can take
          the decision back.
        </p>
      ) : null}
      <ul aria-label="Payouts">
        {game.payouts.map((payout) => (
          <li key={payout.id} className="row" style={{ gap: "0.25rem 0.75rem" }}>
            <span className="call">{payout.player.handle}</span>
            <span>{payoutSaid(payout)}</span>
            {payout.txHash === null ? null : <OnChain kind="tx" value={payout.txHash} />}
            {payout.state === "parked" && side !== null && payout.player.id === game[side].player.id ? (
              <Claim
                sum={withSymbol(payout.money)}
                send={(idempotencyKey) => call("claimPayout", { params: { id: game.id }, idempotencyKey })}
              />
            ) : null}
          </li>
        ))}
      </ul>
    </div>
  );
}

const fundedWords = {
  waiting: "The pot is about to move into its wallet.",
  sent: "The pot is on its way into its wallet.",
  mined: "The pot is in its wallet.",
  final: "The pot is in its wallet, final.",
  parked: "The pot waits in the vault: the token doesn't move now.",
  cancelled: "The pot stayed in the vault.",
} as const;

export function EscrowWords({ game: { escrow, deadline } }: { game: Game }) {
  const isOver = deadline === null;
  return (
    <p>
      {isOver ? "The pot was held here." : fundedWords[escrow.funded]}{" "}
      {escrow.txHash === null ? null : <OnChain kind="tx" value={escrow.txHash} />}
    </p>
  );
}
