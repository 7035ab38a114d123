/** What a browser may do with our pages: run our own script, talk to us, and be framed by nobody. */
import helmet from "@fastify/helmet";
import type { FastifyInstance } from "fastify";

export async function setSecurityHeaders(app: FastifyInstance, publicOrigin: string): Promise<void> {
  const { protocol, host } = new URL(publicOrigin);
  const isHttps = protocol === "https:";
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // Not every browser counts the socket of the same origin as 'self'.
        connectSrc: ["'self'", `${isHttps ? "wss" : "ws"}://${host}`],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", "data:"],
        fontSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // A smart wallet signs in a window of its own, which must be able to answer.
    crossOriginOpenerPolicy: { policy: "same-origin-allow-popups" },
    crossOriginResourcePolicy: { policy: "same-origin" },
    frameguard: { action: "deny" },
    // An overlay's address carries its token until the page has loaded.
    referrerPolicy: { policy: "no-referrer" },
    strictTransportSecurity: isHttps ? { maxAge: 31_536_000, includeSubDomains: false } : false,
  });
}
