/** How often one client may ask, and when this process takes no more. Limits are per process. */
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { RejectionError } from "../problems.ts";

const windowMs = 60_000;
const maxKnownClients = 50_000;
/** Behind one address there may be a household or an office: signed-in people share this many times a client's limit. */
const peoplePerAddress = 10;
/** Signing in asks the chain and writes rows, so there is less of it. */
const signInShare = 10;

export interface Limits {
  /** One request of nobody in particular. */
  spendAddress(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** One request that carries a session cookie, before the session is looked up. */
  spendShared(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** One request of a player who is signed in. */
  spendPlayer(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  spendSignIn(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

/**
 * Refuses work of this scope while as many requests are under way: those that wait for a database that lags would only
 * make it later for everybody. Counted rather than measured by the event loop's delay, which one long pause sets off.
 */
export function refuseWhenOverloaded(app: FastifyInstance, maxRequestsInFlight: number): void {
  let inFlight = 0;
  app.addHook("onRequest", (_request, reply, done) => {
    if (inFlight >= maxRequestsInFlight) {
      reply.header("retry-after", 1);
      done(new RejectionError({ code: "overloaded" }));
      return;
    }
    inFlight += 1;
    // Comes once, whether the answer went out or nobody was there any more.
    reply.raw.once("close", () => {
      inFlight -= 1;
    });
    done();
  });
}

/** Each `spend…` sets the headers that say what is left. @throws RejectionError `too_many_requests` */
export async function createLimits(app: FastifyInstance, requestsPerMinute: number): Promise<Limits> {
  await app.register(rateLimit, { global: false, cache: maxKnownClients });
  const limit = (max: number, keyOf?: (request: FastifyRequest) => string) => {
    const check = app.createRateLimit({
      max,
      timeWindow: windowMs,
      ...(keyOf === undefined ? {} : { keyGenerator: keyOf }),
    });
    return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      const spent = await check(request);
      if (spent.isAllowed) return;
      reply.header("ratelimit-limit", spent.max);
      reply.header("ratelimit-remaining", spent.remaining);
      reply.header("ratelimit-reset", spent.ttlInSeconds);
      if (!spent.isExceeded) return;
      reply.header("retry-after", spent.ttlInSeconds);
      throw new RejectionError({
        code: "too_many_requests",
        facts: { retryAfterSeconds: String(spent.ttlInSeconds) },
      });
    };
  };
  return {
    spendAddress: limit(requestsPerMinute),
    spendShared: limit(requestsPerMinute * peoplePerAddress),
    spendPlayer: limit(requestsPerMinute, ({ session }) => session?.playerId ?? ""),
    spendSignIn: limit(Math.max(10, Math.ceil(requestsPerMinute / signInShare))),
  };
}
