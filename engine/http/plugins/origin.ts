/** Posts from other people's pages are refused: a browser always says from which page a write comes. */
import type { FastifyRequest } from "fastify";
import { RejectionError } from "../problems.ts";

/** @throws RejectionError unless a write comes from our own page, or from a program that carries no cookie. */
export function refuseCrossSite(request: FastifyRequest, publicOrigin: string): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  const { origin, cookie } = request.headers;
  if (origin === publicOrigin || (origin === undefined && cookie === undefined)) return;
  throw new RejectionError({ code: "origin_refused", message: `Open ${publicOrigin} and try again there.` });
}
