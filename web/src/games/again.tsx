import { Link } from "@tanstack/react-router";
import type { Side } from "../../../engine/contract/primitives.ts";
import type { Game } from "../../../engine/contract/wager.ts";
import { typed } from "../money/show.ts";
import { listedOf, useConfig } from "../shell/use-me.ts";
import { buttonClass } from "../ui/button.tsx";
import { otherSide } from "./said.ts";

/** The same again, or with the stakes the other way round, in one tap; nothing when its token is out of play. */
export function Again({ game, side }: { game: Game; side: Side }) {
  const isListed = listedOf(useConfig()).some(({ address }) => address === game.pot.token);
  if (!isListed) return null;
  const [own, other] = [game[side], game[otherSide(side)]];
  const same = { to: other.player.handle, terms: game.terms, token: game.pot.token };
  return (
    <div className="row">
      <Link
        className={buttonClass("ink")}
        to="/play"
        search={{ ...same, own: typed(own.stake), their: typed(other.stake) }}
      >
        Rematch
      </Link>
      <Link
        className={buttonClass()}
        to="/play"
        search={{ ...same, own: typed(other.stake), their: typed(own.stake) }}
      >
        Flip it
      </Link>
    </div>
  );
}
