import { useState } from "react";
import type { Outcome } from "../../../engine/contract/primitives.ts";
import type { Game } from "../../../engine/contract/wager.ts";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import { gameQuery } from "../api/queries.ts";
import { usePress } from "../shell/use-press.ts";
import { MoneyButton } from "../ui/button.tsx";
import { Choices, TextArea } from "../ui/field.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";

/** The decision of a dispute, in writing. `route`: as the referee of the terms, or as an operator. */
export function DecideForm({
  game,
  route,
  onDone,
}: {
  game: Game;
  route: "decideGame" | "decideDispute";
  onDone?: () => void;
}) {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [reason, setReason] = useState("");
  const [isChecked, setChecked] = useState(false);
  const press = usePress((body: { outcome: Outcome; reason: string }, idempotencyKey) =>
    call(route, { params: { id: game.id }, body, idempotencyKey }),
  );
  const decide = async (): Promise<void> => {
    setChecked(true);
    if (outcome === null || reason.trim() === "") return;
    const next = await press.go({ outcome, reason: reason.trim() });
    if (next === null) return;
    queryClient.setQueryData(gameQuery(game.id).queryKey, next);
    onDone?.();
  };
  return (
    <form
      className="stack"
      aria-label={`Decide ${game.red.player.handle} against ${game.blue.player.handle}`}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void decide();
      }}
    >
      <Choices<Outcome>
        label="Decision"
        value={outcome}
        onChoose={setOutcome}
        options={[
          { value: "red", label: `${game.red.player.handle} won` },
          { value: "blue", label: `${game.blue.player.handle} won` },
          { value: "draw", label: "A draw" },
          { value: "no_contest", label: "No contest" },
        ]}
      />
      {isChecked && outcome === null ? <p className="field-error">Choose how it ended.</p> : null}
      <TextArea
        label="Reason"
        maxLength={1000}
        value={reason}
        error={isChecked && reason.trim() === "" ? "Give a reason. Both of them read it." : undefined}
        onText={setReason}
      />
      {press.problem === null ? null : <ProblemBox problem={press.problem} />}
      <p>
        <MoneyButton type="submit" kind="ink" isBusy={press.isBusy}>
          Decide
        </MoneyButton>
      </p>
    </form>
  );
}
