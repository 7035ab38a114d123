import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Game } from "../../../engine/contract/wager.ts";
import { ownProposalsQuery } from "../api/queries.ts";
import { claimSaid, otherSide, sideOfPlayer } from "../games/said.ts";
import { useWaiting } from "../live/waiting.ts";
import { Countdown, Moment } from "../time/clock.tsx";
import { buttonClass } from "../ui/button.tsx";
import { Loaded } from "../ui/states.tsx";
import { OfferCards } from "./offer-cards.tsx";

/**
 * The form and, beside it, what was offered. In one column what waits for an answer stands first, but it never comes in
 * while somebody is in the form: a tap must not land on what has just moved in under it.
 */
export function Table({ playerId, children }: { playerId: string | null; children: ReactNode }) {
  const { offers, games } = useWaiting(playerId ?? "");
  const isAsked = offers.length + games.length > 0;
  const table = useRef<HTMLDivElement>(null);
  const [isFirst, setFirst] = useState(false);
  useEffect(() => {
    const isWriting = table.current?.querySelector("form:focus-within") != null;
    setFirst((was) => isAsked && (was || !isWriting));
  }, [isAsked]);
  return (
    <div className={`split${isFirst ? " split-last-first" : ""}`} ref={table}>
      {children}
    </div>
  );
}

/** Offers to the player, and reports that count unless the player answers. */
export function Inbox({ playerId }: { playerId: string }) {
  const proposals = useQuery(ownProposalsQuery);
  const waiting = useWaiting(playerId);
  return (
    <section className="stack" aria-labelledby="inbox">
      <div className="section-head">
        <h2 id="inbox">To you</h2>
      </div>
      <Loaded query={proposals} label="To you">
        {() => (
          <>
            {waiting.games.map((game) => (
              <ReportToAnswer key={game.id} game={game} playerId={playerId} />
            ))}
            {waiting.games.length > 0 && waiting.offers.length === 0 ? null : (
              <OfferCards
                proposals={waiting.offers}
                empty="Nobody has offered you anything. Call somebody out."
              />
            )}
          </>
        )}
      </Loaded>
    </section>
  );
}

function ReportToAnswer({ game, playerId }: { game: Game; playerId: string }) {
  const own = sideOfPlayer(game, playerId);
  if (own === null || game.deadline === null) return null;
  const side = otherSide(own);
  const { player, report } = game[side];
  if (report === null) return null;
  return (
    <article className="box box-pad stack" aria-label={`The report of ${player.handle}`}>
      <p>
        <strong>
          {player.handle} says {claimSaid(side, report)}.
        </strong>{" "}
        Answer by <Moment at={game.deadline.at} /> (<Countdown until={game.deadline.at} />) or it counts.
      </p>
      <p className="terms">{game.terms}</p>
      <p>
        <Link className={buttonClass("ink")} to="/g/$id" params={{ id: game.id }}>
          Answer
        </Link>
      </p>
    </article>
  );
}
