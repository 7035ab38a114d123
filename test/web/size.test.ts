import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

interface Chunk {
  file: string;
  imports?: string[];
  dynamicImports?: string[];
}

const root = fileURLToPath(new URL("../..", import.meta.url));
let outDir = "";
let manifest: Record<string, Chunk> = {};

beforeAll(async () => {
  outDir = await mkdtemp(join(tmpdir(), "on-the-rail-web-"));
  // As its own process: the test runner's NODE_ENV would make it a development build.
  await promisify(execFile)(
    process.execPath,
    [
      join(root, "node_modules/vite/bin/vite.js"),
      "build",
      ...["--config", "web/vite.config.ts", "--outDir", outDir, "--emptyOutDir", "--manifest"],
    ],
    { cwd: root, env: { ...process.env, NODE_ENV: "production" } },
  );
  manifest = JSON.parse(await readFile(join(outDir, ".vite/manifest.json"), "utf8"));
});
afterAll(() => rm(outDir, { recursive: true, force: true }));

/** The chunks that are loaded with these, static imports included. */
function chunksOf(entries: string[]): Set<string> {
  const seen = new Set<string>();
  const visit = (key: string): void => {
    if (seen.has(key)) return;
    seen.add(key);
    const chunk = manifest[key];
    if (chunk === undefined) throw new Error(`the build has no ${key}`);
    chunk.imports?.forEach(visit);
  };
  entries.forEach(visit);
  return seen;
}

const loadedWith = (entries: string[]): Set<string> =>
  new Set(
    [...chunksOf(entries)].map((key) => manifest[key]?.file ?? "").filter((file) => file.endsWith(".js")),
  );

/** Kilobytes (1,000 bytes) after gzip. */
async function gzippedKb(files: Set<string>): Promise<number> {
  let bytes = 0;
  for (const file of files) bytes += gzipSync(await readFile(join(outDir, file))).length;
  return bytes / 1_000;
}

describe("what a browser has to load", () => {
  test("the front page comes in at most 130 kB of script", async () => {
    const kb = await gzippedKb(loadedWith(["index.html", "src/screens/front.tsx"]));
    // The only part loaded on demand that isn't a file of ours.
    const onDemand = [...chunksOf(["index.html"])].flatMap((key) => manifest[key]?.dynamicImports ?? []);
    const socket = onDemand.filter((key) => !key.startsWith("src/"));
    expect(socket).toHaveLength(1);
    const withSocket = await gzippedKb(loadedWith(["index.html", "src/screens/front.tsx", ...socket]));
    console.log(
      `first load, front page included: ${kb.toFixed(1)} kB gzip of script; ${withSocket.toFixed(1)} kB once its socket is open`,
    );
    expect(kb).toBeLessThanOrEqual(130);
  });

  test("the overlay comes in at most 20 kB of script", async () => {
    const kb = await gzippedKb(loadedWith(["overlay.html"]));
    console.log(`overlay: ${kb.toFixed(1)} kB gzip of script`);
    expect(kb).toBeLessThanOrEqual(20);
  });

  test("wallets, dialogs and schemas aren't part of the first load", async () => {
    for (const file of loadedWith(["index.html", "src/screens/front.tsx"])) {
      const script = await readFile(join(outDir, file), "utf8");
      expect(script).not.toMatch(/eip6963|ZodError|test test test|DialogContent/);
    }
  });

  test("no page, style or font names another host", async () => {
    const pages = ["index.html", "overlay.html"].map((name) => join(outDir, name));
    const styles = (await readdir(join(outDir, "assets"))).filter((name) => name.endsWith(".css"));
    for (const file of [...pages, ...styles.map((name) => join(outDir, "assets", name))]) {
      const text = await readFile(file, "utf8");
      expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\/|url\(["']?(?:https?:)?\/\/|url\(["']?data:/);
      expect(text).not.toMatch(/<script(?![^>]*\bsrc=)/);
    }
  });
});
