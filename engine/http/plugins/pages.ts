/** The web client: built files as they are, and its one page for every address that it draws itself. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyRequest } from "fastify";

export const clientFile = "index.html";

const clientPages = [
  "/",
  "/play",
  "/deposit",
  "/terms",
  "/g/:id",
  "/live/:room",
  "/leaderboard",
  "/p/:handle",
  "/operator",
];

/** Where machines ask, which get problem details, and where files lie. */
const notPages = /^\/(?:api|docs|health|metrics|dev|socket\.io|assets|overlay)(?:[/?]|$)/;

/** Somebody typed or followed a wrong address: the client says so in words, with a way home. */
export const asksForPage = ({ method, url, headers }: FastifyRequest): boolean =>
  method === "GET" && !notPages.test(url) && (headers.accept ?? "").includes("text/html");

/** `directory`: what the build made. Without it the API runs alone. */
export async function servePages(app: FastifyInstance, directory: string | undefined): Promise<void> {
  if (directory === undefined || !existsSync(join(directory, clientFile))) return;
  await app.register(fastifyStatic, {
    root: directory,
    index: false,
    redirect: false,
    dotfiles: "ignore",
    // Files under assets/ are named by their content; everything else is asked for again.
    setHeaders: (reply, path) => {
      const isHashed = path.startsWith(join(directory, "assets"));
      reply.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
    },
    cacheControl: false,
  });
  const page = (url: string, file: string) =>
    app.get(url, { schema: { hide: true } }, (_request, reply) => reply.sendFile(file));
  for (const url of clientPages) page(url, clientFile);
  page("/overlay/:room", "overlay.html");
}
