import { type RefCallback, useState } from "react";
import type { Proposal } from "../../../engine/contract/wager.ts";
import { parseAmount } from "../../../engine/core/money.ts";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import { ownProposalsQuery } from "../api/queries.ts";
import { upserted } from "../live/patches.ts";
import { draftProblems, figuresOf } from "../money/draft.ts";
import { typed } from "../money/show.ts";
import { useConfig } from "../shell/use-me.ts";
import { usePress } from "../shell/use-press.ts";
import { Button, MoneyButton } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";
import { DraftFigures } from "./figures-of-draft.tsx";
import { LapseField } from "./options.tsx";

/** Other terms instead. Whoever counters is the proposer of the new offer, so "you put up" is the viewer's own stake. */
export default function CounterForm({
  proposal,
  opened,
  onDone,
}: {
  proposal: Proposal;
  opened: RefCallback<HTMLElement>;
  onDone: () => void;
}) {
  const { decimals } = proposal.proposerStake;
  const config = useConfig();
  const [draft, setDraft] = useState({
    own: typed(proposal.takerStake),
    their: typed(proposal.proposerStake),
    terms: proposal.terms,
  });
  const [lapseSeconds, setLapseSeconds] = useState(600);
  const [isChecked, setChecked] = useState(false);
  const problems = isChecked ? draftProblems({ ...draft, against: "" }, decimals) : {};
  const token = config?.tokens.find(({ address }) => address === proposal.proposerStake.token);
  const press = usePress(
    (
      body: { proposerStake: string; takerStake: string; terms: string; lapseSeconds: number },
      idempotencyKey,
    ) => call("counterProposal", { params: { id: proposal.id }, body, idempotencyKey }),
  );

  const [own, their] = [parseAmount(draft.own, decimals), parseAmount(draft.their, decimals)];
  const isSame =
    own.ok &&
    their.ok &&
    own.amount === BigInt(proposal.takerStake.amount) &&
    their.amount === BigInt(proposal.proposerStake.amount) &&
    draft.terms.trim() === proposal.terms.trim();

  const send = async (): Promise<void> => {
    setChecked(true);
    if (!own.ok || !their.ok || draft.terms.trim() === "" || isSame) return;
    const made = await press.go({
      proposerStake: own.amount.toString(),
      takerStake: their.amount.toString(),
      terms: draft.terms.trim(),
      lapseSeconds,
    });
    if (made === null) return;
    queryClient.setQueryData(ownProposalsQuery.queryKey, (known) => upserted(known ?? [], made));
    onDone();
  };
  const rakeBps = proposal.rakeBps;
  return (
    <form
      className="stack"
      aria-label={`Counter ${proposal.proposer.handle}`}
      ref={opened}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <div className="offer-boxes">
        <TextField
          label="You put up"
          isSum
          value={draft.own}
          error={problems.own}
          onText={(own) => setDraft({ ...draft, own })}
        />
        <TextField
          label="They put up"
          isSum
          value={draft.their}
          error={problems.their}
          onText={(their) => setDraft({ ...draft, their })}
        />
        <LapseField seconds={lapseSeconds} onChange={setLapseSeconds} />
      </div>
      <TextField
        label="Terms"
        maxLength={280}
        value={draft.terms}
        error={problems.terms}
        onText={(terms) => setDraft({ ...draft, terms })}
      />
      <DraftFigures sum={figuresOf(draft, { decimals, rakeBps })} decimals={decimals} rakeBps={rakeBps} />
      {isChecked && isSame ? (
        <div className="field-error" role="alert">
          Nothing changed: take it instead.
        </div>
      ) : null}
      {press.problem === null ? null : <ProblemBox problem={press.problem} token={token} />}
      <div className="row">
        <MoneyButton type="submit" kind="red" isBusy={press.isBusy}>
          Send counter
        </MoneyButton>
        <Button onClick={onDone}>Back</Button>
      </div>
    </form>
  );
}
