/** The web client: built files as they are, and its one page for every address that it draws itself. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

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

/** `directory`: what the build made. Without it the API runs alone. */
export async function servePages(app: FastifyInstance, directory: string | undefined): Promise<void> {
  if (directory === undefined || !existsSync(join(directory, "index.html"))) return;
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
  for (const url of clientPages) page(url, "index.html");
  page("/overlay/:room", "overlay.html");
}
