/** How often one client may ask, and when this process takes no more. Limits are per process. */
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from "fastify";
import { networkOf } from "../../services/client-network.ts";
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
 * Refuses work of this scope while as many requests are at work: those that wait for a database that lags would only
 * make it later for everybody. One whose body is still on its way holds no place, or a few slow senders could hold them
 * all. Counted rather than measured by the event loop's delay, which one long pause sets off.
 */
export function refuseWhenOverloaded(app: FastifyInstance, maxRequestsAtWork: number): void {
  const atWork = new WeakSet<FastifyRequest>();
  let places = maxRequestsAtWork;
  const leave = (request: FastifyRequest): void => {
    if (atWork.delete(request)) places += 1;
  };
  const enter: onRequestHookHandler = (request, reply, done) => {
    // Nobody is there any more, and it won't close once more to give the place back.
    if (reply.raw.destroyed) return done();
    if (places === 0) {
      reply.header("retry-after", 1);
      done(new RejectionError({ code: "overloaded" }));
      return;
    }
    places -= 1;
    atWork.add(request);
    done();
  };
  app.addHook("onRequest", (request, reply, done) => {
    // Comes once, whether the answer went out or nobody was there any more.
    reply.raw.once("close", () => leave(request));
    enter.call(app, request, reply, done);
  });
  app.addHook("preParsing", (request, _reply, _payload, done) => {
    leave(request);
    done();
  });
  app.addHook("preValidation", enter);
}

/** Each `spend…` sets the headers that say what is left. @throws RejectionError `too_many_requests` */
export async function createLimits(app: FastifyInstance, requestsPerMinute: number): Promise<Limits> {
  await app.register(rateLimit, { global: false, cache: maxKnownClients });
  const network = ({ ip }: FastifyRequest): string => networkOf(ip);
  const limit = (max: number, keyGenerator = network) => {
    const check = app.createRateLimit({ max, timeWindow: windowMs, keyGenerator });
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
