/** Figures for Prometheus. */
import type { FastifyInstance } from "fastify";
import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Context } from "../../services/context.ts";
import { type ProviderView, viewProviders } from "../../services/providers.ts";

/** Answers only those who reach the process itself: whoever comes through the proxy finds nothing. */
export function serveMetrics(app: FastifyInstance, context: Context): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "How long requests took, by route and status.",
    labelNames: ["route", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  });
  measureProviders(registry, context);
  app.addHook("onResponse", (request, reply, done) => {
    const { name } = request.routeOptions.config;
    if (name !== undefined) {
      duration.observe({ route: name, status: reply.statusCode }, reply.elapsedTime / 1_000);
    }
    done();
  });
  app.get("/metrics", { schema: { hide: true } }, async (request, reply) => {
    if (request.headers["x-forwarded-for"] !== undefined) return reply.callNotFound();
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}

/** One line a node, as the process that follows the chain last saw it. */
function measureProviders(registry: Registry, context: Context): void {
  const figures: [name: string, help: string, of: (provider: ProviderView) => boolean | number][] = [
    ["chain_provider_up", "Whether the node answers well.", ({ ok }) => ok],
    [
      "chain_provider_agrees",
      "Whether its word on our wallets is that of the others; while it isn't, nothing becomes final.",
      ({ agrees }) => agrees,
    ],
    ["chain_provider_behind_blocks", "Blocks behind the best node.", ({ behindBlocks }) => behindBlocks],
    [
      "chain_provider_seen_seconds",
      "How long ago the process that follows the chain wrote this.",
      ({ lookedAt }) => (context.clock() - Date.parse(lookedAt)) / 1_000,
    ],
  ];
  // Asked for once a scrape, however many figures come of it. Without a database the others are still answered.
  let read: Promise<ProviderView[]> | null = null;
  const providers = (): Promise<ProviderView[]> => {
    read ??= viewProviders(context)
      .catch(() => [])
      .finally(() => {
        read = null;
      });
    return read;
  };
  for (const [name, help, of] of figures) {
    new Gauge({
      name,
      help,
      labelNames: ["position", "url"],
      registers: [registry],
      async collect() {
        this.reset();
        for (const [position, provider] of (await providers()).entries())
          this.set({ position, url: provider.url }, Number(of(provider)));
      },
    });
  }
}
