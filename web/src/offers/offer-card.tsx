import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import type { Proposal } from "../../../engine/contract/wager.ts";
import { oddsOf } from "../../../engine/core/money.ts";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import { ownProposalsQuery } from "../api/queries.ts";
import { upserted } from "../live/patches.ts";
import { exact } from "../money/show.ts";
import { useConfig, useMe } from "../shell/use-me.ts";
import { usePress } from "../shell/use-press.ts";
import { Countdown, useNow } from "../time/clock.tsx";
import { Button, MoneyButton } from "../ui/button.tsx";
import { Corners } from "../ui/corners.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";
import { useInPlace } from "../ui/use-in-place.ts";
import { OfferChain } from "./offer-chain.tsx";
import { offerSentence, stakesOf, stampOf, standingOf, takerName } from "./said.ts";

/** Most who see an offer never counter it: the form comes when it is asked for. */
const CounterForm = lazy(() => import("./counter-form.tsx"));

/** One offer as a ticket: who puts up what, the terms, and what the viewer may do about it. */
export function OfferCard({ proposal }: { proposal: Proposal }) {
  const viewerId = useMe()?.id ?? null;
  const standing = standingOf(proposal, viewerId);
  const { putUp, gets } = stakesOf(proposal, standing);
  const isOver = useNow() >= Date.parse(proposal.expiresAt);
  const stamp = stampOf(proposal.state) ?? (isOver ? "Lapsed" : null);
  const [own, their] = [BigInt(proposal.proposerStake.amount), BigInt(proposal.takerStake.amount)];
  const speaks = standing === "proposer" ? "You" : null;
  return (
    <article className="ticket flips" aria-label={`${offerSentence(proposal)} ${proposal.terms}`}>
      <div className="ticket-head">
        <span className="label">
          {oddsOf(own, their)} · {proposal.proposerStake.symbol}
        </span>
        <span className="label">
          {stamp === null ? (
            <>
              Lapses in <Countdown until={proposal.expiresAt} />
            </>
          ) : (
            stamp
          )}
        </span>
      </div>
      <Corners
        red={{
          name: speaks ?? proposal.proposer.handle,
          handle: proposal.proposer.handle,
          stake: exact(proposal.proposerStake),
        }}
        blue={{
          name: standing === "taker" ? "You" : takerName(proposal),
          handle: proposal.taker?.handle ?? null,
          stake: exact(proposal.takerStake),
        }}
      />
      <div className="ticket-body">
        <p>{offerSentence(proposal)}</p>
        <p className="terms">{proposal.terms}</p>
        <p className="smoke">
          You put up {exact(putUp)}. Win, you get {exact(gets)}.
          {proposal.referee === null ? "" : ` Referee: ${proposal.referee.handle}.`}
        </p>
        {proposal.parentId === null ? null : <OfferChain proposal={proposal} />}
        {stamp === null ? null : (
          <span className={`stamp ${proposal.state === "accepted" ? "stamp-win" : "stamp-red"}`}>
            {stamp}
          </span>
        )}
        {proposal.gameId === null ? null : (
          <Link className="link link-row" to="/g/$id" params={{ id: proposal.gameId }}>
            To the game
          </Link>
        )}
      </div>
      {stamp === null && standing !== "onlooker" ? <Moves proposal={proposal} standing={standing} /> : null}
    </article>
  );
}

function Moves({ proposal, standing }: { proposal: Proposal; standing: "proposer" | "taker" | "may_take" }) {
  const navigate = useNavigate();
  const config = useConfig();
  const countering = useInPlace();
  const params = { id: proposal.id };
  const take = usePress((_: "take", idempotencyKey) => call("acceptProposal", { params, idempotencyKey }));
  const end = usePress((move: "declineProposal" | "cancelProposal", idempotencyKey) =>
    call(move, { params, idempotencyKey }),
  );
  const problem = take.problem ?? end.problem;
  const token = config?.tokens.find(({ address }) => address === proposal.proposerStake.token);

  const onTake = async (): Promise<void> => {
    const taken = await take.go("take");
    if (taken !== null) await navigate({ to: "/g/$id", params: { id: taken.gameId } });
  };
  const onEnd = async (move: "declineProposal" | "cancelProposal"): Promise<void> => {
    const ended = await end.go(move);
    if (ended !== null)
      queryClient.setQueryData(ownProposalsQuery.queryKey, (known) => upserted(known ?? [], ended));
  };

  return (
    <div className="ticket-stub stack">
      {problem === null ? null : <ProblemBox problem={problem} token={token} />}
      {countering.isOpen ? (
        <Suspense fallback={<p aria-busy="true">––</p>}>
          <CounterForm proposal={proposal} opened={countering.opened} onDone={countering.close} />
        </Suspense>
      ) : (
        <div className="row">
          {standing === "proposer" ? (
            <Button isBusy={end.isBusy} onClick={() => void onEnd("cancelProposal")}>
              Take it back
            </Button>
          ) : (
            <>
              <MoneyButton kind="blue" isBusy={take.isBusy} onClick={() => void onTake()}>
                Take it for {exact(proposal.takerStake)}
              </MoneyButton>
              {token?.listed === false ? null : (
                <Button ref={countering.opener} onClick={countering.open}>
                  Counter
                </Button>
              )}
              {standing === "taker" ? (
                <Button isBusy={end.isBusy} onClick={() => void onEnd("declineProposal")}>
                  Pass
                </Button>
              ) : null}
            </>
          )}
        </div>
      )}
    </div>
  );
}
