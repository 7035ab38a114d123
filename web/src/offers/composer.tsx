/** My X to your Y, in under five seconds: one sentence over the boxes that it fills. */
import { useRef, useState } from "react";
import { formatAmount, parseAmount } from "../../../engine/core/money.ts";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import { configQuery, ownProposalsQuery } from "../api/queries.ts";
import { upserted } from "../live/patches.ts";
import {
  type Draft,
  type DraftField,
  draftOf,
  draftProblems,
  emptyDraft,
  figuresOf,
  opponentOf,
  sentenceOf,
} from "../money/draft.ts";
import { type Token, tokenOf, useConfig, useMe, useToken } from "../shell/use-me.ts";
import { usePress } from "../shell/use-press.ts";
import { MoneyButton } from "../ui/button.tsx";
import { SelectField, TextField } from "../ui/field.tsx";
import { ProblemBox, ProblemNote } from "../ui/problem-note.tsx";
import { DraftFigures } from "./figures-of-draft.tsx";
import { defaultOptions, OfferOptions, type Options } from "./options.tsx";

/** Which box a field of the request is about. */
const boxOf: Record<string, DraftField> = {
  proposerStake: "own",
  takerStake: "their",
  opponent: "against",
  handle: "against",
  address: "against",
  terms: "terms",
};

export function Composer({ initial }: { initial: Partial<Draft> }) {
  const me = useMe();
  const config = useConfig();
  const { token, choose } = useToken();
  const [draft, setDraft] = useState<Draft>({ ...emptyDraft, ...initial });
  const [line, setLine] = useState(() => sentenceOf({ ...emptyDraft, ...initial }));
  /** Whether the sentence was typed, so that its problems count; else it was made from the boxes. */
  const [isLineTyped, setLineTyped] = useState(false);
  const [options, setOptions] = useState<Options>(defaultOptions);
  const [isChecked, setChecked] = useState(false);
  const [sentNumber, setSentNumber] = useState(0);
  const lineField = useRef<HTMLInputElement>(null);

  const decimals = token?.decimals ?? 6;
  const rakeBps = config?.rakeBps ?? 0;
  const problems = isChecked ? draftProblems(draft, decimals) : {};
  const lineProblem = isLineTyped && line.trim() !== "" ? draftOf(line).problem : null;
  const press = usePress(propose);
  const refused = press.problem;
  const refusedBoxes = Object.entries(refused?.fields ?? {}).flatMap(([field]) => boxOf[field] ?? []);

  const change = (part: Partial<Draft>): void => {
    const next = { ...draft, ...part };
    setDraft(next);
    setLine(sentenceOf(next));
    setLineTyped(false);
    press.clear();
  };
  const errorAt = (box: DraftField) =>
    problems[box] ??
    (refused !== null && refusedBoxes.includes(box) ? (
      <ProblemNote
        problem={refused}
        token={token}
        onSuggestion={(handle) => change({ against: `@${handle}` })}
      />
    ) : undefined);

  const send = async (): Promise<void> => {
    setChecked(true);
    // A sentence that isn't understood whole may mean somebody else than its boxes say.
    if (lineProblem !== null) return lineField.current?.focus();
    // A fast hand is here before the list of tokens is.
    const played = token ?? (await firstToken());
    if (played === undefined || Object.keys(draftProblems(draft, played.decimals)).length > 0) return;
    const [own, their] = [parseAmount(draft.own, played.decimals), parseAmount(draft.their, played.decimals)];
    const opponent = opponentOf(draft.against);
    if (!own.ok || !their.ok || opponent === "invalid") return;
    const made = await press.go({
      opponent,
      token: played.address,
      proposerStake: own.amount.toString(),
      takerStake: their.amount.toString(),
      terms: draft.terms.trim(),
      lapseSeconds: options.lapseSeconds,
      expectedMinutes: options.expectedMinutes,
      ...(options.referee === "" ? {} : { referee: options.referee.replace(/^@/, "") }),
    });
    if (made === null) return;
    queryClient.setQueryData(ownProposalsQuery.queryKey, (known) => upserted(known ?? [], made));
    setDraft({ ...emptyDraft, against: draft.against });
    setLine("");
    setChecked(false);
    setSentNumber((number) => number + 1);
    lineField.current?.focus();
  };

  const sum = figuresOf(draft, { decimals, rakeBps });
  return (
    <form
      className="ticket"
      aria-label="Make an offer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
      noValidate
    >
      <div className="ticket-head">
        <span className="label">Make an offer</span>
        <span className="label">{token?.symbol ?? "––"}</span>
      </div>
      <div className="ticket-body">
        <div className="field">
          <label className="label" htmlFor="offer-line">
            In one line
          </label>
          <input
            id="offer-line"
            ref={lineField}
            className="input"
            style={{ fontSize: "1.35rem", minHeight: "3.5rem" }}
            placeholder="50 to 10 @marcus first to 21"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            value={line}
            aria-describedby="offer-line-note"
            aria-invalid={isChecked && lineProblem !== null}
            onChange={(event) => {
              setLine(event.target.value);
              setLineTyped(true);
              setDraft(draftOf(event.target.value).draft);
              press.clear();
            }}
          />
          <p
            className={isChecked && lineProblem !== null ? "field-error" : "field-note"}
            id="offer-line-note"
          >
            {lineProblem ?? "Your stake, theirs, @whom, and what you play for. Enter sends it."}
          </p>
        </div>
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
              onChoose={choose}
              options={(config?.tokens ?? []).map(({ address, symbol }) => ({
                value: address,
                label: symbol,
              }))}
            />
            <OfferOptions options={options} onChange={setOptions} problem={refused?.fields.referee} />
          </div>
        </details>
        <DraftFigures sum={sum} decimals={decimals} rakeBps={rakeBps} />
      </div>
      <div className="ticket-stub stack">
        {refused !== null && refusedBoxes.length === 0 ? (
          <ProblemBox problem={refused} token={token} />
        ) : null}
        <div className="row">
          <MoneyButton type="submit" kind="red" big isBusy={press.isBusy}>
            {me === null ? "Sign in and send" : press.isBusy ? "Sending" : "Send"}
          </MoneyButton>
          {sentNumber > 0 && line === "" ? (
            <span className="stamp stamp-red" key={sentNumber}>
              Sent
            </span>
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

const firstToken = async (): Promise<Token | undefined> => {
  const config = await queryClient.ensureQueryData(configQuery).catch(() => null);
  return tokenOf(config?.tokens ?? []);
};

type ProposeBody = NonNullable<NonNullable<Parameters<typeof call<"propose">>[1]>["body"]>;
const propose = (body: ProposeBody, idempotencyKey: string) => call("propose", { body, idempotencyKey });
