import type { Game } from "../../../engine/contract/wager.ts";
import { call } from "../api/call.ts";
import { Countdown, useNow } from "../time/clock.tsx";
import { ReasonForm } from "./reason-form.tsx";

export const mayBeTakenBack = ({ undoUntil }: Game, nowMs: number): boolean =>
  undoUntil !== null && Date.parse(undoUntil) > nowMs;

/** Undoes a settlement while its window is open; nothing afterwards. The game is a dispute again. */
export function TakeBack({ game }: { game: Game }) {
  const now = useNow();
  const { undoUntil } = game;
  if (undoUntil === null || !mayBeTakenBack(game, now)) return null;
  return (
    <ReasonForm
      action={game.decision === null ? "Take the settlement back" : "Take the decision back"}
      done="Taken back."
      note={
        <span>
          (<Countdown until={undoUntil} />)
        </span>
      }
      subject={`${game.red.player.handle} against ${game.blue.player.handle}`}
      send={(reason, idempotencyKey) =>
        call("undoSettlement", { params: { id: game.id }, body: { reason }, idempotencyKey })
      }
    />
  );
}
