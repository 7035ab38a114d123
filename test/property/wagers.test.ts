import fc from "fast-check";
import { expect, test } from "vitest";
import {
  deadlineOf,
  decideGame,
  defaultGameClocks,
  type GameCommand,
  type GameState,
  startGame,
} from "../../engine/core/game.ts";
import { accountKey, checkTransfer, type PlannedTransfer } from "../../engine/core/ledger.ts";
import { decideProposal, type ProposalCommand, type ProposalState } from "../../engine/core/proposal.ts";
import { minuteMs, nowMs, token } from "../core/sample.ts";

/** The books in memory, as strict as the real ones: no account below zero but `outside`, no key twice. */
class Books {
  readonly balances = new Map<string, bigint>();
  readonly keys = new Set<string>();

  give(playerId: string, amount: bigint): void {
    this.balances.set(`player.available:${playerId}`, amount);
  }

  /** Books all or nothing, as one database transaction does; false when somebody hasn't got the money. */
  book(transfers: PlannedTransfer[]): boolean {
    const after = new Map(this.balances);
    for (const transfer of transfers) {
      checkTransfer(transfer);
      const [from, to] = [accountKey(transfer.from), accountKey(transfer.to)];
      after.set(from, (after.get(from) ?? 0n) - transfer.amount);
      after.set(to, (after.get(to) ?? 0n) + transfer.amount);
      if (transfer.from.kind !== "outside" && (after.get(from) ?? 0n) < 0n) return false;
    }
    for (const { key } of transfers) {
      if (this.keys.has(key)) throw new Error(`${key} is booked twice`);
      this.keys.add(key);
    }
    for (const [account, balance] of after) this.balances.set(account, balance);
    return true;
  }

  of(account: string): bigint {
    return this.balances.get(account) ?? 0n;
  }

  sum(kind: string): bigint {
    return [...this.balances].reduce(
      (sum, [account, held]) => (account.startsWith(kind) ? sum + held : sum),
      0n,
    );
  }
}

const players = ["1", "2", "3"];
const player = fc.constantFrom(...players);
const stake = fc.bigInt({ min: 1n, max: 60n });
const startingMoney = 100n;

const steps = fc.array(
  fc.record({
    type: fc.constantFrom("propose", "accept", "accept", "counter", "counter", "decline", "cancel", "expire"),
    by: player,
    taker: fc.option(player),
    which: fc.nat(20),
    mine: stake,
    theirs: stake,
    laterMs: fc.integer({ min: 0, max: 3 * minuteMs }),
  }),
  { minLength: 1, maxLength: 40 },
);

test("whatever is offered, countered, taken and dropped: what is held is exactly what is pending", () => {
  fc.assert(
    fc.property(steps, (plan) => {
      const books = new Books();
      for (const id of players) books.give(id, startingMoney);
      const proposals = new Map<string, ProposalState>();
      const stakes = new Map<string, bigint>();
      let atMs = nowMs;
      for (const [number, step] of plan.entries()) {
        atMs += step.laterMs;
        const id = `p${number}`;
        const ids = [...proposals.keys()];
        const state = proposals.get(ids[step.which % Math.max(1, ids.length)] ?? "") ?? null;
        const command = commandOf(step, state, { id, atMs, proposals });
        if (command === null) continue;
        const decision = decideProposal(command.type === "propose" ? null : state, command, atMs);
        if (!decision.ok || !books.book(decision.transfers)) continue;
        for (const next of [decision.state, decision.created, decision.superseded]) {
          if (next !== null) proposals.set(next.id, next);
        }
        if (command.type === "accept") {
          stakes.set(command.gameId, decision.state.proposerStake + decision.state.takerStake);
        }
        for (const playerId of players) {
          const pending = [...proposals.values()].filter(
            ({ status, proposerId }) => status === "pending" && proposerId === playerId,
          );
          const reserved = pending.reduce((sum, { proposerStake }) => sum + proposerStake, 0n);
          expect(books.of(`player.held:${playerId}`)).toBe(reserved);
        }
        for (const [gameId, pot] of stakes) expect(books.of(`escrow.stakes:${gameId}`)).toBe(pot);
        expect(books.sum("")).toBe(startingMoney * 3n);
      }
    }),
    { numRuns: 1_000 },
  );
});

function commandOf(
  step: typeof steps extends fc.Arbitrary<(infer Step)[]> ? Step : never,
  state: ProposalState | null,
  { id, atMs, proposals }: { id: string; atMs: number; proposals: Map<string, ProposalState> },
): ProposalCommand | null {
  const { type, by, mine, theirs } = step;
  const terms = {
    proposerStake: mine,
    takerStake: theirs,
    terms: "First to 21",
    expiresAtMs: atMs + 2 * minuteMs,
  };
  if (type === "propose") {
    const rest = { token, refereeId: null, expectedMinutes: 5, rakeBps: 500 };
    return { type, by, proposalId: id, takerId: step.taker, ...rest, ...terms };
  }
  if (state === null) return null;
  if (type === "accept") {
    const root = state.rootId === state.id ? null : (proposals.get(state.rootId) ?? null);
    return { type, by, gameId: `g-${state.id}`, root };
  }
  if (type === "counter") return { type, by, proposalId: id, ...terms };
  return type === "expire" ? { type } : { type: type as "decline" | "cancel", by };
}

const outcome = fc.constantFrom("red", "blue", "draw", "no_contest" as const);
const by = fc.constantFrom("1", "2", "3", "9");
const gameCommand: fc.Arbitrary<GameCommand> = fc.oneof(
  fc.record({ type: fc.constant("report" as const), by, outcome: outcome as fc.Arbitrary<"red"> }),
  fc.record({ type: fc.constant("evidence" as const), by, text: fc.string() }),
  fc.record({
    type: fc.constant("decide" as const),
    by,
    role: fc.constantFrom("referee" as const, "operator" as const),
    outcome: outcome as fc.Arbitrary<"red">,
    reason: fc.constant("Seen."),
    byHasMoneyInIt: fc.boolean(),
  }),
  fc.constant({ type: "deadline" as const }),
  fc.record({
    type: fc.constant("undo" as const),
    by,
    reason: fc.constant("No."),
    byHasMoneyInIt: fc.boolean(),
  }),
);
const seat = fc.record({
  winningsTo: fc.constantFrom("pool" as const, "wallet" as const),
  payoutAddress: fc.constantFrom(null, `0x${"cd".repeat(20)}`),
});
const times = fc.oneof(
  fc.integer({ min: 0, max: minuteMs }),
  fc.constant(31 * minuteMs),
  fc.constant(25 * 60 * minuteMs),
);

test("whatever happens to a duel: its escrow is full until it is over and empty from then on, and it always ends", () => {
  fc.assert(
    fc.property(
      fc.record({ red: stake, blue: stake, rakeBps: fc.nat(10_000), refereeId: fc.constantFrom(null, "3") }),
      fc.record({ red: seat, blue: seat }),
      fc.array(fc.tuple(gameCommand, times), { maxLength: 25 }),
      (terms, seats, plan) => {
        const books = new Books();
        books.balances.set("escrow.stakes:g", terms.red + terms.blue);
        let atMs = nowMs;
        let state = duel(terms, seats);
        const pot = terms.red + terms.blue;
        const apply = (command: GameCommand): boolean => {
          const decision = decideGame(state, command, atMs);
          if (!decision.ok) return false;
          expect(books.book(decision.transfers)).toBe(true);
          state = decision.state;
          const isOver = state.status === "settled" || state.status === "refunded";
          expect(books.of("escrow.stakes:g")).toBe(isOver ? 0n : pot);
          expect(isOver).toBe(deadlineOf(state) === null);
          expect(isOver).toBe(state.settlement !== null);
          expect(books.sum("")).toBe(pot);
          return true;
        };
        for (const [command, laterMs] of plan) {
          atMs += laterMs;
          apply(command);
        }
        const dueAtMs = deadlineOf(state);
        if (dueAtMs !== null) {
          atMs = Math.max(atMs, dueAtMs);
          expect(apply({ type: "deadline" })).toBe(true);
        }
        expect(deadlineOf(state)).toBeNull();
      },
    ),
    { numRuns: 2_000 },
  );
});

function duel(
  { red, blue, rakeBps, refereeId }: { red: bigint; blue: bigint; rakeBps: number; refereeId: string | null },
  seats: Parameters<typeof startGame>[0]["seats"],
): GameState {
  const proposal: ProposalState = {
    id: "p",
    parentId: null,
    rootId: "p",
    proposerId: "1",
    takerId: "2",
    token,
    proposerStake: red,
    takerStake: blue,
    terms: "First to 21",
    refereeId,
    expectedMinutes: 5,
    rakeBps,
    expiresAtMs: nowMs + minuteMs,
    status: "accepted",
  };
  return startGame({ gameId: "g", proposal, seats, clocks: defaultGameClocks, nowMs });
}
