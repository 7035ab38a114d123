import fastifyCookie from "@fastify/cookie";
import type { FastifyReply } from "fastify";
import type { Settings } from "../services/context.ts";
import { type CookieKind, cookieRules } from "../services/cookies.ts";

/** Sets one of our cookies; an empty secret takes it away. No script can read it, and other sites' posts don't carry it. */
export function setCookie(
  reply: FastifyReply,
  settings: Settings,
  { kind, secret, maxAgeMs }: { kind: CookieKind; secret: string; maxAgeMs: number },
): void {
  const { name, secure } = cookieRules(settings, kind);
  const maxAge = Math.floor(maxAgeMs / 1_000);
  reply.header(
    "set-cookie",
    fastifyCookie.serialize(name, secret, { httpOnly: true, secure, sameSite: "lax", path: "/", maxAge }),
  );
}
