/** The OpenAPI 3.1 document and its page, from the same schemas that validate. */
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { type Route, routes } from "../../contract/routes.ts";
import type { Settings } from "../../services/context.ts";
import { cookieRules } from "../../services/cookies.ts";

const idempotencyKey = {
  type: "string",
  minLength: 8,
  maxLength: 128,
  description: "The same key and request get the same answer, for ever; another request under it is refused.",
};

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
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, { routePrefix: "/docs", uiConfig: { deepLinking: true } });
}
