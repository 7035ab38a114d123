/** The two cookies that we set: who is signed in, and which browser asked for a message to sign. */
import { createHash, randomBytes } from "node:crypto";
import type { Settings } from "./context.ts";

export type CookieKind = "session" | "browser";
export interface CookieRules {
  name: string;
  secure: boolean;
}

/**
 * Cookies are `Secure`, except where the browser finds us over plain http on its own machine. A secure one also has the
 * `__Host-` prefix, by which a browser refuses one that a neighbouring subdomain set.
 */
export function cookieRules({ publicOrigin }: Settings, kind: CookieKind): CookieRules {
  const { protocol, hostname } = new URL(publicOrigin);
  const isLocal = hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]";
  const secure = !(protocol === "http:" && isLocal);
  return { name: `${secure ? "__Host-" : ""}rail_${kind}`, secure };
}

/** A fresh secret for a cookie: 32 random bytes. */
export const newCookieSecret = (): string => randomBytes(32).toString("base64url");

/** What of a secret is stored. It has 256 random bits, so that a plain hash can't be turned around. */
export const hashOf = (secret: string): Buffer => createHash("sha256").update(secret).digest();

/** The secret that a request's `Cookie` header carries, or null when it isn't one that we could have set. */
export function readSecret(header: string | undefined, name: string): string | null {
  if (header === undefined) return null;
  for (const part of header.split(";")) {
    const [key, value] = part.trim().split("=", 2);
    if (key === name && value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value)) return value;
  }
  return null;
}
