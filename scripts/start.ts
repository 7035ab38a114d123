/**
 * `npm start`. With nothing configured it brings its own Postgres and local Base, kept under .data/ or the
 * folder that DATA_DIR names; with DATABASE_URL and BASE_RPC_URLS it is the production server.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { ConfigError, readConfig } from "../engine/config.ts";
import { startEngine } from "../engine/main.ts";
import { startLocalEngine } from "./local/engine.ts";
import { FolderInUseError } from "./local/folder-lock.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const say = (line: string): void => console.log(line);

async function start(): Promise<() => Promise<void>> {
  if (!existsSync(`${root}web/dist/index.html`)) {
    say("The web client is built …");
    await build({ configFile: `${root}web/vite.config.ts`, logLevel: "warn" });
  }
  if (process.env.DATABASE_URL !== undefined || process.env.BASE_RPC_URLS !== undefined) {
    const engine = await startEngine(readConfig(process.env));
    say(`On the Rail runs at ${engine.origin}`);
    return () => engine.stop();
  }
  const folder = process.env.DATA_DIR || ".data";
  const engine = await startLocalEngine({
    dataDir: resolve(root, folder),
    port: Number(process.env.PORT ?? 4200),
    persist: true,
    progress: (what) => say(`${what} …`),
    environment: Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
  });
  say(`\nOn the Rail runs at ${engine.origin}`);
  say(
    `Open it in a window and in a private one: each can sign in with another development wallet. Everything is kept under ${folder}/.`,
  );
  say("Ctrl-C stops it.");
  return () => engine.stop();
}

let stopping = false;
start().then(
  (stop) => {
    const end = (): void => {
      if (stopping) return;
      stopping = true;
      stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    };
    // A signal may come twice, from the terminal and from npm: the second must not cut the first one short.
    process.on("SIGINT", end);
    process.on("SIGTERM", end);
  },
  (error: unknown) => {
    console.error(error instanceof ConfigError || error instanceof FolderInUseError ? error.message : error);
    process.exit(1);
  },
);
