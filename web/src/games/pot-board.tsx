import type { Game } from "../../../engine/contract/wager.ts";
import { exact } from "../money/show.ts";

/** The pot in lamps, and on each side, while it is open, what that side would get. */
export function PotBoard({ game: { red, blue, pot, outcome, state } }: { game: Game }) {
  const isOver = outcome !== null || state === "refunded";
  const wholePot = <Lamp label={`Pot, ${pot.symbol}`} value={exact(pot)} isBig />;
  if (isOver) return <dl className="board board-one">{wholePot}</dl>;
  return (
    <dl className="board board-three shutter">
      <Lamp label={`If ${red.player.handle} wins`} value={exact(red.winGets)} />
      {wholePot}
      <Lamp label={`If ${blue.player.handle} wins`} value={exact(blue.winGets)} />
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
