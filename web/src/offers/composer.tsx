/** My X to your Y, in under five seconds: one sentence over the boxes that it fills. */
import { type RefObject, useRef } from "react";
import { formatAmount } from "../../../engine/core/money.ts";
import { type Draft, type DraftField, figuresOf } from "../money/draft.ts";
import { chooseToken, listedOf, useConfig, useMe } from "../shell/use-me.ts";
import { MoneyButton } from "../ui/button.tsx";
import { SelectField, TextField } from "../ui/field.tsx";
import { ProblemBox, ProblemNote } from "../ui/problem-note.tsx";
import { DraftFigures } from "./figures-of-draft.tsx";
import { OfferOptions } from "./options.tsx";
import { boxesOf, useComposer } from "./use-composer.ts";

export function Composer({
  initial,
  said,
}: {
  initial: Partial<Draft>;
  /** What is to be known first. */
  said: string | null;
}) {
  const me = useMe();
  const config = useConfig();
  const composer = useComposer(initial);
  const { token, draft, refusal, change } = composer;
  const lineField = useRef<HTMLInputElement>(null);
  const decimals = token?.decimals ?? 6;
  const rakeBps = config?.rakeBps ?? 0;
  const refusedBoxes = boxesOf(refusal);
  const errorAt = (box: DraftField) =>
    composer.problems[box] ??
    (refusal !== null && refusedBoxes.includes(box) ? (
      <ProblemNote
        problem={refusal}
        token={token}
        onSuggestion={(handle) => change({ against: `@${handle}` })}
      />
    ) : undefined);

  const sum = figuresOf(draft, { decimals, rakeBps });
  return (
    <form
      className="ticket"
      aria-label="Make an offer"
      onSubmit={(event) => {
        event.preventDefault();
        void composer.send().then((isLineNext) => isLineNext && lineField.current?.focus());
      }}
      noValidate
    >
      <div className="ticket-head">
        <span className="label">Make an offer</span>
        <span className="label">{token?.symbol ?? "––"}</span>
      </div>
      <div className="ticket-body">
        {said === null ? null : <p className="field-error">{said}</p>}
        <LineField composer={composer} field={lineField} />
        <div className="offer-boxes">
          <TextField
            label="You put up"
            isSum
            value={draft.own}
            error={errorAt("own")}
            onText={(own) => change({ own })}
          />
          <TextField
            label="They put up"
            isSum
            value={draft.their}
            error={errorAt("their")}
            onText={(their) => change({ their })}
          />
          <TextField
            label="Against"
            placeholder="Anyone"
            value={draft.against}
            error={errorAt("against")}
            onText={(against) => change({ against })}
          />
        </div>
        <TextField
          label="Terms"
          placeholder="First to 21."
          maxLength={280}
          value={draft.terms}
          error={errorAt("terms")}
          onText={(terms) => change({ terms })}
        />
        <details>
          <summary>Token, clocks and referee</summary>
          <div className="offer-boxes" style={{ paddingTop: "0.5rem" }}>
            <SelectField
              label="Played in"
              value={token?.address ?? ""}
              onChoose={chooseToken}
              options={listedOf(config).map(({ address, symbol }) => ({
                value: address,
                label: symbol,
              }))}
            />
            <OfferOptions
              options={composer.options}
              onChange={composer.setOptions}
              problem={refusal?.fields.referee}
            />
          </div>
        </details>
        <DraftFigures sum={sum} decimals={decimals} rakeBps={rakeBps} />
      </div>
      <div className="ticket-stub stack">
        {refusal !== null && refusedBoxes.length === 0 ? (
          <ProblemBox problem={refusal} token={token} />
        ) : null}
        <div className="row">
          <MoneyButton type="submit" kind="red" big isBusy={composer.isBusy}>
            {me === null ? "Sign in and send" : composer.isBusy ? "Sending" : "Send"}
          </MoneyButton>
          {composer.isSent && composer.line === "" ? (
            <span className="stamp stamp-red">Sent</span>
          ) : (
            <p className="smoke">
              {sum === null
                ? "Your stake is held while the offer stands."
                : `${formatAmount(sum.own, decimals, { group: true })} of yours is held while the offer stands.`}
            </p>
          )}
        </div>
      </div>
    </form>
  );
}

function LineField({
  composer: { line, lineProblem, isChecked, typeLine },
  field,
}: {
  composer: ReturnType<typeof useComposer>;
  field: RefObject<HTMLInputElement | null>;
}) {
  const isWrong = isChecked && lineProblem !== null;
  return (
    <div className="field">
      <label className="label" htmlFor="offer-line">
        In one line
      </label>
      <input
        id="offer-line"
        ref={field}
        className="input"
        style={{ fontSize: "1.35rem", minHeight: "3.5rem" }}
        placeholder="50 to 10 @marcus first to 21"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={line}
        aria-describedby="offer-line-note"
        aria-invalid={isWrong}
        onChange={(event) => typeLine(event.target.value)}
      />
      <p className={isWrong ? "field-error" : "field-note"} id="offer-line-note">
        {lineProblem ?? "Your stake, theirs, @whom, and what you play for. Enter sends it."}
      </p>
    </div>
  );
}
