import { describe, expect, test } from "vitest";
import { handleKey, parseHandle, suggestHandle } from "../../engine/core/handle.ts";

const read = (text: string) => {
  const result = parseHandle(text);
  return result.ok ? result.handle : result.rejection.code;
};

test.each([
  ["marcus", "marcus"],
  ["@marcus", "marcus"],
  ["Marcus_21", "Marcus_21"],
  ["abc", "abc"],
  ["x".repeat(20), "x".repeat(20)],
])("%s is a handle", (text, handle) => expect(read(text)).toBe(handle));

test.each([
  "",
  "@",
  "ab",
  "x".repeat(21),
  "@@marcus",
  "mar cus",
  " marcus",
  "marcus\n",
  "mar-cus",
  "mаrcus",
  "márcus",
  "ｍarcus",
  "marcus\u200b",
  "<b>",
  "🏓🏓🏓",
])("%j isn't", (text) => expect(read(text)).toBe("handle_invalid"));

test.each(["admin", "House", "SUPPORT", "anyone", "on_the_rail"])(
  "nobody speaks for the house as %s",
  (text) => {
    expect(read(text)).toBe("handle_invalid");
  },
);

test("two handles that differ in case only are one", () => {
  expect(handleKey("MarCus")).toBe(handleKey("marcus"));
});

describe("did you mean", () => {
  const known = ["marcus", "Marcia", "bo", "ann", "anna", "zoe_42"];
  test.each([
    ["marcsu", "marcus"],
    ["@marcsu", "marcus"],
    ["MARCUS", "marcus"],
    ["mrcus", "marcus"],
    ["marrcus", "marcus"],
    ["narcos", "marcus"],
    ["marciA", "Marcia"],
    ["zoe42", "zoe_42"],
    ["mrcsu", "marcus"],
    ["an", "ann"],
    ["anns", "ann"],
    ["nan", "ann"],
    ["amrcus", "marcus"],
  ])("%s → %s", (wanted, handle) => {
    expect(suggestHandle(wanted, known)).toBe(handle);
  });

  test.each(["leopold", "mxrxxs", "zo42", "xyz", "", "x".repeat(10_000)])("%s → nobody", (wanted) => {
    expect(suggestHandle(wanted, known)).toBeNull();
  });

  test("an @ isn't part of the name", () => {
    expect(suggestHandle("@marcus", ["arcus", "marcus"])).toBe("marcus");
    expect(suggestHandle(`@${"x".repeat(20)}`, ["x".repeat(20)])).toBe("x".repeat(20));
  });

  test("what is longer than any handle isn't measured", () => {
    expect(suggestHandle("x".repeat(22), ["x".repeat(20)])).toBeNull();
  });

  test("of two that are as near, the first by the alphabet, in whatever order they are known", () => {
    expect(suggestHandle("carl_x", ["carl_b", "Carl_a"])).toBe("Carl_a");
    expect(suggestHandle("carl_x", ["Carl_a", "carl_b"])).toBe("Carl_a");
  });

  test("the nearer one before the alphabet", () => {
    expect(suggestHandle("marcuss", ["macuss_", "marcus"])).toBe("marcus");
  });
});
