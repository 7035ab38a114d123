import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Game } from "../../../engine/contract/wager.ts";
import { call } from "../api/call.ts";
import { listingsQuery } from "../api/queries.ts";
import { stateSaid } from "../games/said.ts";
import { useArena } from "../live/hooks.ts";
import { withSymbol } from "../money/show.ts";
import { useNow } from "../time/clock.tsx";
import { Empty, Loaded } from "../ui/states.tsx";
import { ReasonForm } from "./reason-form.tsx";

/** Games under way, and those whose settlement can still be taken back. */
export function Rooms() {
  useArena();
  const listings = useQuery(listingsQuery);
  const now = useNow();
  return (
    <Loaded query={listings} label="Rooms">
      {({ games, settled }) => {
        const undoable = settled.filter(({ undoUntil }) => undoUntil !== null && Date.parse(undoUntil) > now);
        const shown = [...undoable, ...games];
        return shown.length === 0 ? (
          <Empty>No game is under way.</Empty>
        ) : (
          <ul className="stack" style={{ gap: "0.5rem" }}>
            {shown.map((game) => (
              <Room key={game.id} game={game} isUndoable={undoable.includes(game)} />
            ))}
          </ul>
        );
      }}
    </Loaded>
  );
}

function Room({ game, isUndoable }: { game: Game; isUndoable: boolean }) {
  const pair = `${game.red.player.handle} against ${game.blue.player.handle}`;
  return (
    <li className="box box-pad stack" style={{ gap: "0.5rem" }}>
      <p className="row" style={{ justifyContent: "space-between" }}>
        <Link className="link link-row" to="/g/$id" params={{ id: game.id }}>
          {pair}
        </Link>
        <span>{stateSaid(game)}</span>
        <span className="sum">{withSymbol(game.pot)}</span>
      </p>
      {isUndoable ? (
        <ReasonForm
          action="Take settlement back"
          subject={pair}
          send={(reason, idempotencyKey) =>
            call("undoSettlement", { params: { id: game.id }, body: { reason }, idempotencyKey })
          }
        />
      ) : null}
    </li>
  );
}
