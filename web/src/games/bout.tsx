import { Link } from "@tanstack/react-router";
import type { Game } from "../../../engine/contract/wager.ts";
import { exact } from "../money/show.ts";
import { Countdown } from "../time/clock.tsx";
import { Corner } from "../ui/corners.tsx";
import { stateSaid } from "./said.ts";

/** A game as one line of the card. */
export function Bout({ game }: { game: Game }) {
  const { red, blue, pot } = game;
  return (
    <article className="bout" aria-label={`${red.player.handle} against ${blue.player.handle}`}>
      <Corner
        colour="red"
        seat="Proposer"
        side={{ name: red.player.handle, handle: red.player.handle, stake: exact(red.stake) }}
      />
      <div className="bout-middle">
        <p style={{ fontWeight: 600 }}>{game.terms}</p>
        <p className="sum">
          Pot {exact(pot)} {pot.symbol}
        </p>
        <p>
          <span className="call">{stateSaid(game)}</span>
          {game.deadline === null ? null : (
            <span className="smoke">
              {" · "}
              <Countdown until={game.deadline.at} />
            </span>
          )}
        </p>
        <p>
          <Link className="link link-row" to="/g/$id" params={{ id: game.id }}>
            To the game
          </Link>
        </p>
      </div>
      <Corner
        colour="blue"
        seat="Taker"
        side={{ name: blue.player.handle, handle: blue.player.handle, stake: exact(blue.stake) }}
      />
    </article>
  );
}
