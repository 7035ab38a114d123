/** A scene in words, without any drawing. */
import type { Money } from "../../../engine/contract/primitives.ts";
import type { Game } from "../../../engine/contract/wager.ts";
import { oddsOf } from "../../../engine/core/money.ts";
import { short } from "../money/show.ts";
import type { Scene } from "./scenes.ts";

export interface SceneWords {
  /** The loud word: OFFER, COUNTER, TAKEN, LOCKED, or who won. */
  call: string;
  red: { name: string; stake: string };
  blue: { name: string; stake: string };
  terms: string;
  /** "5–1". */
  odds: string;
  /** The pot or what is paid; empty when amounts are off. */
  board: string;
  isWin: boolean;
}

export function wordsOf(scene: Scene, { showsMoney }: { showsMoney: boolean }): SceneWords {
  const sides =
    "game" in scene
      ? {
          red: { name: scene.game.red.player.handle, stake: scene.game.red.stake },
          blue: { name: scene.game.blue.player.handle, stake: scene.game.blue.stake },
        }
      : {
          red: { name: scene.proposal.proposer.handle, stake: scene.proposal.proposerStake },
          blue: { name: scene.proposal.taker?.handle ?? "Anyone", stake: scene.proposal.takerStake },
        };
  const [red, blue] = [BigInt(sides.red.stake.amount), BigInt(sides.blue.stake.amount)];
  const shareOfRed = Number((red * 100n + (red + blue) / 2n) / (red + blue));
  const stake = (money: Money, share: number) => (showsMoney ? short(money) : `${share} %`);
  return {
    call: callOf(scene),
    red: { name: sides.red.name, stake: stake(sides.red.stake, shareOfRed) },
    blue: { name: sides.blue.name, stake: stake(sides.blue.stake, 100 - shareOfRed) },
    terms: "game" in scene ? scene.game.terms : scene.proposal.terms,
    odds: oddsOf(red, blue),
    board: showsMoney ? boardOf(scene) : "",
    isWin: scene.kind === "result" || scene.kind === "paid",
  };
}

function callOf(scene: Scene): string {
  switch (scene.kind) {
    case "offer":
      return "Offer in";
    case "countered":
      return "Countered";
    case "taken":
      return "Taken";
    case "locked":
      return scene.game.state === "disputed" ? "Locked, disputed" : "Locked";
    case "result":
      return resultOf(scene.game);
    case "paid":
      return "Paid";
  }
}

function resultOf({ outcome, red, blue, state }: Game): string {
  if (state === "refunded") return "Refunded";
  if (outcome === "red" || outcome === "blue") return `${(outcome === "red" ? red : blue).player.handle} won`;
  return outcome === "draw" ? "A draw" : "No contest";
}

function boardOf(scene: Scene): string {
  if (!("game" in scene)) return "";
  const { game } = scene;
  if (scene.kind !== "paid") return `Pot ${short(game.pot)} ${game.pot.symbol}`;
  const winner = game.outcome === "red" || game.outcome === "blue" ? game[game.outcome].player.id : null;
  const paid = game.payouts.find(({ player }) => player.id === winner) ?? game.payouts[0];
  return paid === undefined ? "" : `${short(paid.money)} ${paid.money.symbol} to ${paid.player.handle}`;
}
