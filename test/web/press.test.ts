import { describe, expect, test } from "vitest";
import { createPress } from "../../web/src/api/press.ts";
import { ApiProblem } from "../../web/src/api/problem.ts";

/** A press whose answers are decided by the test; it notes the key of every request. */
function pressWith(answers: (() => Promise<string>)[]) {
  const keys: string[] = [];
  let made = 0;
  const press = createPress(
    (_words: { amount: string }, key: string) => {
      keys.push(key);
      const answer = answers.shift();
      if (answer === undefined) throw new Error("one request too many");
      return answer();
    },
    () => `key-${++made}`,
  );
  return { press, keys };
}
const refusal = (status: number) => () => Promise.reject(new ApiProblem({ code: "x", status }));

describe("a press of a money button", () => {
  test("a double tap sends one request", async () => {
    let finish: (value: string) => void = () => undefined;
    const slow = new Promise<string>((resolve) => {
      finish = resolve;
    });
    const { press, keys } = pressWith([() => slow]);
    const first = press({ amount: "5" });
    expect(await press({ amount: "5" })).toBeNull();
    finish("done");
    expect(await first).toEqual({ ok: true, value: "done" });
    expect(keys).toEqual(["key-1"]);
  });

  test("pressed again after no answer or a failing server it carries the same key", async () => {
    const { press, keys } = pressWith([refusal(0), refusal(503), async () => "done"]);
    await press({ amount: "5" });
    await press({ amount: "5" });
    await press({ amount: "5" });
    expect(keys).toEqual(["key-1", "key-1", "key-1"]);
  });

  test("another amount is another key, even after no answer", async () => {
    const { press, keys } = pressWith([refusal(0), async () => "done"]);
    await press({ amount: "5" });
    await press({ amount: "6" });
    expect(keys).toEqual(["key-1", "key-2"]);
  });

  test("a refusal and a success both end the key", async () => {
    const { press, keys } = pressWith([refusal(409), async () => "done", async () => "done"]);
    await press({ amount: "5" });
    await press({ amount: "5" });
    await press({ amount: "5" });
    expect(keys).toEqual(["key-1", "key-2", "key-3"]);
  });
});

test("a problem's pointers become the names of fields, however deep they point", () => {
  const problem = new ApiProblem({
    code: "request_invalid",
    status: 400,
    errors: [
      { pointer: "/opponent/handle", detail: "A handle has 3 letters." },
      { pointer: "/takerStake", detail: "Above zero." },
    ],
  });
  expect(problem.fields).toEqual({ handle: "A handle has 3 letters.", takerStake: "Above zero." });
});
