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

/** In the place of those that it will bring. */
const ownServers = { DATABASE_URL: "postgres://127.0.0.1/own", BASE_RPC_URLS: "http://127.0.0.1" };

const ending = new AbortController();
let stop: (() => Promise<void>) | undefined;

/** A signal may come twice, from the terminal and from npm: the second must not cut the first one short. */
function endOnSignal(): void {
  const end = (): void => {
    if (ending.signal.aborted) return;
    ending.abort();
    say("Stopping …");
    if (stop !== undefined) exitAfter(stop);
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
}

function exitAfter(stop: () => Promise<void>, code = 0): void {
  stop().then(
    () => process.exit(code),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}

interface Running {
  failed: Promise<string>;
  stop(): Promise<void>;
}

async function start(): Promise<Running> {
  if (!existsSync(`${root}web/dist/index.html`)) {
    say("The web client is built …");
    await build({ configFile: `${root}web/vite.config.ts`, logLevel: "error" });
  }
  if (process.env.DATABASE_URL !== undefined || process.env.BASE_RPC_URLS !== undefined) {
    const engine = await startEngine(readConfig(process.env));
    say(`On the Rail runs at ${engine.origin}`);
    endOnSignal();
    return engine;
  }
  // Looked at first: a mistake is told of before anything has started.
  const { PORT: port } = readConfig({ ...ownServers, ...process.env });
  endOnSignal();
  const folder = process.env.DATA_DIR || ".data";
  const engine = await startLocalEngine({
    dataDir: resolve(root, folder),
    port,
    persist: true,
    signal: ending.signal,
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
  return engine;
}

start().then(
  (engine) => {
    stop = () => engine.stop();
    if (ending.signal.aborted) return exitAfter(stop);
    void engine.failed.then((why) => {
      if (ending.signal.aborted) return;
      console.error(`${why} The engine stops; start it again.`);
      exitAfter(() => engine.stop(), 1);
    });
  },
  (error: unknown) => {
    // It gave up because it was told to, and has put away what it had.
    if (ending.signal.aborted && error instanceof Error && error.name === "AbortError") process.exit(0);
    console.error(error instanceof ConfigError || error instanceof FolderInUseError ? error.message : error);
    process.exit(1);
  },
);
