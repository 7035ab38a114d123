import { useQuery } from "@tanstack/react-query";
import type { Game } from "../../../engine/contract/wager.ts";
import { formatAmount } from "../../../engine/core/money.ts";
import { receiptQuery } from "../api/queries.ts";
import { OnChain } from "../ui/address.tsx";
import { Figures } from "../ui/figures.tsx";
import { Loaded } from "../ui/states.tsx";
import { outcomeSaid } from "./said.ts";

const deciders: Record<string, string> = {
  agreement: "Both said the same",
  clock: "One reported, nobody objected",
  nobody_reported: "Nobody reported",
  dispute_clock: "The dispute ran out",
  referee: "The referee",
  operator: "An operator",
};

/** The record that anybody can recompute: what went in, what came out, by which rules. */
export function Receipt({ game }: { game: Game }) {
  const receipt = useQuery(receiptQuery(game.id));
  const say = (amount: string) => formatAmount(BigInt(amount), game.pot.decimals, { group: true });
  return (
    <section className="ticket" aria-labelledby="receipt">
      <div className="ticket-head">
        <h2 className="label" id="receipt" style={{ fontSize: "1.1rem" }}>
          Receipt
        </h2>
        <a className="link label" href={`/api/game/${game.id}/receipt`} target="_blank" rel="noreferrer">
          As data
        </a>
      </div>
      <div className="ticket-body">
        <Loaded query={receipt} label="Receipt">
          {({ inputs, outputs, decidedBy, reason, ruleVersion, transfers }) => (
            <>
              <Figures
                lines={[
                  { label: "Result", value: outcomeSaid(game, inputs.outcome) },
                  { label: "Decided by", value: deciders[decidedBy] ?? decidedBy },
                  { label: `${game.red.player.handle} gets`, value: say(outputs.red) },
                  { label: `${game.blue.player.handle} gets`, value: say(outputs.blue) },
                  { label: "House", value: say(outputs.rake) },
                  { label: "Rules", value: `Version ${ruleVersion}` },
                ]}
              />
              {reason === null ? null : <p>"{reason}"</p>}
              <details>
                <summary>Every transfer</summary>
                <ul>
                  {transfers.map(({ id, reason: what, amount, chainTxHash }) => (
                    <li key={id} className="row" style={{ gap: "0.25rem 0.75rem" }}>
                      <span>{what.replaceAll("_", " ")}</span>
                      <span className="sum">{say(amount)}</span>
                      {chainTxHash === null ? null : <OnChain kind="tx" value={chainTxHash} />}
                    </li>
                  ))}
                </ul>
              </details>
            </>
          )}
        </Loaded>
      </div>
    </section>
  );
}
