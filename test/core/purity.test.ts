import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
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

/** Every specifier that a file imports and every impure name that it uses, comments and strings left out. */
function traces(source: string): { imports: string[]; names: string[] } {
  const imports: string[] = [];
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined
    ) {
      imports.push((node.moduleSpecifier as ts.StringLiteral).text);
    }
    if (node.kind === ts.SyntaxKind.ImportKeyword || ts.isImportTypeNode(node))
      imports.push("a dynamic import");
    if (ts.isMetaProperty(node)) names.push("import.meta");
    if (ts.isIdentifier(node) && impure.has(node.text)) names.push(node.text);
    if (ts.isElementAccessExpression(node) && ts.isStringLiteral(node.argumentExpression)) {
      if (impure.has(node.argumentExpression.text)) names.push(node.argumentExpression.text);
    }
    if (ts.isAwaitExpression(node)) names.push("await");
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("file.ts", source, ts.ScriptTarget.ES2022, true));
  // The import keyword of a declaration is part of it and not visited as a child; a call's is.
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
])("the look sees %s", (source, name) => expect(traces(source).names).toContain(name));
