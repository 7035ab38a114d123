import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { LiveRoom } from "../../../engine/contract/wager.ts";
import { oddsOf } from "../../../engine/core/money.ts";
import { liveQuery } from "../api/queries.ts";
import { Deadline, Result } from "../games/game-state.tsx";
import { PotBoard } from "../games/pot-board.tsx";
import { outcomeSaid, stateSaid } from "../games/said.ts";
import { useLiveRoom } from "../live/hooks.ts";
import { paysAbout } from "../money/pays.ts";
import { exact } from "../money/show.ts";
import { OfferCard } from "../offers/offer-card.tsx";
import { Corners } from "../ui/corners.tsx";
import { Qr } from "../ui/qr.tsx";
import { Empty, Loaded } from "../ui/states.tsx";

const route = getRouteApi("/live/$room");

/** For whoever watches: no sign-in, big names, the pot, the clock, and a code to join in. */
export default function LiveScreen() {
  const { room } = route.useParams();
  const live = useQuery(liveQuery(room));
  useLiveRoom({ name: room, room: live.data?.room ?? null });
  return (
    <div className="stack" style={{ gap: "1.5rem" }}>
      <Loaded query={live} label="Live" isPage>
        {(loaded) => <Room live={loaded} />}
      </Loaded>
    </div>
  );
}

function Room({ live: { player, offer, game } }: { live: LiveRoom }) {
  const handle = player?.handle ?? null;
  return (
    <>
      <h1>{handle ?? (game === null ? "Live" : `${game.red.player.handle} v ${game.blue.player.handle}`)}</h1>
      {game === null ? null : <LiveGame game={game} />}
      {offer === null ? null : (
        <section className="stack" aria-labelledby="on-the-table">
          <div className="section-head">
            <h2 id="on-the-table">On the table</h2>
          </div>
          <OfferCard key={offer.id} proposal={offer} />
        </section>
      )}
      {game === null && offer === null ? (
        <Empty>
          Nothing is on the table. The next offer {handle === null ? "" : `of ${handle} `}shows up here by
          itself.
        </Empty>
      ) : null}
      <section className="box box-pad row" aria-label="Join in">
        <Qr text={joinUrl(handle)} label="QR code of the page to join" />
        <div className="stack">
          <h2>Join in</h2>
          <p>
            {handle === null ? (
              <Link className="link link-row" to="/play">
                Make an offer of your own
              </Link>
            ) : (
              <Link className="link link-row" to="/play" search={{ to: handle }}>
                Call out {handle}
              </Link>
            )}
          </p>
        </div>
      </section>
    </>
  );
}

const joinUrl = (handle: string | null): string =>
  `${location.origin}/play${handle === null ? "" : `?to=${encodeURIComponent(handle)}`}`;

function LiveGame({ game }: { game: NonNullable<LiveRoom["game"]> }) {
  const { red, blue } = game;
  const isOpen = game.deadline !== null;
  return (
    <article className="ticket" aria-label={`${red.player.handle} against ${blue.player.handle}`}>
      <div className="ticket-head">
        <span className="label">{stateSaid(game)}</span>
        <span className="label">{oddsOf(BigInt(red.stake.amount), BigInt(blue.stake.amount))}</span>
      </div>
      <Corners
        big
        red={{
          name: red.player.handle,
          handle: red.player.handle,
          stake: exact(red.stake),
          note: red.report ? `Says: ${outcomeSaid(game, red.report)}` : `pays about ${paysAbout(red)}`,
        }}
        blue={{
          name: blue.player.handle,
          handle: blue.player.handle,
          stake: exact(blue.stake),
          note: blue.report ? `Says: ${outcomeSaid(game, blue.report)}` : `pays about ${paysAbout(blue)}`,
        }}
      />
      <PotBoard game={game} />
      <div className="ticket-body">
        <p className="terms">{game.terms}</p>
      </div>
      <div className="ticket-stub">
        {isOpen ? <Deadline game={game} /> : <Result game={game} side={null} />}
        <Link className="link link-row" to="/g/$id" params={{ id: game.id }}>
          To the game
        </Link>
      </div>
    </article>
  );
}
