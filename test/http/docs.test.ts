/** The OpenAPI document says what the server does: it is made of the schemas that validate. */
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Route, routes } from "../../engine/contract/routes.ts";
import { openSite, type Site } from "./site.ts";

interface Operation {
  operationId: string;
  security?: unknown[];
  parameters?: { name: string; in: string; required?: boolean }[];
  responses: Record<string, { content: Record<string, { schema: object }> }>;
}
type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
};

let site: Site;
let document: Document;
beforeAll(async () => {
  site = await openSite();
  document = (await site.app.inject({ url: "/docs/json" })).json();
});
afterAll(() => site.end());

const all = Object.entries(routes) as [string, Route][];
const operationOf = (route: Route): Operation | undefined =>
  document.paths[route.path.replace(/:(\w+)/g, "{$1}")]?.[route.method.toLowerCase()];

test("it is a valid OpenAPI 3.1 document", async () => {
  expect(document.openapi).toBe("3.1.0");
  const config = await createConfig({ rules: { struct: "error", "no-unresolved-refs": "error" } });
  const problemsOf = async (described: object) =>
    (await lintFromString({ source: JSON.stringify(described), config })).map(({ message }) => message);
  expect(await problemsOf(document)).toEqual([]);
  expect(await problemsOf({ ...document, info: {} })).not.toEqual([]);
});

test.each(all)("%s is in it, with who may ask and what it takes", (name, route) => {
  const operation = operationOf(route);
  expect(operation?.operationId).toBe(name);
  expect(operation?.security !== undefined).toBe(route.access !== "public");
  const named = (operation?.parameters ?? []).map((parameter) => `${parameter.in}:${parameter.name}`);
  expect(named.includes("header:idempotency-key")).toBe(route.money === true);
  for (const [, param] of route.path.matchAll(/:(\w+)/g)) expect(named).toContain(`path:${param}`);
  expect(Object.keys(operation?.responses ?? {}).sort()).toEqual(["200", "default"]);
});

test("nothing else is in it", () => {
  const described = Object.values(document.paths).flatMap((path) => Object.values(path));
  expect(described).toHaveLength(all.length);
});

test("its schemas compile as JSON Schema 2020-12, and an answer is what its schema says", async () => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  addFormats.default(ajv);
  for (const name of ["example", "components"]) ajv.addKeyword(name);
  ajv.addSchema({ $id: "doc", components: document.components });
  const local = (schema: unknown): object =>
    JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"doc#/components'));
  for (const name of Object.keys(document.components.schemas)) {
    ajv.compile({ $ref: `doc#/components/schemas/${name}` });
  }
  const schemaOf = (name: "readConfig" | "readMe") =>
    local(operationOf(routes[name])?.responses["200"]?.content["application/json"]?.schema);
  const player = await site.player();
  for (const name of ["readConfig", "readMe"] as const) {
    const matches = ajv.compile(schemaOf(name));
    const answer = await player.browser.get(name);
    expect(matches(answer), JSON.stringify(matches.errors)).toBe(true);
    expect(matches({ ...answer, more: 1 })).toBe(false);
  }
});

test("the type of a problem leads to what it means", async () => {
  const { body } = await site.browser().ask("readMe");
  const meaning = await site.app.inject({ url: body.type });
  expect(meaning.json()).toEqual({ code: body.code, status: body.status, title: body.title });
  expect((await site.app.inject({ url: "/docs/problems/toString" })).statusCode).toBe(404);
});

test("its page loads nothing from elsewhere", async () => {
  const page = await site.app.inject({ url: "/docs/" });
  expect(page.statusCode).toBe(200);
  expect(page.body).not.toMatch(/https?:\/\//);
  for (const [, asset = ""] of page.body.matchAll(/(?:src|href)="\.\/([^"]+)"/g)) {
    expect((await site.app.inject({ url: `/docs/${asset}` })).statusCode).toBe(200);
  }
});
