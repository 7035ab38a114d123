import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";

type Tool = "anvil" | "forge";

/**
 * The path of one of Foundry's programs: `ANVIL_BIN` or `FORGE_BIN` first, then the PATH (for people who have Foundry),
 * then the copy that npm installed. The npm copy is the program itself and not npm's wrapper, which would leave the
 * program running when the wrapper is killed.
 *
 * @throws when none is there, saying what to do.
 */
export function findFoundryBinary(tool: Tool): string {
  const variable = `${tool.toUpperCase()}_BIN`;
  const configured = process.env[variable];
  if (configured) {
    if (!isExecutable(configured)) throw new Error(`${variable} names ${configured}, which can't be run`);
    return configured;
  }
  const found = findOnPath(tool) ?? findInPackages(tool);
  if (!found) throw new Error(`${tool} isn't installed: run npm install, or set ${variable} to its path`);
  return found;
}

/** The first executable file of that name on the PATH. npm's own script folders don't count: they hold wrappers. */
export function findOnPath(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder === "" || folder.includes("node_modules")) continue;
    const candidate = join(folder, fileName(name));
    if (isExecutable(candidate)) return candidate;
  }
  return undefined;
}

function findInPackages(tool: Tool): string | undefined {
  const require = createRequire(import.meta.url);
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  try {
    const manifest = require.resolve(`@foundry-rs/${tool}-${process.platform}-${architecture}/package.json`);
    const candidate = join(dirname(manifest), "bin", fileName(tool));
    return isExecutable(candidate) ? candidate : undefined;
  } catch {
    return undefined;
  }
}

function fileName(name: string): string {
  return process.platform === "win32" ? `${name}.exe` : name;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
