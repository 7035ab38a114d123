/** Earned rake to the house wallet: a dry run first, the sum written out, the amount typed by hand. */
import { useState } from "react";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import type { SweepPlan } from "../api/shapes.ts";
import { exact, isZero, withSymbol } from "../money/show.ts";
import { chooseToken, useConfig, useToken } from "../shell/use-me.ts";
import { usePress } from "../shell/use-press.ts";
import { clockTime } from "../time/say.ts";
import { AddressBlocks, shortHash } from "../ui/address.tsx";
import { Button, MoneyButton } from "../ui/button.tsx";
import { Choices, TextField } from "../ui/field.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";

/** Moments in the engine's words, in the reader's own time. */
const withClockTimes = (words: string): string =>
  words.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (moment) => clockTime(moment, Date.now()));

type SweepBody = { token: string; dryRun: boolean; confirmTotal?: string };

export function Sweep() {
  const tokens = useConfig()?.tokens ?? [];
  const token = useToken(tokens);
  const [plan, setPlan] = useState<SweepPlan | null>(null);
  const [done, setDone] = useState<SweepPlan | null>(null);
  const press = usePress((body: SweepBody, idempotencyKey) => call("sweep", { body, idempotencyKey }));
  const dryRun = async (): Promise<void> => {
    if (token === undefined) return;
    setDone(null);
    setPlan(await press.go({ token: token.address, dryRun: true }));
  };
  const sweep = async (confirmed: SweepPlan): Promise<void> => {
    const answer = await press.go({
      token: confirmed.token,
      dryRun: false,
      confirmTotal: confirmed.total.amount,
    });
    if (answer === null) return;
    setPlan(null);
    setDone(answer);
    await queryClient.invalidateQueries({ queryKey: ["operator"] });
  };
  return (
    <section className="stack" aria-labelledby="sweep">
      <div className="section-head">
        <h2 id="sweep">Sweep</h2>
      </div>
      <Choices
        label="Token to sweep"
        value={token?.address ?? null}
        onChoose={(address) => {
          chooseToken(address);
          setPlan(null);
        }}
        options={tokens.map(({ address, symbol }) => ({ value: address, label: symbol }))}
      />
      <p>
        <Button isBusy={press.isBusy} onClick={() => void dryRun()}>
          Dry run
        </Button>
      </p>
      {press.problem === null ? null : <ProblemBox problem={press.problem} />}
      {plan === null ? null : (
        <Plan key={plan.total.amount} plan={plan} isBusy={press.isBusy} onSweep={() => void sweep(plan)} />
      )}
      {done === null ? null : (
        <p className="box box-pad" aria-live="polite">
          Swept {withSymbol(done.total)} in {done.instructionIds.length} transfers. They leave now.
        </p>
      )}
    </section>
  );
}

function Plan({ plan, isBusy, onSweep }: { plan: SweepPlan; isBusy: boolean; onSweep: () => void }) {
  const [typedTotal, setTypedTotal] = useState("");
  const [isChecked, setChecked] = useState(false);
  const isConfirmed = typedTotal.trim().replaceAll(",", "") === exact(plan.total).replaceAll(",", "");
  return (
    <form
      className="box box-pad stack"
      aria-label="Sweep plan"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setChecked(true);
        if (isConfirmed) onSweep();
      }}
    >
      <table className="ledger">
        <thead>
          <tr>
            <th scope="col">Game</th>
            <th scope="col" className="amount">
              Cut
            </th>
            <th scope="col" className="amount">
              Dust
            </th>
          </tr>
        </thead>
        <tbody>
          {plan.lines.map(({ gameId, escrow, rake, dust }) => (
            <tr key={escrow}>
              <td className="sum">{gameId.slice(0, 8)}</td>
              <td className="amount">{exact(rake)}</td>
              <td className="amount">{exact(dust)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="sum">
        {plan.lines.length === 0
          ? exact(plan.total)
          : plan.lines
              .flatMap(({ rake, dust }) => [rake, dust].filter((part) => !isZero(part)).map(exact))
              .join(" + ")}{" "}
        = {withSymbol(plan.total)}
      </p>
      <p className="label">To the house wallet</p>
      <AddressBlocks address={plan.destination} />
      {plan.heldBack.length === 0 ? null : (
        <ul className="smoke" aria-label="Held back">
          {plan.heldBack.map(({ gameId, money, why }) => (
            <li key={gameId}>
              {shortHash(gameId)}: {withSymbol(money)}. {withClockTimes(why)}
            </li>
          ))}
        </ul>
      )}
      {isZero(plan.total) ? (
        <p>Nothing is earned and free.</p>
      ) : (
        <>
          <TextField
            label="Type the amount to confirm"
            isSum
            value={typedTotal}
            error={isChecked && !isConfirmed ? `Type ${exact(plan.total)}.` : undefined}
            onText={setTypedTotal}
          />
          <p>
            <MoneyButton type="submit" kind="ink" isBusy={isBusy}>
              Sweep {withSymbol(plan.total)}
            </MoneyButton>
          </p>
        </>
      )}
    </form>
  );
}
