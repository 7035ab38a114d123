/** One line a request: which route, how it ended, how long it took, whose it was. Never a query, a cookie or a body. */
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";

export function logRequests(app: FastifyInstance, log: Logger): void {
  app.addHook("onResponse", (request, reply, done) => {
    const { statusCode } = reply;
    const level = statusCode >= 500 ? "warn" : "info";
    if (log.isLevelEnabled(level)) {
      log[level](
        {
          requestId: request.id,
          method: request.method,
          path: request.url.split("?", 1)[0],
          status: statusCode,
          ms: Math.round(reply.elapsedTime * 10) / 10,
          playerId: request.session?.playerId,
        },
        "request",
      );
    }
    done();
  });
}
