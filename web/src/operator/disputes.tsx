import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { queryClient } from "../api/client.ts";
import { disputesQuery, listingsQuery, overviewQuery } from "../api/queries.ts";
import type { Dispute } from "../api/shapes.ts";
import { DecideForm } from "../games/decide-form.tsx";
import { EvidenceList } from "../games/dispute-panel.tsx";
import { outcomeSaid, stateSaid } from "../games/said.ts";
import { useArena } from "../live/hooks.ts";
import { exact, withSymbol } from "../money/show.ts";
import { Countdown, Moment, useNow } from "../time/clock.tsx";
import { Corners } from "../ui/corners.tsx";
import { Empty, Loaded } from "../ui/states.tsx";
import { mayBeTakenBack, TakeBack } from "./take-back.tsx";

export function Disputes() {
  useArena();
  const disputes = useQuery(disputesQuery);
  const open = useQuery(overviewQuery).data?.openDisputes;
  const listed = disputes.data?.length;
  // The count above is read more often than the list.
  useEffect(() => {
    if (open !== undefined && listed !== undefined && open !== listed)
      void queryClient.invalidateQueries({ queryKey: disputesQuery.queryKey });
  }, [open, listed]);
  return (
    <div className="stack" style={{ gap: "2rem" }}>
      <Loaded query={disputes} label="Disputes">
        {(items) =>
          items.length === 0 ? (
            <Empty>Nobody disagrees.</Empty>
          ) : (
            <div className="stack">
              {items.map((dispute) => (
                <Case key={dispute.game.id} dispute={dispute} />
              ))}
            </div>
          )
        }
      </Loaded>
      <JustDecided />
    </div>
  );
}

/** What a person has decided and can still take back. */
function JustDecided() {
  const settled = useQuery(listingsQuery).data?.settled ?? [];
  const now = useNow();
  const decided = settled.filter((game) => game.decision !== null && mayBeTakenBack(game, now));
  if (decided.length === 0) return null;
  return (
    <section className="stack" aria-labelledby="just-decided">
      <div className="section-head">
        <h2 id="just-decided">Just decided</h2>
      </div>
      <ul className="stack">
        {decided.map((game) => (
          <li key={game.id} className="box box-pad stack" style={{ gap: "0.5rem" }}>
            <p className="row" style={{ justifyContent: "space-between" }}>
              <Link className="link link-row" to="/g/$id" params={{ id: game.id }}>
                {game.red.player.handle} against {game.blue.player.handle}
              </Link>
              <span className="call">{stateSaid(game)}</span>
            </p>
            <p>
              {game.decision?.by}: "{game.decision?.reason}"
            </p>
            <TakeBack game={game} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Case({ dispute: { game, openedAt, dueAt } }: { dispute: Dispute }) {
  const said = (side: "red" | "blue") => {
    const { report } = game[side];
    return report === null ? "Said nothing" : `Says: ${outcomeSaid(game, report)}`;
  };
  return (
    <article
      className="ticket"
      aria-label={`Dispute: ${game.red.player.handle} against ${game.blue.player.handle}`}
    >
      <div className="ticket-head">
        <span className="label">
          Opened <Moment at={openedAt} />
        </span>
        <span className="label">
          Refunded in <Countdown until={dueAt} />
        </span>
      </div>
      <Corners
        red={{
          name: game.red.player.handle,
          handle: game.red.player.handle,
          stake: exact(game.red.stake),
          note: said("red"),
        }}
        blue={{
          name: game.blue.player.handle,
          handle: game.blue.player.handle,
          stake: exact(game.blue.stake),
          note: said("blue"),
        }}
      />
      <div className="ticket-body">
        <p className="terms">{game.terms}</p>
        <p>
          {withSymbol(game.pot)} is locked.{" "}
          {game.referee === null ? "" : `The referee is ${game.referee.handle}. `}
          <Link className="link link-row" to="/g/$id" params={{ id: game.id }}>
            To the game
          </Link>
        </p>
        <EvidenceList evidence={game.evidence} />
      </div>
      <div className="ticket-stub">
        <DecideForm
          game={game}
          route="decideDispute"
          onDone={() => void queryClient.invalidateQueries({ queryKey: ["operator"] })}
        />
      </div>
    </article>
  );
}
