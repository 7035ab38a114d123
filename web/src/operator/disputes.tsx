import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { queryClient } from "../api/client.ts";
import { disputesQuery } from "../api/queries.ts";
import type { Dispute } from "../api/shapes.ts";
import { DecideForm } from "../games/decide-form.tsx";
import { EvidenceList } from "../games/dispute-panel.tsx";
import { outcomeSaid } from "../games/said.ts";
import { exact, withSymbol } from "../money/show.ts";
import { Countdown, Moment } from "../time/clock.tsx";
import { Corners } from "../ui/corners.tsx";
import { Empty, Loaded } from "../ui/states.tsx";

export function Disputes() {
  const disputes = useQuery(disputesQuery);
  return (
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
