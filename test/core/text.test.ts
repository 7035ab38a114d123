import { describe, expect, test } from "vitest";
import { cleanText } from "../../engine/core/text.ts";

const clean = (text: string, lines = false) => {
  const result = cleanText({ text, maxChars: 20, lines });
  return result.ok ? result.text : result.problem;
};

test("space around a text goes, and letters are composed", () => {
  expect(clean("  first to 21\t")).toBe("first to 21");
  expect(clean("cafe\u0301")).toBe("café");
});

test("emoji, right-to-left scripts and accents stay", () => {
  expect(clean("❤️ ping pong 🏓")).toBe("❤️ ping pong 🏓");
  expect(clean("ראשון ל־21")).toBe("ראשון ל־21");
  expect(clean("Việt Nam")).toBe("Việt Nam");
});

describe("what a reader can't see is refused", () => {
  test.each([
    ["a NUL", "a\0b"],
    ["a bell", "a\u0007b"],
    ["a tab", "a\tb"],
    ["a line feed", "a\nb"],
    ["a line separator", "a\u2028b"],
    ["a paragraph separator", "a\u2029b"],
    ["a zero-width space", "a\u200bb"],
    ["a zero-width joiner", "a\u200db"],
    ["a byte order mark inside", "a\ufeffb"],
    ["a right-to-left override", "a\u202eb"],
    ["a left-to-right isolate", "a\u2066b"],
    ["a soft hyphen", "a\u00adb"],
    ["a Hangul filler", "a\u3164b"],
    ["a blank Braille cell", "a\u2800b"],
    ["a combining grapheme joiner", "a\u034fb"],
    ["a tag character", "a\u{e0041}b"],
    ["half a surrogate pair", "a\ud800b"],
    ["a private character", "a\ue000b"],
    ["a noncharacter", "a\uffffb"],
    ["a variation selector that isn't for emoji", "a\ufe01b"],
    ["a pile of accents", `a${"\u0317".repeat(5)}b`],
  ])("%s", (_, text) => expect(clean(text)).toBe("unreadable"));

  test("lines are allowed where they are asked for, other controls aren't", () => {
    expect(clean("a\nb", true)).toBe("a\nb");
    expect(clean("a\rb", true)).toBe("unreadable");
    expect(clean("a\0b", true)).toBe("unreadable");
  });
});

test("nothing but space is empty", () => {
  expect(clean("")).toBe("empty");
  expect(clean(" \u00a0\n ", true)).toBe("empty");
});

test("length counts characters, not their halves, after the space is gone", () => {
  expect(clean("🏓".repeat(20))).toBe("🏓".repeat(20));
  expect(clean("🏓".repeat(21))).toBe("too_long");
  expect(clean(` ${"x".repeat(20)} `)).toBe("x".repeat(20));
  expect(clean("x".repeat(21))).toBe("too_long");
  expect(clean(" ".repeat(100))).toBe("too_long");
});
