import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Me } from "../../../engine/contract/account.ts";
import { ownGamesQuery, ownProposalsQuery } from "../api/queries.ts";
import { Bout } from "../games/bout.tsx";
import { HistoryTable } from "../money/history-table.tsx";
import { Composer } from "../offers/composer.tsx";
import { Inbox, Table } from "../offers/inbox.tsx";
import { OfferCards } from "../offers/offer-cards.tsx";
import { ask } from "../shell/gates.ts";
import { useLinkedToken, useMe } from "../shell/use-me.ts";
import { Button } from "../ui/button.tsx";
import { Empty, Loaded } from "../ui/states.tsx";

const route = getRouteApi("/play");

export default function Play() {
  const me = useMe();
  const { to = "", own = "", their = "", terms = "", token } = route.useSearch();
  const linked = useLinkedToken(token);
  const stakes = linked.isPlayed ? { own, their } : {};
  const against = to === "" || to.startsWith("0x") ? to : `@${to}`;
  return (
    <div className="stack" style={{ gap: "2rem" }}>
      <h1 className="sr-only">Play</h1>
      <Table playerId={me?.id ?? null}>
        <Composer
          key={`${to} ${own} ${their} ${terms} ${linked.isPlayed}`}
          initial={{ against, terms, ...stakes }}
          said={linked.said}
        />
        {me ? <Inbox playerId={me.id} /> : <SignedOut isKnown={me === null} />}
      </Table>
      {me ? (
        <>
          <Sent me={me} />
          <OwnGames />
          <HistoryTable />
        </>
      ) : null}
    </div>
  );
}

function SignedOut({ isKnown }: { isKnown: boolean }) {
  return (
    <section className="box box-pad stack" aria-label="Your offers">
      <h2>Your offers</h2>
      <p>{isKnown ? "Sign in to see what you were offered and what you play." : "––"}</p>
      {isKnown ? (
        <p>
          <Button kind="ink" onClick={() => void ask("sign_in")}>
            Sign in
          </Button>
        </p>
      ) : null}
    </section>
  );
}

const mostEnded = 6;

function Sent({ me }: { me: Me }) {
  const proposals = useQuery(ownProposalsQuery);
  return (
    <section className="stack" aria-labelledby="sent">
      <div className="section-head">
        <h2 id="sent">From you</h2>
      </div>
      <Loaded query={proposals} label="From you">
        {(items) => {
          const own = items.filter(({ proposer }) => proposer.id === me.id);
          const open = own.filter(({ state }) => state === "pending");
          const ended = own.filter(({ state }) => state !== "pending").slice(0, mostEnded);
          return (
            <>
              <OfferCards proposals={open} empty="Nobody's talking yet. Say something." />
              {ended.length === 0 ? null : (
                <details>
                  <summary>Over: {ended.length}</summary>
                  <OfferCards proposals={ended} empty="" />
                </details>
              )}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

function OwnGames() {
  const games = useQuery(ownGamesQuery);
  return (
    <section className="stack" aria-labelledby="own-games">
      <div className="section-head">
        <h2 id="own-games">Your games</h2>
      </div>
      <Loaded query={games} label="Your games">
        {(items) =>
          items.length === 0 ? (
            <Empty>No games yet. Take an offer or make one.</Empty>
          ) : (
            <div>
              {items.map((game) => (
                <Bout key={game.id} game={game} />
              ))}
            </div>
          )
        }
      </Loaded>
    </section>
  );
}
