import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "vite";
import { describe, expect, test } from "vitest";

const core = join(import.meta.dirname, "../../engine/core");
const files = readdirSync(core, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

/** Names whose answer changes from call to call or that reach outside. `Number`, `BigInt` and the like are fine. */
const impure = new Set([
  "Date",
  "process",
  "globalThis",
  "crypto",
  "performance",
  "fetch",
  "console",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "require",
  "Intl",
  "toLocaleString",
  "toLocaleLowerCase",
  "toLocaleUpperCase",
  "localeCompare",
  "random",
  "Promise",
  "eval",
  "Function",
]);

type Node = { type: string } & Record<string, unknown>;
const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
const textOf = (literal: unknown): string => String((literal as { value?: unknown } | null)?.value);

/** Every specifier that a file imports and every impure name that it uses, comments and strings left out. */
function traces(source: string): { imports: string[]; names: string[] } {
  const imports: string[] = [];
  const names: string[] = [];
  const note = (name: unknown): void => {
    if (typeof name === "string" && impure.has(name)) names.push(name);
  };
  const visit = (node: Node): void => {
    if (node.type === "ImportExpression" || node.type === "TSImportType") imports.push("a dynamic import");
    else if (/^(Import|Export).*Declaration$/.test(node.type) && isNode(node.source))
      imports.push(textOf(node.source));
    if (node.type === "MetaProperty") names.push("import.meta");
    if (node.type === "Identifier") note(node.name);
    if (node.type === "MemberExpression" && node.computed === true) note(textOf(node.property));
    if (node.type === "AwaitExpression" || node.await === true) names.push("await");
    for (const child of Object.values(node).flat()) if (isNode(child)) visit(child);
  };
  const { program, errors } = parseSync("file.ts", source, { sourceType: "module" });
  expect(errors).toEqual([]);
  visit(program as unknown as Node);
  return { imports, names };
}

describe.each(files)("core/%s", (file) => {
  const { imports, names } = traces(readFileSync(join(core, file), "utf8"));
  test("imports nothing from outside the core", () => {
    expect(imports.filter((specifier) => !/^\.\/[a-z-]+\.ts$/.test(specifier))).toEqual([]);
  });

  test("knows no clock, no chance, no locale and no machine", () => expect(names).toEqual([]));
});

test("there is a core to look at", () => expect(files.length).toBeGreaterThan(10));

test.each([
  ['import "zod";', "zod"],
  ['import type { A } from "../db/pool.ts";', "../db/pool.ts"],
  ['export * from "node:fs";', "node:fs"],
  ['const fs = import("node:fs");', "a dynamic import"],
  ['let a: import("node:fs").Stats;', "a dynamic import"],
])("the look sees %s", (source, specifier) => expect(traces(source).imports).toContain(specifier));

test.each([
  ["const now = Date.now();", "Date"],
  ["const luck = Math.random();", "random"],
  ['const luck = Math["random"]();', "random"],
  ["const home = process.env.HOME;", "process"],
  ["const url = import.meta.url;", "import.meta"],
  ['const text = (1).toLocaleString("de");', "toLocaleString"],
  ["const later = await when;", "await"],
  ["for await (const one of many) count(one);", "await"],
])("the look sees %s", (source, name) => expect(traces(source).names).toContain(name));
