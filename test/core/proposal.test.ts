import { describe, expect, test } from "vitest";
import {
  decideProposal,
  type ProposalCommand,
  type ProposalState,
  type ProposalStatus,
} from "../../engine/core/proposal.ts";
import { ada, ben, minuteMs, nowMs, rita, sampleProposal, stranger } from "./sample.ts";

const statuses: ProposalStatus[] = ["pending", "accepted", "countered", "declined", "cancelled", "expired"];
const actors = { proposer: ada, taker: ben, referee: rita, stranger };
type Actor = keyof typeof actors;
const answers = ["accept", "counter", "decline", "cancel", "expire"] as const;
type Answer = (typeof answers)[number];

const command = (type: Answer, by: string): ProposalCommand => {
  if (type === "expire") return { type };
  if (type === "accept") return { type, by, gameId: "g", root: null };
  if (type !== "counter") return { type, by };
  return {
    type,
    by,
    proposalId: "c",
    proposerStake: 20_000_000n,
    takerStake: 40_000_000n,
    terms: "First to 11",
    expiresAtMs: nowMs + 20 * minuteMs,
  };
};
const verdict = (state: ProposalState, what: ProposalCommand, atMs = nowMs) => {
  const decision = decideProposal(state, what, atMs);
  return decision.ok ? `ok: ${decision.state.status}` : decision.rejection.code;
};
const changed = (state: ProposalState | null, what: ProposalCommand, atMs = nowMs) => {
  const decision = decideProposal(state, what, atMs);
  if (!decision.ok) throw new Error(decision.rejection.code);
  return decision;
};
const moves = (decision: ReturnType<typeof changed>) =>
  decision.transfers.map(({ reason, from, to, amount, key }) => [
    reason,
    "playerId" in from ? from.playerId : from.kind,
    to.kind,
    amount,
    key,
  ]);

/** Who may do what, in words of its own, independent of the code. */
function expected(
  status: ProposalStatus,
  isOpen: boolean,
  type: Answer,
  actor: Actor,
  lapsed: boolean,
): string {
  if (type === "expire") {
    if (status !== "pending") return "proposal_not_pending";
    return lapsed ? "ok: expired" : "proposal_not_due";
  }
  // An open offer that was taken bears a name from then on.
  const isNamed = !isOpen || status === "accepted";
  const isAskedFor = isNamed ? actor === "taker" : actor !== "proposer" && type !== "decline";
  const mayAsk = type === "cancel" ? actor === "proposer" : isAskedFor;
  // Late for something that somebody else took isn't the same as not being asked.
  const isLate = status === "accepted" && (type === "accept" || type === "counter") && actor !== "proposer";
  if (!mayAsk && !isLate) return "not_allowed";
  if (status !== "pending") return "proposal_not_pending";
  if (lapsed) return "proposal_expired";
  if (actor === "referee") return "referee_is_player";
  if (type === "accept") return "ok: accepted";
  if (type === "counter") return isOpen ? "ok: pending" : "ok: countered";
  return type === "decline" ? "ok: declined" : "ok: cancelled";
}

describe.each(statuses)("when an offer is %s", (status) => {
  describe.each(answers)("%s", (type) => {
    test.each(Object.keys(actors) as Actor[])(
      "by the %s does what the rules say, before and after its clock",
      (actor) => {
        for (const isOpen of [true, false]) {
          // An open offer that was taken bears the name of whoever took it.
          const takerId = isOpen && status !== "accepted" ? null : ben;
          const state = sampleProposal({ status, takerId, refereeId: rita });
          for (const [lapsed, atMs] of [
            [false, nowMs],
            [false, state.expiresAtMs - 1],
            [true, state.expiresAtMs],
            [true, state.expiresAtMs + 1],
          ] as const) {
            // The counter's own lapse is measured from when it is made.
            const what = command(type, actors[actor]);
            const asked = "expiresAtMs" in what ? { ...what, expiresAtMs: atMs + minuteMs } : what;
            expect(verdict(state, asked, atMs), `open: ${isOpen}, lapsed: ${lapsed}`).toBe(
              expected(status, isOpen, type, actor, lapsed),
            );
          }
        }
      },
    );
  });
});

const offer = {
  type: "propose",
  by: ada,
  proposalId: "p",
  takerId: ben,
  token: sampleProposal().token,
  proposerStake: 50_000_000n,
  takerStake: 10_000_000n,
  terms: "First to 21",
  refereeId: null,
  expectedMinutes: 60,
  rakeBps: 500,
  expiresAtMs: nowMs + 10 * minuteMs,
} as const satisfies ProposalCommand;

describe("an offer", () => {
  test("holds the proposer's stake and no more", () => {
    const made = changed(null, offer);
    expect(made.state).toEqual(sampleProposal());
    expect(moves(made)).toEqual([["hold", ada, "player.held", 50_000_000n, "proposal:p:hold"]]);
    expect(made.events).toEqual([{ type: "proposed", proposalId: "p", by: ada, takerId: ben }]);
    expect([made.created, made.superseded]).toEqual([null, null]);
  });

  test("to anyone names nobody", () => {
    expect(changed(null, { ...offer, takerId: null }).state.takerId).toBeNull();
  });

  test("keeps its words as they were typed, without the space around them", () => {
    expect(changed(null, { ...offer, terms: "  First to 21 ❤️ " }).state.terms).toBe("First to 21 ❤️");
  });

  test.each<[string, string, Partial<Record<keyof typeof offer, unknown>>]>([
    ["no stake of its own", "amount_not_positive", { proposerStake: 0n }],
    ["no stake of the other", "amount_not_positive", { takerStake: 0n }],
    ["a negative stake", "amount_not_positive", { takerStake: -1n }],
    ["a stake that no token holds", "amount_too_large", { proposerStake: 2n ** 256n }],
    ["another's stake that no token holds", "amount_too_large", { takerStake: 2n ** 256n }],
    ["a pot that no token holds", "amount_too_large", { proposerStake: 2n ** 255n, takerStake: 2n ** 255n }],
    ["no words", "terms_invalid", { terms: " \n" }],
    ["281 characters", "terms_invalid", { terms: "x".repeat(281) }],
    ["hidden characters", "terms_invalid", { terms: "First to 21\u202e" }],
    ["two lines", "terms_invalid", { terms: "First\nto 21" }],
    ["itself as opponent", "opponent_is_self", { takerId: ada }],
    ["its proposer as referee", "referee_is_player", { refereeId: ada }],
    ["its taker as referee", "referee_is_player", { refereeId: ben }],
    ["less than a minute", "lapse_out_of_range", { expiresAtMs: nowMs + minuteMs - 1 }],
    ["more than seven days", "lapse_out_of_range", { expiresAtMs: nowMs + 7 * 24 * 60 * minuteMs + 1 }],
    ["an end in the past", "lapse_out_of_range", { expiresAtMs: nowMs - minuteMs }],
  ])("with %s isn't made", (_, code, change) => {
    const decision = decideProposal(null, { ...offer, ...change } as ProposalCommand, nowMs);
    expect(decision.ok ? "ok" : decision.rejection.code).toBe(code);
    expect(!decision.ok && decision.rejection.field, "the field at fault is named").toBeTruthy();
  });

  test("with one stake that is too large names that one", () => {
    const decision = decideProposal(null, { ...offer, proposerStake: 2n ** 256n }, nowMs);
    expect(decision.ok ? "ok" : decision.rejection.field).toBe("proposerStake");
  });

  test.each([
    { takerStake: 1n, proposerStake: 1n },
    { proposerStake: 2n ** 256n - 2n, takerStake: 1n },
    { terms: "x" },
    { terms: "🏓".repeat(280) },
    { expiresAtMs: nowMs + minuteMs },
    { expiresAtMs: nowMs + 7 * 24 * 60 * minuteMs },
    { takerId: null, refereeId: rita },
    { rakeBps: 0 },
    { rakeBps: 10_000 },
    { expectedMinutes: 1 },
    { expectedMinutes: 10_080 },
  ])("just within the limits is made: %o", (change) => {
    expect(changed(null, { ...offer, ...change }).state.status).toBe("pending");
  });

  test.each<Partial<Record<keyof typeof offer, unknown>>>([
    { rakeBps: -1 },
    { rakeBps: 10_001 },
    { rakeBps: 0.5 },
    { expectedMinutes: 0 },
    { expectedMinutes: 10_081 },
    { expectedMinutes: 1.5 },
    { expiresAtMs: Number.NaN },
    { token: "0xABC" },
  ])("made of what the server got wrong throws: %o", (change) => {
    expect(() => decideProposal(null, { ...offer, ...change } as ProposalCommand, nowMs)).toThrow(
      "Broken promise",
    );
  });

  test("is made once and answered only when it is there", () => {
    expect(() => decideProposal(sampleProposal(), offer, nowMs)).toThrow("once");
    expect(() => decideProposal(null, { type: "cancel", by: ada }, nowMs)).toThrow("there is a proposal");
    expect(() => decideProposal(sampleProposal(), { type: "expire" }, Number.NaN)).toThrow("time");
  });
});

describe("taking an offer", () => {
  test("holds the taker's stake and captures both: red is the proposer, blue the taker", () => {
    const taken = changed(sampleProposal(), command("accept", ben));
    expect(taken.state).toEqual(sampleProposal({ status: "accepted" }));
    expect(moves(taken)).toEqual([
      ["hold", ben, "player.held", 10_000_000n, "proposal:p:take"],
      ["capture", ada, "escrow.stakes", 50_000_000n, "game:g:capture:red"],
      ["capture", ben, "escrow.stakes", 10_000_000n, "game:g:capture:blue"],
    ]);
    expect(taken.events).toEqual([{ type: "accepted", proposalId: "p", by: ben, gameId: "g" }]);
  });

  test("an open offer is its taker's from then on", () => {
    const taken = changed(sampleProposal({ takerId: null }), command("accept", stranger));
    expect(taken.state).toMatchObject({ takerId: stranger, status: "accepted" });
    expect(taken.transfers.at(0)?.from).toEqual({ kind: "player.available", playerId: stranger });
  });
});

describe.each([
  ["decline", ben, "declined"],
  ["cancel", ada, "cancelled"],
  ["expire", null, "expired"],
] as const)("%s", (type, by, status) => {
  test("gives the proposer's hold back, and nothing else moves", () => {
    const atMs = type === "expire" ? sampleProposal().expiresAtMs : nowMs;
    const ended = changed(sampleProposal(), command(type, by ?? ""), atMs);
    expect(ended.state).toEqual(sampleProposal({ status }));
    expect(moves(ended)).toEqual([["release", ada, "player.available", 50_000_000n, "proposal:p:release"]]);
    expect(ended.events).toEqual([{ type: status, proposalId: "p", ...(by === null ? {} : { by }) }]);
  });
});

describe("a counter", () => {
  test("to a named offer ends it, turns the table and holds the other stake", () => {
    const countered = changed(sampleProposal({ refereeId: rita }), command("counter", ben));
    expect(countered.state.status).toBe("countered");
    expect(countered.created).toEqual(
      sampleProposal({
        id: "c",
        parentId: "p",
        rootId: "p",
        proposerId: ben,
        takerId: ada,
        proposerStake: 20_000_000n,
        takerStake: 40_000_000n,
        terms: "First to 11",
        refereeId: rita,
        expiresAtMs: nowMs + 20 * minuteMs,
      }),
    );
    expect(moves(countered)).toEqual([
      ["release", ada, "player.available", 50_000_000n, "proposal:p:release"],
      ["hold", ben, "player.held", 20_000_000n, "proposal:c:hold"],
    ]);
    expect(countered.events).toEqual([{ type: "countered", proposalId: "p", by: ben, counterId: "c" }]);
  });

  test("to an open offer leaves it standing, so that no stranger can knock it out", () => {
    const open = sampleProposal({ takerId: null });
    const countered = changed(open, command("counter", stranger));
    expect(countered.state).toEqual(open);
    expect(countered.created).toMatchObject({ proposerId: stranger, takerId: ada, parentId: "p" });
    expect(moves(countered)).toEqual([["hold", stranger, "player.held", 20_000_000n, "proposal:c:hold"]]);
  });

  test.each([
    [{ proposerStake: 0n }, "amount_not_positive"],
    [{ takerStake: 0n }, "amount_not_positive"],
    [{ terms: "" }, "terms_invalid"],
    [{ expiresAtMs: nowMs }, "lapse_out_of_range"],
  ])("is held to the same rules as an offer: %o", (change, code) => {
    const what = { ...command("counter", ben), ...change } as ProposalCommand;
    expect(verdict(sampleProposal(), what)).toBe(code);
  });

  const open = sampleProposal({ takerId: null, proposerStake: 30_000_000n });
  const counterOffer = changed(open, command("counter", ben)).created ?? sampleProposal();

  test("to an open offer, once taken, ends the open offer first, so that its stake is free again", () => {
    const taken = changed(counterOffer, { type: "accept", by: ada, gameId: "g", root: open });
    expect(taken.superseded).toEqual({ ...open, status: "countered" });
    expect(moves(taken)).toEqual([
      ["release", ada, "player.available", 30_000_000n, "proposal:p:release"],
      ["hold", ada, "player.held", 40_000_000n, "proposal:c:take"],
      ["capture", ben, "escrow.stakes", 20_000_000n, "game:g:capture:red"],
      ["capture", ada, "escrow.stakes", 40_000_000n, "game:g:capture:blue"],
    ]);
    expect(taken.events.map(({ type }) => type)).toEqual(["accepted", "superseded"]);
  });

  test.each(statuses.filter((status) => status !== "pending"))(
    "leaves an open offer alone that is %s already",
    (status) => {
      const taken = changed(counterOffer, {
        type: "accept",
        by: ada,
        gameId: "g",
        root: { ...open, status },
      });
      expect(taken.superseded).toBeNull();
      expect(taken.transfers.map(({ reason }) => reason)).toEqual(["hold", "capture", "capture"]);
    },
  );

  test("leaves a named offer at the root alone: that one ended when it was countered", () => {
    const root = sampleProposal({ id: "p" });
    const taken = changed(counterOffer, { type: "accept", by: ada, gameId: "g", root });
    expect(taken.superseded).toBeNull();
  });

  test("can't be taken without its root, nor with another one", () => {
    const take = (root: ProposalState | null) =>
      decideProposal(counterOffer, { type: "accept", by: ada, gameId: "g", root }, nowMs);
    expect(() => take(null)).toThrow("root");
    expect(() => take(sampleProposal({ id: "q", takerId: null }))).toThrow("root");
  });
});
