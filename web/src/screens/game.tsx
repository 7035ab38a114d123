import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { Game } from "../../../engine/contract/wager.ts";
import { oddsOf } from "../../../engine/core/money.ts";
import { gameQuery } from "../api/queries.ts";
import { Again } from "../games/again.tsx";
import { DecideForm } from "../games/decide-form.tsx";
import { EvidenceForm, EvidenceList } from "../games/dispute-panel.tsx";
import { Deadline, DisputeWords, EscrowWords, Result } from "../games/game-state.tsx";
import { PotBoard } from "../games/pot-board.tsx";
import { Receipt } from "../games/receipt.tsx";
import { ReportPanel } from "../games/report-panel.tsx";
import { outcomeSaid, sideOfPlayer, stateSaid } from "../games/said.ts";
import { useGameRoom } from "../live/hooks.ts";
import { exact, percent } from "../money/show.ts";
import { TakeBack } from "../operator/take-back.tsx";
import { useMe } from "../shell/use-me.ts";
import { Moment } from "../time/clock.tsx";
import { AddressBlocks, OnChain } from "../ui/address.tsx";
import { Corners } from "../ui/corners.tsx";
import { Figures } from "../ui/figures.tsx";
import { isOfNothing, Loaded, Nowhere } from "../ui/states.tsx";

const route = getRouteApi("/g/$id");

export default function GameScreen() {
  const { id } = route.useParams();
  useGameRoom(id);
  const game = useQuery(gameQuery(id));
  if (game.data === undefined && isOfNothing(game.error))
    return <Nowhere title="There is no such game">Its link may be cut short. Ask for it again.</Nowhere>;
  return (
    <Loaded query={game} label="The game" isPage>
      {(loaded) => <Room game={loaded} />}
    </Loaded>
  );
}

function Room({ game }: { game: Game }) {
  const me = useMe();
  const side = sideOfPlayer(game, me?.id ?? null);
  const isOpen = game.state === "playing" || game.state === "reported" || game.state === "disputed";
  const isReferee = me !== null && me !== undefined && game.referee?.id === me.id;
  const { red, blue } = game;
  const [own, their] = [BigInt(red.stake.amount), BigInt(blue.stake.amount)];
  return (
    <div className="stack" style={{ gap: "1.5rem" }}>
      <h1 className="sr-only">
        {red.player.handle} against {blue.player.handle}
      </h1>
      <article className="ticket" aria-label="The game">
        <div className="ticket-head">
          <span className="label">{stateSaid(game)}</span>
          <span className="label">
            {oddsOf(own, their)} · {game.pot.symbol}
          </span>
        </div>
        <Corners
          big
          red={{
            name: red.player.handle,
            handle: red.player.handle,
            stake: exact(red.stake),
            note: red.report && `Says: ${outcomeSaid(game, red.report)}`,
          }}
          blue={{
            name: blue.player.handle,
            handle: blue.player.handle,
            stake: exact(blue.stake),
            note: blue.report && `Says: ${outcomeSaid(game, blue.report)}`,
          }}
        />
        <PotBoard game={game} />
        <div className="ticket-body">
          <p className="terms">{game.terms}</p>
        </div>
        <section className="ticket-stub stack" aria-label="What happens now">
          {game.state === "disputed" ? <DisputeWords game={game} side={side} /> : null}
          {side !== null && isOpen ? <ReportPanel game={game} side={side} /> : null}
          {isOpen ? <Deadline game={game} /> : <Result game={game} side={side} />}
          {me?.operator && side === null ? <TakeBack game={game} /> : null}
          {side === null || isOpen ? null : <Again game={game} side={side} />}
        </section>
      </article>
      {isReferee && game.state === "disputed" ? (
        <section className="box box-pad stack">
          <h2>You are the referee</h2>
          <DecideForm game={game} route="decideGame" />
        </section>
      ) : null}
      {game.state === "disputed" || game.evidence.length > 0 ? (
        <section className="box box-pad stack" aria-labelledby="evidence">
          <h2 id="evidence">Evidence</h2>
          <EvidenceList evidence={game.evidence} />
          {side !== null && (game.state === "disputed" || game.state === "reported") ? (
            <EvidenceForm game={game} />
          ) : null}
        </section>
      ) : null}
      {isOpen ? null : <Receipt game={game} />}
      <Money game={game} />
    </div>
  );
}

function Money({ game }: { game: Game }) {
  const { escrow } = game;
  return (
    <section className="stack" aria-labelledby="the-money">
      <div className="section-head">
        <h2 id="the-money">The money</h2>
        <Link className="link link-row" to="/live/$room" params={{ room: game.id }}>
          Live page
        </Link>
      </div>
      <Figures
        lines={[
          { label: "House cut", value: percent(game.rakeBps) },
          { label: "Played in", value: game.pot.symbol },
          { label: "Started", value: <Moment at={game.startedAt} /> },
          { label: "Referee", value: game.referee?.handle ?? "The house" },
        ]}
      />
      <div className="box box-pad stack">
        <p className="label">Wallet of this game</p>
        <AddressBlocks address={escrow.address} />
        <EscrowWords game={game} />
        <p>
          <OnChain kind="address" value={escrow.address} label="See it on the explorer" />
        </p>
      </div>
    </section>
  );
}
