import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { listingsQuery } from "../api/queries.ts";
import type { Listings } from "../api/shapes.ts";
import { Bout } from "../games/bout.tsx";
import { useArena } from "../live/hooks.ts";
import { percent } from "../money/show.ts";
import { OfferCard } from "../offers/offer-card.tsx";
import { useConfig } from "../shell/use-me.ts";
import { buttonClass } from "../ui/button.tsx";
import { Corners } from "../ui/corners.tsx";
import { Empty, Loaded } from "../ui/states.tsx";

/** What it is, in one ticket; what is going on, live; one thing to do. */
export default function Front() {
  useArena();
  const listings = useQuery(listingsQuery);
  const rakeBps = useConfig()?.rakeBps;
  return (
    <div className="stack" style={{ gap: "2rem" }}>
      <section className="poster" aria-label="What this is">
        <div className="poster-words">
          <h1>
            <span className="text-red">My 50</span>
            <br />
            <span className="text-blue">to your 10.</span>
          </h1>
          <p style={{ fontSize: "1.25rem", maxWidth: "34rem" }}>
            Name your stake, name theirs, say what you play for. Both stakes go into a wallet on Base made for
            that one game, and come out to whoever wins.
          </p>
          <p>
            <Link className={buttonClass("ink", true)} to="/play">
              Make an offer
            </Link>
          </p>
        </div>
        <div className="ticket poster-ticket" aria-hidden="true">
          <div className="ticket-head">
            <span className="label">Specimen</span>
            <span className="label">5–1</span>
          </div>
          <Corners
            red={{ name: "You", handle: null, stake: "50.00" }}
            blue={{ name: "Marcus", handle: null, stake: "10.00" }}
          />
          <div className="ticket-body">
            <p className="terms">First to 21. Win by two.</p>
            <p className="smoke">
              Pot 60.00. House cut {rakeBps === undefined ? "––" : percent(rakeBps)}. Nobody reports: both
              stakes go back.
            </p>
          </div>
          <div className="ticket-stub">
            <span className="stamp stamp-red">Taken</span>
          </div>
        </div>
      </section>
      <Loaded query={listings} label="The card">
        {(card) => <Card card={card} />}
      </Loaded>
    </div>
  );
}

function Card({ card: { offers, games, settled } }: { card: Listings }) {
  return (
    <>
      <section className="stack" aria-labelledby="open-offers">
        <div className="section-head">
          <h2 id="open-offers">Open offers</h2>
          <span className="sum">{offers.length}</span>
        </div>
        {offers.length === 0 ? (
          <Empty>Nobody's talking yet. Say something.</Empty>
        ) : (
          <div className="cards">
            {offers.map((offer) => (
              <OfferCard key={offer.id} proposal={offer} />
            ))}
          </div>
        )}
      </section>
      <section className="stack" aria-labelledby="under-way">
        <div className="section-head">
          <h2 id="under-way">Under way</h2>
          <span className="sum">{games.length}</span>
        </div>
        {games.length === 0 ? (
          <Empty>No game is under way.</Empty>
        ) : (
          <div>
            {games.map((game) => (
              <Bout key={game.id} game={game} />
            ))}
          </div>
        )}
      </section>
      {settled.length === 0 ? null : (
        <section className="stack" aria-labelledby="just-paid">
          <div className="section-head">
            <h2 id="just-paid">Just paid</h2>
          </div>
          <div>
            {settled.map((game) => (
              <Bout key={game.id} game={game} />
            ))}
          </div>
        </section>
      )}
    </>
  );
}
