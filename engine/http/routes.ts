/** Puts every route of the contract before its handler: who may ask, what is asked, and what goes back. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { problem, problemStatus, type Rejection } from "../contract/problems.ts";
import { type Route, type RouteName, routes } from "../contract/routes.ts";
import { actorName, recordRefusal } from "../services/audit.ts";
import type { Context } from "../services/context.ts";
import type { Session } from "../services/sessions.ts";
import type { Call, Handler, Handlers } from "./call.ts";
import { validatorCompiler } from "./field-errors.ts";
import { readIdempotencyKey } from "./idempotency.ts";
import { RejectionError, sendRejection } from "./problems.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks, once it was looked up; null on public routes. */
    session: Session | null;
  }
  interface FastifyContextConfig {
    name?: RouteName;
  }
}

const routeNames = Object.keys(routes) as RouteName[];

/** Registers the routes for which `belongsHere` holds. */
export function registerRoutes(
  app: FastifyInstance,
  context: Context,
  handlers: Handlers,
  belongsHere: (route: Route) => boolean,
): void {
  for (const name of routeNames) {
    // The map's keys pair each name with its own handler; the compiler can't follow that through a loop.
    if (belongsHere(routes[name])) register(app, context, name, handlers[name] as Handler<RouteName>);
  }
}

function register(
  app: FastifyInstance,
  context: Context,
  name: RouteName,
  handler: Handler<RouteName>,
): void {
  const route: Route = routes[name];
  app.route({
    method: route.method,
    url: route.path,
    config: { name },
    schema: schemaOf(name, route),
    validatorCompiler,
    ...(route.access === "public" ? {} : { onRequest: refuseOthers(context, name, route) }),
    handler: async (request, reply) => {
      const result = await handler(callOf(name, route, request, reply));
      if (result.ok) return result.value;
      if (isRefusedPower(route, result.rejection))
        await auditRefusal(context, name, request, result.rejection.code);
      return sendRejection(reply, result.rejection);
    },
  });
}

/** What every route may answer instead. */
const failure = {
  description: "A problem: `code` is stable, `errors` points at the fields.",
  content: { "application/problem+json": { schema: problem } },
};

function schemaOf(name: RouteName, route: Route) {
  return {
    operationId: name,
    summary: route.summary,
    tags: [route.path.split("/")[route.path.startsWith("/api/") ? 2 : 1] ?? "service"],
    ...(route.params && { params: route.params }),
    ...(route.query && { querystring: route.query }),
    ...(route.body && { body: route.body }),
    response: { 200: route.response, default: failure },
  };
}

/** The one place that says who may ask. It runs before the body is read. */
function refuseOthers(context: Context, name: RouteName, route: Route) {
  return async (request: FastifyRequest): Promise<void> => {
    const { session } = request;
    if (session === null) throw new RejectionError({ code: "not_signed_in" });
    if (route.access === "operator" && !session.operator) {
      await auditRefusal(context, name, request, "not_allowed");
      throw new RejectionError({ code: "not_allowed" });
    }
    if (route.money === true && !session.termsAccepted)
      throw new RejectionError({ code: "terms_not_accepted" });
  };
}

function callOf(
  name: RouteName,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Call<RouteName> {
  const { params, query, body, session } = request;
  const idempotency =
    route.money === true && session !== null
      ? {
          playerId: session.playerId,
          key: readIdempotencyKey(request.headers["idempotency-key"]),
          // Decoded by the schema, so that its fields stand in one order and defaults are filled in.
          request: JSON.stringify([name, params, body]),
        }
      : null;
  const cookieHeader = request.headers.cookie;
  // What the schemas decoded is what the types say; fastify only knows it as unknown.
  return { params, query, body, session, idempotency, cookieHeader, reply } as Call<RouteName>;
}

/** Somebody who is signed in asked for what takes a right that they haven't got. */
const isRefusedPower = (route: Route, { code }: Rejection): boolean =>
  route.method !== "GET" &&
  route.access !== "public" &&
  problemStatus[code][0] === 403 &&
  code !== "terms_not_accepted" &&
  code !== "wallet_not_verified";

async function auditRefusal(
  context: Context,
  name: RouteName,
  request: FastifyRequest,
  code: string,
): Promise<void> {
  const { session, params } = request;
  if (session === null) return;
  const subject = Object.values((params ?? {}) as Record<string, string>).join(" ") || name;
  await recordRefusal(context, { actor: actorName(session), action: name, subject, code });
}
