import { expect, it } from "vitest";
import { type RoomState, shareReads } from "../../engine/realtime/snapshot-reader.ts";

const state = (sequence: number): RoomState => ({
  sequence,
  snapshot: { kind: "arena", offers: [], games: [], settled: [] },
});

/** A reader whose reads end when the test says so. */
function slowReader() {
  const reads: { room: string; end: (state: RoomState | null) => void }[] = [];
  const read = shareReads((room) => new Promise((end) => reads.push({ room, end })));
  return { reads, read };
}
const turn = () => new Promise((done) => setImmediate(done));

it("those who wait for one room share a read; who comes after it began gets the next", async () => {
  const { reads, read } = slowReader();
  const first = Array.from({ length: 100 }, () => read("arena"));
  await turn();
  expect(reads).toHaveLength(1);
  const later = [read("arena"), read("arena")];
  await turn();
  expect(reads).toHaveLength(2);
  reads[0]?.end(state(1));
  reads[1]?.end(state(2));
  expect(new Set((await Promise.all(first)).map((one) => one !== "overloaded" && one?.sequence))).toEqual(
    new Set([1]),
  );
  expect(await Promise.all(later)).toEqual([state(2), state(2)]);
});

it("few rooms are read at a time, and too many that wait are told so", async () => {
  const { reads, read } = slowReader();
  const asked = Array.from({ length: 2_004 }, (_, index) => read(`game:${index}`));
  await turn();
  expect(reads).toHaveLength(4);
  for (let done = 0; done < 2_000; done += 1) {
    reads[done]?.end(state(done));
    await turn();
  }
  const answers = await Promise.all(asked);
  expect(answers.filter((answer) => answer === "overloaded")).toHaveLength(4);
  expect(reads).toHaveLength(2_000);
  expect(answers.slice(0, 2_000)).toEqual(reads.map((_, index) => state(index)));
});

it("a read that fails is told to all who waited for it, and the next begins anew", async () => {
  let isAway = true;
  const read = shareReads(async () => {
    if (isAway) throw new Error("away");
    return state(7);
  });
  const failed = await Promise.allSettled([read("arena"), read("arena")]);
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  isAway = false;
  expect(await read("arena")).toEqual(state(7));
});
