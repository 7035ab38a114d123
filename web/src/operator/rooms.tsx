import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Game } from "../../../engine/contract/wager.ts";
import { listingsQuery } from "../api/queries.ts";
import { stateSaid } from "../games/said.ts";
import { useArena } from "../live/hooks.ts";
import { withSymbol } from "../money/show.ts";
import { useNow } from "../time/clock.tsx";
import { Empty, Loaded } from "../ui/states.tsx";
import { mayBeTakenBack, TakeBack } from "./take-back.tsx";

/** Games under way, and those whose settlement can still be taken back. */
export function Rooms() {
  useArena();
  const listings = useQuery(listingsQuery);
  const now = useNow();
  return (
    <Loaded query={listings} label="Rooms">
      {({ games, settled }) => {
        const shown = [...settled.filter((game) => mayBeTakenBack(game, now)), ...games];
        return shown.length === 0 ? (
          <Empty>No game is under way.</Empty>
        ) : (
          <ul className="stack" style={{ gap: "0.5rem" }}>
            {shown.map((game) => (
              <Room key={game.id} game={game} />
            ))}
          </ul>
        );
      }}
    </Loaded>
  );
}

function Room({ game }: { game: Game }) {
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
      <TakeBack game={game} />
    </li>
  );
}
