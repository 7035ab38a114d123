import type { Game } from "../../../engine/contract/wager.ts";
import { exact } from "../money/show.ts";

/** The pot in lamps, and on each side what that side gets when it wins. */
export function PotBoard({ game: { red, blue, pot } }: { game: Game }) {
  return (
    <dl className="board board-three shutter">
      <Lamp label={`${red.player.handle} wins`} value={exact(red.winGets)} />
      <Lamp label={`Pot, ${pot.symbol}`} value={exact(pot)} isBig />
      <Lamp label={`${blue.player.handle} wins`} value={exact(blue.winGets)} />
    </dl>
  );
}

function Lamp({ label, value, isBig = false }: { label: string; value: string; isBig?: boolean }) {
  return (
    <div>
      <dt className="lamp-label">{label}</dt>
      <dd className={isBig ? "lamps" : "lamps lamps-small"}>{value}</dd>
    </div>
  );
}
