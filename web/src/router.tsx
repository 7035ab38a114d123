import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  lazyRouteComponent,
} from "@tanstack/react-router";
import { Shell } from "./shell/shell.tsx";
import { Failure, Nowhere } from "./ui/states.tsx";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => (
    <Nowhere title="No such page">Nothing is at this address. It may be mistyped, or never was.</Nowhere>
  ),
  errorComponent: PageFailure,
});
const getParentRoute = () => root;

function PageFailure({ error, reset }: ErrorComponentProps) {
  return <Failure error={error} onRetry={reset} />;
}

/** What an address may prefill; everything else in it is ignored. */
function texts<Key extends string>(keys: readonly Key[]) {
  return (search: Record<string, unknown>): { [K in Key]?: string } =>
    Object.fromEntries(
      keys.flatMap((key) => {
        const value = search[key];
        return typeof value === "string" && value !== "" && value.length <= 400 ? [[key, value]] : [];
      }),
    ) as { [K in Key]?: string };
}

const front = createRoute({
  getParentRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./screens/front.tsx")),
});
const play = createRoute({
  getParentRoute,
  path: "/play",
  validateSearch: texts(["to", "own", "their", "terms", "token"]),
  component: lazyRouteComponent(() => import("./screens/play.tsx")),
});
const deposit = createRoute({
  getParentRoute,
  path: "/deposit",
  validateSearch: texts(["amount", "token"]),
  component: lazyRouteComponent(() => import("./screens/deposit.tsx")),
});
const terms = createRoute({
  getParentRoute,
  path: "/terms",
  component: lazyRouteComponent(() => import("./screens/terms.tsx")),
});
const game = createRoute({
  getParentRoute,
  path: "/g/$id",
  component: lazyRouteComponent(() => import("./screens/game.tsx")),
});
const live = createRoute({
  getParentRoute,
  path: "/live/$room",
  component: lazyRouteComponent(() => import("./screens/live.tsx")),
});
const leaderboard = createRoute({
  getParentRoute,
  path: "/leaderboard",
  component: lazyRouteComponent(() => import("./screens/leaderboard.tsx")),
});
const player = createRoute({
  getParentRoute,
  path: "/p/$handle",
  component: lazyRouteComponent(() => import("./screens/player.tsx")),
});
const operator = createRoute({
  getParentRoute,
  path: "/operator",
  component: lazyRouteComponent(() => import("./screens/operator.tsx")),
});

export const router = createRouter({
  routeTree: root.addChildren([front, play, deposit, terms, game, live, leaderboard, player, operator]),
  defaultPreload: "intent",
  // Plain text on both sides: "10" in an address stays the text "10".
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const pairs = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
    return pairs.length === 0
      ? ""
      : `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString()}`;
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
