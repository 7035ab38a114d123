/** What every API request passes before anything of it is read: its origin, its client's limit, its session. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type RouteName, routes } from "../../contract/routes.ts";
import type { Context } from "../../services/context.ts";
import { createSessionReader, type ReadSession } from "../../services/sessions.ts";
import { createLimits, type Limits } from "./limits.ts";
import { refuseCrossSite } from "./origin.ts";

export async function guardApi(
  app: FastifyInstance,
  { context, requestsPerMinute }: { context: Context; requestsPerMinute: number },
): Promise<void> {
  const readSession = createSessionReader(context);
  const limits = await createLimits(app, requestsPerMinute);
  const { publicOrigin } = context.settings;
  app.decorateRequest("session", null);
  app.addHook("onRequest", async (request, reply) => {
    refuseCrossSite(request, publicOrigin);
    await admit(request, reply, readSession, limits);
  });
}

const signsIn = new Set<RouteName>([
  "createChallenge",
  "verifyChallenge",
  "createLinkChallenge",
  "linkWallet",
]);

async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  readSession: ReadSession,
  limits: Limits,
): Promise<void> {
  const { name } = request.routeOptions.config;
  if (name !== undefined && signsIn.has(name)) {
    await limits.spendSignIn(request, reply);
  }
  const needsSession = name !== undefined && routes[name].access !== "public";
  const { cookie } = request.headers;
  if (!needsSession || cookie === undefined) return limits.spendAddress(request, reply);
  await limits.spendShared(request, reply);
  request.session = await readSession(cookie);
  return request.session === null ? limits.spendAddress(request, reply) : limits.spendPlayer(request, reply);
}
