import { expect, test } from "vitest";
import type { Context } from "../../engine/services/context.ts";
import { keptFor } from "../../engine/services/kept.ts";

const keptMs = 1_000;

/** Whoever reads decides when it is here. */
function readings() {
  const open: { here(value: number): void; fails(): void }[] = [];
  const read = keptFor(
    keptMs,
    () =>
      new Promise<number>((resolve, reject) => {
        open.push({ here: resolve, fails: () => reject(new Error("the database is away")) });
      }),
  );
  const clock = { nowMs: 0 };
  // Of the context nothing else is looked at.
  const context = { pool: {}, clock: () => clock.nowMs } as unknown as Context;
  return { open, clock, ask: () => read(context) };
}

test("an answer is kept for so long from when it is here, and then read anew", async () => {
  const { open, clock, ask } = readings();
  const first = ask();
  open[0]?.here(1);
  expect(await first).toBe(1);
  clock.nowMs = keptMs - 1;
  expect(await ask()).toBe(1);
  clock.nowMs = keptMs;
  const next = ask();
  open[1]?.here(2);
  expect(await next).toBe(2);
});

test("one reading at a time, however long it takes", async () => {
  const { open, clock, ask } = readings();
  const first = ask();
  clock.nowMs = 10 * keptMs;
  const second = ask();
  expect(open).toHaveLength(1);
  open[0]?.here(1);
  expect(await Promise.all([first, second])).toEqual([1, 1]);
  clock.nowMs += keptMs - 1;
  expect(await ask()).toBe(1);
});

test("a failure isn't kept", async () => {
  const { open, ask } = readings();
  const first = ask();
  open[0]?.fails();
  await expect(first).rejects.toThrow("the database is away");
  const next = ask();
  open[1]?.here(2);
  expect(await next).toBe(2);
});
