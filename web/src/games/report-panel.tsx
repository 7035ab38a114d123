/** One primary button by state: report, confirm, or object. */

import { useState } from "react";
import type { Outcome, Side } from "../../../engine/contract/primitives.ts";
import type { Game } from "../../../engine/contract/wager.ts";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import { gameQuery } from "../api/queries.ts";
import { usePress } from "../shell/use-press.ts";
import { Button, MoneyButton } from "../ui/button.tsx";
import { Choices } from "../ui/field.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";
import { useInPlace } from "../ui/use-in-place.ts";
import { otherSide, outcomeSaid } from "./said.ts";

export function ReportPanel({ game, side }: { game: Game; side: Side }) {
  const theirs = game[otherSide(side)].report;
  const own = game[side].report;
  const { isOpen, open, close, opened, opener } = useInPlace();
  const [choice, setChoice] = useState<Outcome | null>(null);
  const press = usePress((outcome: Outcome, idempotencyKey) =>
    call("reportResult", { params: { id: game.id }, body: { outcome }, idempotencyKey }),
  );
  const report = async (outcome: Outcome): Promise<void> => {
    const next = await press.go(outcome);
    if (next === null) return;
    queryClient.setQueryData(gameQuery(game.id).queryKey, next);
    close();
  };

  const problem = press.problem === null ? null : <ProblemBox problem={press.problem} />;
  // A report stands; its side may only still agree with the other one.
  if (own !== null) {
    return (
      <div className="stack">
        <p>
          You said: <strong>{outcomeSaid(game, own, side)}.</strong>
        </p>
        {theirs === null || theirs === own ? null : (
          <p>
            <MoneyButton isBusy={press.isBusy} onClick={() => void report(theirs)}>
              I was wrong: {outcomeSaid(game, theirs, side)}
            </MoneyButton>
          </p>
        )}
        {problem}
      </div>
    );
  }
  const chooser = (
    <form
      className="stack"
      aria-label="Report result"
      ref={opened}
      onSubmit={(event) => {
        event.preventDefault();
        if (choice !== null) void report(choice);
      }}
    >
      <Choices<Outcome>
        label="How did it end?"
        value={choice}
        onChoose={setChoice}
        options={[
          { value: side, label: "I won" },
          { value: otherSide(side), label: outcomeSaid(game, otherSide(side)) },
          { value: "draw", label: "A draw" },
          { value: "no_contest", label: "No contest" },
        ]}
      />
      <p className="smoke">A draw or no contest gives both stakes back. A report stands once it is sent.</p>
      {problem}
      <div className="row">
        <MoneyButton type="submit" kind="ink" isBusy={press.isBusy} aria-disabled={choice === null}>
          Send report
        </MoneyButton>
        <Button onClick={close}>Back</Button>
      </div>
    </form>
  );
  if (isOpen) return chooser;
  if (theirs === null) {
    return (
      <p>
        <Button kind="ink" big ref={opener} onClick={open}>
          Report result
        </Button>
      </p>
    );
  }
  return (
    <div className="stack">
      <p>
        {game[otherSide(side)].player.handle} says: <strong>{outcomeSaid(game, theirs, side)}.</strong>
      </p>
      {problem}
      <div className="row">
        <MoneyButton kind="ink" big isBusy={press.isBusy} onClick={() => void report(theirs)}>
          Confirm: {outcomeSaid(game, theirs, side)}
        </MoneyButton>
        <Button ref={opener} onClick={open}>
          That's not what happened
        </Button>
      </div>
    </div>
  );
}
