/** The HTTP server as a function: dependencies in, a fastify instance out, usable with `inject` and with `listen`. */
import { randomUUID } from "node:crypto";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import type { Context } from "../services/context.ts";
import { handlersOf } from "./handlers.ts";
import { acceptJson } from "./json.ts";
import { describeApi } from "./plugins/docs.ts";
import { guardApi } from "./plugins/guard.ts";
import { setSecurityHeaders } from "./plugins/headers.ts";
import { refuseWhenOverloaded } from "./plugins/limits.ts";
import { serveMetrics } from "./plugins/metrics.ts";
import { type CallNode, proxyNode } from "./plugins/node-proxy.ts";
import { asksForPage, clientFile, servePages } from "./plugins/pages.ts";
import { logRequests } from "./plugins/request-log.ts";
import { handleError, refuseConnection, sendRejection } from "./problems.ts";
import { registerRoutes } from "./routes.ts";
import { serializerCompiler } from "./serializer.ts";

export interface HttpOptions {
  context: Context;
  /** Reverse proxies in front of us whose `X-Forwarded-For` counts. */
  trustedProxyHops: number;
  /** Most API requests a minute from one client. */
  requestsPerMinute: number;
  /** Requests at work at a time; what comes beyond is told to try again. */
  maxRequestsAtWork?: number;
  /** False: only health and figures, for machines. */
  servesApi?: boolean;
  /** What the web build made; absent: the API alone. */
  webDirectory?: string | undefined;
  /** The local node, for development wallets; ignored unless the chain is local. */
  callNode?: CallNode | undefined;
}

const maxBodyBytes = 65_536;
/** A request that isn't whole by then is cut, ms. */
const requestTimeoutMs = 10_000;

export async function buildApp(options: HttpOptions): Promise<FastifyInstance> {
  const { context, servesApi = true } = options;
  const { settings } = context;
  const app: FastifyInstance = Fastify({
    loggerInstance: context.log as FastifyBaseLogger,
    // The request's id stands in each line that needs it; a child logger per request would only cost.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // A plain number is refused by fastify, since it believes whoever reaches us past the proxies. So do we: then only
    // the limits per address are fooled, and nobody should reach us past them.
    trustProxy: options.trustedProxyHops > 0 && ((_address, hop) => hop < options.trustedProxyHops),
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    // Node cuts nobody off while it waits longer for the headers than for the whole.
    http: {
      connectionsCheckingInterval: 1_000,
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      maxHeaderSize: 16_384,
    },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, request, reply) => {
      handleError(error, request, reply);
    },
  });
  app.setErrorHandler(handleError);
  app.setNotFoundHandler((request, reply) =>
    asksForPage(request) && "sendFile" in reply
      ? reply.code(404).sendFile(clientFile)
      : sendRejection(reply, { code: "not_found" }),
  );
  app.setSerializerCompiler(serializerCompiler);
  acceptJson(app);
  logRequests(app, context.log);
  await setSecurityHeaders(app, settings.publicOrigin);
  if (servesApi) await describeApi(app, settings);
  serveMetrics(app, context);

  const handlers = handlersOf(context);
  // Health is asked by machines that must always get an answer.
  registerRoutes(app, context, handlers, ({ path }) => !path.startsWith("/api/"));
  if (!servesApi) return app;
  await app.register(async (api) => {
    refuseWhenOverloaded(api, options.maxRequestsAtWork ?? 1_000);
    await guardApi(api, { context, requestsPerMinute: options.requestsPerMinute });
    api.addHook("onRequest", (_request, reply, done) => {
      reply.header("cache-control", "no-store");
      done();
    });
    registerRoutes(api, context, handlers, ({ path }) => path.startsWith("/api/"));
  });
  if (settings.chainIsLocal && options.callNode !== undefined) {
    proxyNode(app, { callNode: options.callNode, publicOrigin: settings.publicOrigin });
  }
  await servePages(app, options.webDirectory);
  return app;
}
