/** What the overlay shows, as a function of what has happened. Pure: the time comes in. */
import type { BatchedEvent } from "../../../engine/contract/events.ts";
import type { Game, LiveRoom, Payout, Proposal } from "../../../engine/contract/wager.ts";
import { upserted } from "../live/patches.ts";

export type Scene =
  | { kind: "offer" | "countered"; proposal: Proposal; untilMs: number }
  /** A game under way: `taken` until its pot is in the wallet, then `locked`. */
  | { kind: "taken" | "locked"; game: Game; untilMs: null }
  | { kind: "result" | "paid"; game: Game; untilMs: number };

const offerForMs = 20_000;
const resultForMs = 8_000;
const paidForMs = 10_000;

export function sceneOfSnapshot(live: LiveRoom, scene: Scene | null, nowMs: number): Scene | null {
  if (live.game !== null && isUnderWay(live.game)) return sceneUnderWay(live.game);
  if (scene !== null && (scene.kind === "result" || scene.kind === "paid")) return scene;
  return live.offer !== null && live.offer.state === "pending" ? sceneOfOffer(live.offer, nowMs) : null;
}

/** The scene after an event. A result waits for nothing, an offer doesn't interrupt a game. */
export function sceneAfter(scene: Scene | null, event: BatchedEvent, nowMs: number): Scene | null {
  switch (event.name) {
    case "proposal:update":
      return afterProposal(scene, event.data.proposal, nowMs);
    case "game:update":
      return afterGame(scene, event.data.game, nowMs);
    case "game:pool-update": {
      const { gameId, escrow } = event.data;
      if (scene === null || !("game" in scene) || scene.game.id !== gameId) return scene;
      const game = { ...scene.game, escrow };
      return scene.untilMs === null ? sceneUnderWay(game) : { ...scene, game };
    }
    case "game:payout-sent":
      return withPayout(scene, event.data, scene?.kind === "paid" ? "paid" : "result", nowMs);
    case "game:payout-complete":
      return withPayout(scene, event.data, "paid", nowMs);
    default:
      return scene;
  }
}

/** What follows when a scene's time is over: a result whose money is there is paid, everything else ends. */
export function sceneAtEnd(scene: Scene, nowMs: number): Scene | null {
  if (scene.kind !== "result") return null;
  const isThere = scene.game.payouts.some(({ state }) => state === "final");
  return isThere ? { kind: "paid", game: scene.game, untilMs: nowMs + paidForMs } : null;
}

function afterProposal(scene: Scene | null, proposal: Proposal, nowMs: number): Scene | null {
  if (scene !== null && "game" in scene && scene.untilMs === null) return scene;
  if (proposal.state === "pending") return sceneOfOffer(proposal, nowMs);
  const isShown = scene !== null && "proposal" in scene && scene.proposal.id === proposal.id;
  // A counter or a game follows at once; only what ends in nothing clears the screen.
  const endsInNothing =
    proposal.state === "declined" || proposal.state === "cancelled" || proposal.state === "expired";
  return isShown && endsInNothing ? null : scene;
}

function afterGame(scene: Scene | null, game: Game, nowMs: number): Scene | null {
  if (isUnderWay(game)) return sceneUnderWay(game);
  const isKnown = scene !== null && "game" in scene && scene.game.id === game.id;
  if (isKnown && (scene.kind === "result" || scene.kind === "paid")) return { ...scene, game };
  return { kind: "result", game, untilMs: nowMs + resultForMs };
}

function withPayout(
  scene: Scene | null,
  { gameId, payout }: { gameId: string; payout: Payout },
  kind: "result" | "paid",
  nowMs: number,
): Scene | null {
  if (scene === null || !("game" in scene) || scene.game.id !== gameId) return scene;
  const game = { ...scene.game, payouts: upserted(scene.game.payouts, payout) };
  if (scene.untilMs === null) return { ...scene, game };
  return kind === "paid" && scene.kind !== "paid"
    ? { kind, game, untilMs: nowMs + paidForMs }
    : { ...scene, game };
}

const isUnderWay = ({ state }: Game): boolean =>
  state === "playing" || state === "reported" || state === "disputed";

function sceneUnderWay(game: Game): Scene {
  const isLocked = game.escrow.funded === "mined" || game.escrow.funded === "final";
  return { kind: isLocked ? "locked" : "taken", game, untilMs: null };
}

function sceneOfOffer(proposal: Proposal, nowMs: number): Scene | null {
  const untilMs = Math.min(Date.parse(proposal.expiresAt), nowMs + offerForMs);
  if (untilMs <= nowMs) return null;
  return { kind: proposal.parentId === null ? "offer" : "countered", proposal, untilMs };
}
