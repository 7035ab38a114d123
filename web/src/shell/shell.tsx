import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useSyncExternalStore } from "react";
import { useOwnRoom, useStale } from "../live/hooks.ts";
import { news } from "../live/news.ts";
import { useWaiting } from "../live/waiting.ts";
import { percent } from "../money/show.ts";
import { ask, gates } from "./gates.ts";
import { Tote } from "./tote.tsx";
import { useConfig, useMe } from "./use-me.ts";

const GateDialogs = lazy(() => import("./gate-dialogs.tsx"));

/** What is around every screen: the masthead, the three numbers, the strip, the news, the small print. */
export function Shell() {
  const me = useMe();
  const config = useConfig();
  const isStale = useStale();
  useOwnRoom(me?.id ?? null);
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="masthead">
        <Link to="/" className="masthead-name">
          On the Rail
        </Link>
        <nav className="masthead-nav" aria-label="Main">
          <Link to="/play" className="masthead-item">
            Play{me ? <WaitingCount playerId={me.id} /> : null}
          </Link>
          <Link to="/deposit" className="masthead-item">
            Deposit
          </Link>
          <Link to="/leaderboard" className="masthead-item">
            Leaderboard
          </Link>
          {me?.operator ? (
            <Link to="/operator" className="masthead-item">
              Operator
            </Link>
          ) : null}
        </nav>
        {me ? (
          <Link
            to="/p/$handle"
            params={{ handle: "me" }}
            className="masthead-item masthead-who"
            title={me.handle}
          >
            <span>{me.handle}</span>
          </Link>
        ) : (
          <button type="button" className="masthead-item masthead-who" onClick={() => void ask("sign_in")}>
            Sign in
          </button>
        )}
      </header>
      {me ? <Tote me={me} /> : null}
      {isStale ? (
        <p className="strip" role="alert">
          Numbers may be old. Reconnecting.
        </p>
      ) : null}
      <Main />
      <Ticker />
      <Gates />
      <footer className="page" style={{ paddingTop: 0 }}>
        <hr className="rail" />
        <p className="row smoke" style={{ justifyContent: "space-between" }}>
          <span>
            House cut {config === undefined ? "––" : percent(config.rakeBps)} of a pot that is won. Refunds
            are free. 18 and over.
          </span>
          <Link className="link link-row" to="/terms">
            Terms and questions
          </Link>
        </p>
      </footer>
    </>
  );
}

/** How many offers and reports wait for the player's answer. */
function WaitingCount({ playerId }: { playerId: string }) {
  const { offers, games } = useWaiting(playerId);
  const count = offers.length + games.length;
  if (count === 0) return null;
  return (
    <>
      <span className="masthead-count" aria-hidden="true">
        {count}
      </span>
      <span className="sr-only">, {count} for you to answer</span>
    </>
  );
}

/** The page itself takes the focus when the address changes, so that keyboards and readers start at its top. */
function Main() {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const main = useRef<HTMLElement>(null);
  const lastPath = useRef(path);
  useEffect(() => {
    if (lastPath.current === path) return;
    lastPath.current = path;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [path]);
  return (
    <main className="page" id="main" tabIndex={-1} ref={main} style={{ outline: "none" }}>
      <Outlet />
    </main>
  );
}

/** The same stands in the history, so that nobody has to be quick. */
const newsForMs = 12_000;
const questionForMs = 45_000;

/** Says when money has moved, or will unless the player answers; and nothing else. */
function Ticker() {
  const line = useSyncExternalStore(news.subscribe, news.line);
  useEffect(() => {
    if (line === null) return;
    const timer = setTimeout(() => news.dismiss(), line.asks ? questionForMs : newsForMs);
    return () => clearTimeout(timer);
  }, [line]);
  return (
    <div
      className={`ticker ${line?.asks ? "ticker-asks" : "on-ink"}`}
      role="status"
      aria-label="News of your money"
    >
      {line === null ? null : (
        <>
          <span key={line.key}>{line.text}</span>
          <span className="ticker-moves">
            {line.link === null ? null : (
              <Link {...line.link} onClick={() => news.dismiss()}>
                {line.asks ? "Answer" : "Look"}
              </Link>
            )}
            <button type="button" onClick={() => news.dismiss()}>
              Fine
            </button>
          </span>
        </>
      )}
    </div>
  );
}

function Gates() {
  const open = useSyncExternalStore(gates.subscribe, gates.current);
  if (open === null) return null;
  return (
    <Suspense fallback={null}>
      <GateDialogs />
    </Suspense>
  );
}
