import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RoomFollower } from "../../web/src/live/follower.ts";
import { event, game } from "./samples.ts";

const numbered = (sequence: number) => event("game:update", { game: game() }, sequence);
const single = (sequence: number) => ({ from: sequence, sequence, events: [numbered(sequence)] });
const numbersOf = (followed: ReturnType<RoomFollower["receive"]>): number[] | "gap" =>
  followed.gap ? "gap" : followed.events.map(({ sequence }) => sequence);

describe("a room that is followed", () => {
  test("events that came before the snapshot are applied after it, and only those that aren't in it", () => {
    const room = new RoomFollower();
    for (const sequence of [4, 5, 6]) expect(numbersOf(room.receive(single(sequence)))).toEqual([]);
    expect(numbersOf(room.start(5))).toEqual([6]);
    expect(room.sequence).toBe(6);
  });

  test("an event that was had already is dropped", () => {
    const room = new RoomFollower();
    room.start(5);
    expect(numbersOf(room.receive(single(5)))).toEqual([]);
    expect(numbersOf(room.receive(single(6)))).toEqual([6]);
    expect(numbersOf(room.receive(single(6)))).toEqual([]);
  });

  test("a missing number is noticed, and what comes next waits for the new snapshot", () => {
    const room = new RoomFollower();
    room.start(5);
    expect(numbersOf(room.receive(single(7)))).toBe("gap");
    expect(numbersOf(room.receive(single(8)))).toEqual([]);
    expect(numbersOf(room.start(7))).toEqual([8]);
  });

  test("a batch that begins before the snapshot and ends after it gives its new part", () => {
    const room = new RoomFollower();
    room.start(5);
    const batch = { from: 4, sequence: 7, events: [numbered(4), numbered(7)] };
    expect(numbersOf(room.receive(batch))).toEqual([7]);
    expect(room.sequence).toBe(7);
  });

  test("a batch without its superseded events is no gap", () => {
    const room = new RoomFollower();
    room.start(0);
    expect(numbersOf(room.receive({ from: 1, sequence: 9, events: [numbered(9)] }))).toEqual([9]);
  });

  test("whatever is lost, doubled or late, nothing is applied twice or out of order", () => {
    const arrivals = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 });
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 0, max: 10 }), (sequences, snapshot) => {
        const room = new RoomFollower();
        let last = snapshot;
        room.start(snapshot);
        for (const sequence of sequences) {
          const followed = room.receive(single(sequence));
          if (followed.gap) {
            last = Math.max(last, sequence);
            const caughtUp = room.start(last);
            expect(caughtUp).toEqual({ gap: false, events: [] });
            continue;
          }
          for (const applied of followed.events) {
            expect(applied.sequence).toBe(last + 1);
            last = applied.sequence;
          }
        }
      }),
    );
  });
});
