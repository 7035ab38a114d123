import { queryClient } from "../api/client.ts";
import { usePress } from "../shell/use-press.ts";
import { MoneyButton } from "../ui/button.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";

/** The way out for money that a wallet couldn't be sent: into the pool of the player who looks at it. */
export function Claim({
  sum,
  send,
}: {
  /** Tells the buttons of a page apart. */
  sum: string;
  send: (idempotencyKey: string) => Promise<unknown>;
}) {
  const press = usePress((_: "claim", idempotencyKey) => send(idempotencyKey));
  const claim = async (): Promise<void> => {
    if ((await press.go("claim")) !== null) await queryClient.invalidateQueries();
  };
  return (
    <div className="stack" style={{ gap: "0.5rem" }}>
      {press.problem === null ? null : <ProblemBox problem={press.problem} />}
      <p className="row">
        <MoneyButton
          isBusy={press.isBusy}
          aria-label={`Take ${sum} into your pool`}
          onClick={() => void claim()}
        >
          Take it into your pool
        </MoneyButton>
      </p>
    </div>
  );
}
