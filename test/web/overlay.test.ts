import { describe, expect, test } from "vitest";
import { defaultOverlayOptions, readOverlayOptions } from "../../web/src/overlay/options.ts";
import { type Scene, sceneAfter, sceneAtEnd, sceneOfSnapshot } from "../../web/src/overlay/scenes.ts";
import { takeToken } from "../../web/src/overlay/token.ts";
import { wordsOf } from "../../web/src/overlay/words.ts";
import { anna, event, game, live, payout, proposal } from "./samples.ts";

const nowMs = Date.parse("2029-12-31T00:00:00.000Z");
const shownAfter = (scene: Scene | null, ...events: ReturnType<typeof event>[]) =>
  events.reduce<Scene | null>((known, next) => sceneAfter(known, next, nowMs), scene);
const call = (scene: Scene | null) => (scene === null ? null : wordsOf(scene, { showsMoney: true }).call);
const mined = { ...game().escrow, funded: "mined" as const };

describe("what the overlay shows", () => {
  test("nothing happens: nothing is drawn", () => {
    expect(sceneOfSnapshot(live(), null, nowMs)).toBeNull();
  });

  test("the story of a wager, moment by moment", () => {
    const settled = game({ state: "settled", outcome: "red", payouts: [payout()], escrow: mined });
    const steps = [
      event("proposal:update", { proposal: proposal() }),
      event("proposal:update", { proposal: proposal({ id: "offer-2", parentId: "offer-1" }) }),
      event("game:update", { game: game() }),
      event("game:pool-update", { gameId: "game-1", escrow: mined }),
      event("game:update", { game: settled }),
      event("game:payout-sent", { gameId: "game-1", payout: payout({ state: "sent" }) }),
      event("game:payout-complete", { gameId: "game-1", payout: payout({ state: "final" }) }),
    ];
    let scene: Scene | null = null;
    const calls = steps.map((step) => {
      scene = sceneAfter(scene, step, nowMs);
      return call(scene);
    });
    expect(calls).toEqual(["Offer in", "Countered", "Taken", "Locked", "marcus won", "marcus won", "Paid"]);
  });

  test("a result that went to the pool is paid when its time is over, and then it is gone", () => {
    const pooled = payout({ to: "pool", state: "final", address: null });
    const settled = event("game:update", {
      game: game({ state: "settled", outcome: "red", payouts: [pooled] }),
    });
    const result = shownAfter(null, settled);
    if (result === null) throw new Error("a result is shown");
    const paid = sceneAtEnd(result, nowMs);
    expect(call(paid)).toBe("Paid");
    expect(paid && sceneAtEnd(paid, nowMs)).toBeNull();
  });

  test("a win that is still being sent isn't called paid", () => {
    const result = shownAfter(
      null,
      event("game:update", { game: game({ state: "settled", outcome: "red", payouts: [payout()] }) }),
    );
    expect(result && sceneAtEnd(result, nowMs)).toBeNull();
  });

  test("an offer doesn't interrupt a game, and one that is passed on leaves at once", () => {
    const locked = shownAfter(null, event("game:update", { game: game({ escrow: mined }) }));
    expect(call(shownAfter(locked, event("proposal:update", { proposal: proposal() })))).toBe("Locked");
    const offer = shownAfter(null, event("proposal:update", { proposal: proposal() }));
    const passed = event("proposal:update", { proposal: proposal({ state: "declined" }) });
    expect(shownAfter(offer, passed)).toBeNull();
  });

  test("after a reconnection the state of the room wins, and a result that is shown stays its time", () => {
    const offer = shownAfter(null, event("proposal:update", { proposal: proposal() }));
    expect(sceneOfSnapshot(live(), offer, nowMs)).toBeNull();
    const result: Scene = { kind: "result", game: game(), untilMs: nowMs + 1 };
    expect(sceneOfSnapshot(live(), result, nowMs)).toBe(result);
    expect(call(sceneOfSnapshot(live({ game: game({ escrow: mined }) }), result, nowMs))).toBe("Locked");
  });

  test("with money off no amount is in any word of it", () => {
    const scenes = [
      shownAfter(null, event("proposal:update", { proposal: proposal() })),
      shownAfter(null, event("game:update", { game: game({ escrow: mined }) })),
      shownAfter(
        null,
        event("game:update", { game: game({ state: "settled", outcome: "red", payouts: [payout()] }) }),
      ),
    ];
    for (const scene of scenes) {
      const words = scene && wordsOf(scene, { showsMoney: false });
      expect(words?.red.stake).toBe("83 %");
      expect(words?.blue.stake).toBe("17 %");
      expect(JSON.stringify(words)).not.toMatch(/\d\.\d\d|USDC/);
    }
  });

  test("a refund isn't called a win", () => {
    const refunded = shownAfter(
      null,
      event("game:update", { game: game({ state: "refunded", outcome: "no_contest" }) }),
    );
    expect(call(refunded)).toBe("Refunded");
  });

  test("an open offer names anyone as its taker", () => {
    const open = shownAfter(null, event("proposal:update", { proposal: proposal() }));
    expect(open && wordsOf(open, { showsMoney: true }).blue.name).toBe("Anyone");
    const named = shownAfter(null, event("proposal:update", { proposal: proposal({ taker: anna }) }));
    expect(named && wordsOf(named, { showsMoney: true }).blue.name).toBe("anna");
  });
});

describe("the overlay's address", () => {
  test("says how it is drawn; what is out of range is the default", () => {
    const read = (search: string) => readOverlayOptions(new URLSearchParams(search));
    expect(read("")).toEqual(defaultOverlayOptions);
    expect(read("side=left&safe=8&scale=1.5&money=off&delay=30")).toEqual({
      side: "left",
      safe: 8,
      scale: 1.5,
      showsMoney: false,
      delaySeconds: 30,
    });
    expect(read("side=middle&safe=99&scale=-1&delay=1e9")).toEqual(defaultOverlayOptions);
  });

  test("loses its token as soon as the page runs, and a reload still has it", () => {
    const stored = new Map<string, string>();
    let address = "http://localhost/overlay/marcus?token=secret&side=left";
    const page = {
      get location() {
        return { href: address };
      },
      history: {
        replaceState: (_state: unknown, _title: string, url: string) => {
          address = `http://localhost${url}`;
        },
      },
      sessionStorage: {
        getItem: (key: string) => stored.get(key) ?? null,
        setItem: (key: string, value: string) => void stored.set(key, value),
      },
    } as unknown as Parameters<typeof takeToken>[1];
    expect(takeToken("marcus", page)).toBe("secret");
    expect(address).toBe("http://localhost/overlay/marcus?side=left");
    expect(takeToken("marcus", page)).toBe("secret");
    expect(takeToken("anna", page)).toBeNull();
  });
});
