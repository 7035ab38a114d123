import { type ReactNode, useRef, useState } from "react";
import { queryClient } from "../api/client.ts";
import { usePress } from "../shell/use-press.ts";
import { useTell } from "../ui/act-section.tsx";
import { MoneyButton } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";

/** An operator's act with its reason, which is kept in the audit. `subject` tells the forms of a page apart. */
export function ReasonForm({
  action,
  subject,
  done,
  confirm = null,
  asksForPlayer = false,
  note,
  send,
}: {
  action: string;
  subject: string;
  /** What is said when it is done, and the form gone. */
  done: string;
  /** An amount that must be typed first. */
  confirm?: string | null;
  /** Whether it takes a player's name as well. */
  asksForPlayer?: boolean;
  /** What stands beside the button. */
  note?: ReactNode;
  send: (reason: string, idempotencyKey: string, player: string) => Promise<unknown>;
}) {
  const [player, setPlayer] = useState("");
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const [isChecked, setChecked] = useState(false);
  const press = usePress((said: { reason: string; player: string }, key: string) =>
    send(said.reason, key, said.player),
  );
  const form = useRef<HTMLFormElement>(null);
  const tell = useTell();
  const isConfirmed = confirm === null || typed.trim().replaceAll(",", "") === confirm.replaceAll(",", "");
  const said = { reason: reason.trim(), player: player.trim().replace(/^@/, "") };
  const isNamed = !asksForPlayer || said.player !== "";
  const act = async (): Promise<void> => {
    setChecked(true);
    if (said.reason === "" || !isConfirmed || !isNamed) return;
    if ((await press.go(said)) === null) return;
    tell(done, form.current);
    setPlayer("");
    setReason("");
    setTyped("");
    setChecked(false);
    await queryClient.invalidateQueries({ queryKey: ["operator"] });
  };
  return (
    <form
      ref={form}
      className="stack"
      style={{ gap: "0.5rem" }}
      aria-label={`${action} ${subject}`}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void act();
      }}
    >
      <div className="offer-boxes">
        {asksForPlayer ? (
          <TextField
            label="Player"
            maxLength={21}
            value={player}
            error={isChecked && !isNamed ? "Name the player." : undefined}
            onText={setPlayer}
          />
        ) : null}
        <TextField
          label="Reason"
          maxLength={500}
          value={reason}
          error={isChecked && reason.trim() === "" ? "Give a reason." : undefined}
          onText={setReason}
        />
        {confirm === null ? null : (
          <TextField
            label="Type the amount to confirm"
            isSum
            value={typed}
            error={isChecked && !isConfirmed ? `Type ${confirm}.` : undefined}
            onText={setTyped}
          />
        )}
      </div>
      {press.problem === null ? null : <ProblemBox problem={press.problem} />}
      <p className="row">
        <MoneyButton type="submit" isBusy={press.isBusy} aria-label={`${action} ${subject}`}>
          {action}
        </MoneyButton>
        {note}
      </p>
    </form>
  );
}
