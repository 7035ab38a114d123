import { formatAmount } from "../../../engine/core/money.ts";
import type { Figures as Sum } from "../money/draft.ts";
import { percent } from "../money/show.ts";
import { Figures } from "../ui/figures.tsx";

/** The whole sum before anything is sent. The cut is capped by what the loser put up, so it may differ by winner. */
export function DraftFigures({
  sum,
  decimals,
  rakeBps,
}: {
  sum: Sum | null;
  decimals: number;
  rakeBps: number;
}) {
  const say = (amount: bigint | undefined) =>
    amount === undefined ? "" : formatAmount(amount, decimals, { group: true });
  const cut =
    sum === null
      ? ""
      : sum.cutWhenOwnWins === sum.cutWhenTheirWins
        ? say(sum.cutWhenOwnWins)
        : `${say(sum.cutWhenOwnWins)} if you win, ${say(sum.cutWhenTheirWins)} if they do`;
  return (
    <div className="stack" style={{ gap: "0.5rem" }}>
      <Figures
        lines={[
          { label: "You put up", value: say(sum?.own) },
          { label: "They put up", value: say(sum?.their) },
          { label: "Pot", value: say(sum?.pot) },
          { label: `House cut ${percent(rakeBps)}`, value: cut },
          { label: "You win, you get", value: say(sum?.ownGets) },
          { label: "They win, they get", value: say(sum?.theirGets) },
        ]}
      />
      <p className="call" style={{ fontSize: "1.5rem", minHeight: "1.1em" }}>
        {sum === null ? "" : `${sum.odds}.`}
      </p>
      {sum !== null && (sum.ownGets <= sum.own || sum.theirGets <= sum.their) ? (
        <p className="field-note">
          At these odds the cut takes all that {sum.ownGets <= sum.own ? "you" : "they"} could win.
        </p>
      ) : null}
    </div>
  );
}
