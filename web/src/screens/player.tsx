import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { playerQuery } from "../api/queries.ts";
import type { PlayerPage } from "../api/shapes.ts";
import { Bout } from "../games/bout.tsx";
import { netSaid } from "../money/net.ts";
import { OfferCard } from "../offers/offer-card.tsx";
import { OwnPage } from "../player/own-page.tsx";
import { useMe } from "../shell/use-me.ts";
import { Moment } from "../time/clock.tsx";
import { buttonClass } from "../ui/button.tsx";
import { Figures } from "../ui/figures.tsx";
import { Empty, Loaded } from "../ui/states.tsx";

const route = getRouteApi("/p/$handle");

/** `/p/me` is the signed-in player's own page with the settings; no handle is that short. */
export default function PlayerScreen() {
  const { handle } = route.useParams();
  return handle === "me" ? <OwnPage /> : <PublicPage handle={handle} />;
}

function PublicPage({ handle }: { handle: string }) {
  const page = useQuery(playerQuery(handle));
  return (
    <Loaded query={page} label={handle} isPage>
      {(loaded) => <Page page={loaded} />}
    </Loaded>
  );
}

const recordSaid = (record: PlayerPage["record"]): string => {
  if (record === null) return "No games yet";
  return record.played === 0 ? "Only draws" : `won ${record.won} of ${record.played}`;
};

function Page({ page: { player, since, record, offers, games } }: { page: PlayerPage }) {
  const isOwn = useMe()?.id === player.id;
  return (
    <div className="stack" style={{ gap: "2rem" }}>
      <header className="stack">
        <h1>{player.handle}</h1>
        <Figures
          lines={[
            {
              label: "Record",
              value: recordSaid(record),
            },
            {
              label: "Up or down",
              value:
                record === null
                  ? ""
                  : record.net.map((line) => <div key={line.money.token}>{netSaid(line)}</div>),
            },
            { label: "Here since", value: <Moment at={since} /> },
          ]}
        />
        <div className="row">
          {isOwn ? (
            <Link className={buttonClass()} to="/p/$handle" params={{ handle: "me" }}>
              Your settings
            </Link>
          ) : (
            <Link className={buttonClass("ink", true)} to="/play" search={{ to: player.handle }}>
              Call out
            </Link>
          )}
          <Link className={buttonClass()} to="/live/$room" params={{ room: player.handle }}>
            Live page
          </Link>
        </div>
      </header>
      <section className="stack" aria-labelledby="their-offers">
        <div className="section-head">
          <h2 id="their-offers">Open offers</h2>
        </div>
        {offers.length === 0 ? (
          <Empty>No open offer.</Empty>
        ) : (
          <div className="cards">
            {offers.map((offer) => (
              <OfferCard key={offer.id} proposal={offer} />
            ))}
          </div>
        )}
      </section>
      <section className="stack" aria-labelledby="their-games">
        <div className="section-head">
          <h2 id="their-games">Games</h2>
        </div>
        {games.length === 0 ? (
          <Empty>No games yet.</Empty>
        ) : (
          <div>
            {games.map((game) => (
              <Bout key={game.id} game={game} />
            ))}
          </div>
        )}
      </section>
    </div>
  );
}
