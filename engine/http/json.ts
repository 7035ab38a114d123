/** Reading JSON bodies: one meaning or none. */
import type { FastifyInstance } from "fastify";
import { RejectionError } from "./problems.ts";

/** Takes JSON and nothing else; a key that comes twice, or one that reaches for the prototype, is refused. */
export function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, text, done) => {
    void parse(request, text, (error, value: unknown) => {
      if (error !== null) done(error);
      else if (keysWritten(text) !== keysRead(value)) done(twice());
      else done(null, value);
    });
  });
}

const twice = () =>
  new RejectionError({ code: "request_invalid", message: "A field stands twice in this request." });

/** In valid JSON a string before a colon is a key, and nothing else is. */
const jsonString = /"(?:[^"\\]|\\.)*"\s*(:?)/g;
function keysWritten(text: string): number {
  let keys = 0;
  for (const [, colon] of text.matchAll(jsonString)) if (colon === ":") keys += 1;
  return keys;
}

function keysRead(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inner = Object.values(value);
  let keys = Array.isArray(value) ? 0 : inner.length;
  for (const part of inner) keys += keysRead(part);
  return keys;
}
