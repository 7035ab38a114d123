/** The OpenAPI 3.1 document and its page, from the same schemas that validate. */
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { type ProblemCode, problemStatus } from "../../contract/problems.ts";
import { type Route, routes } from "../../contract/routes.ts";
import type { Settings } from "../../services/context.ts";
import { cookieRules } from "../../services/cookies.ts";

const idempotencyKey = {
  type: "string",
  minLength: 8,
  maxLength: 128,
  description: "The same key and request get the same answer, for ever; another request under it is refused.",
};

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(problemStatus, code);

/** Leaves out the schemas that no route names, such as the way in of what only ever goes out. */
function withoutUnused(document: ReturnType<typeof jsonSchemaTransformObject>): typeof document {
  const schemas =
    (document as { components?: { schemas?: Record<string, unknown> } }).components?.schemas ?? {};
  const wanted = new Set<string>();
  const visit = (part: unknown): void => {
    for (const [, name = ""] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (wanted.has(name)) continue;
      wanted.add(name);
      visit(schemas[name] ?? {});
    }
  };
  visit((document as { paths?: unknown }).paths ?? {});
  for (const name of Object.keys(schemas)) if (!wanted.has(name)) delete schemas[name];
  return document;
}

/** Register it before any route: it collects them as they come. */
export async function describeApi(app: FastifyInstance, settings: Settings): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "On the Rail",
        version: "1",
        description:
          "Wagers on Base with custody. Amounts are decimal strings of base units. Failures are RFC 9457 problem details.",
      },
      servers: [{ url: settings.publicOrigin }],
      components: {
        securitySchemes: {
          session: { type: "apiKey", in: "cookie", name: cookieRules(settings, "session").name },
        },
      },
    },
    transform: (document) => {
      const { schema, url } = jsonSchemaTransform(document);
      const { name } = document.route.config ?? {};
      const described = { ...(schema as Record<string, unknown>) };
      if (name !== undefined) {
        const route: Route = routes[name];
        if (route.access !== "public") described.security = [{ session: [] }];
        if (route.money === true) {
          described.headers = {
            type: "object",
            properties: { "idempotency-key": idempotencyKey },
            required: ["idempotency-key"],
          };
        }
      }
      return { schema: described, url };
    },
    transformObject: (document) => withoutUnused(jsonSchemaTransformObject(document)),
  });
  // Where the `type` of a problem leads to.
  app.get<{ Params: { code: string } }>(
    "/docs/problems/:code",
    { schema: { hide: true } },
    (request, reply) => {
      const { code } = request.params;
      if (!isProblemCode(code)) return reply.callNotFound();
      const [status, title] = problemStatus[code];
      return reply.send({ code, status, title });
    },
  );
  await app.register(swaggerUi, { routePrefix: "/docs", uiConfig: { deepLinking: true } });
}
