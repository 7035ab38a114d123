/**
 * `npm run mutants`: takes one guard away at a time, in a copy of the last commit, and runs the tests that must notice.
 * Ends with exit code 1 when a guard isn't missed by any test, or isn't where the list says. `-- --only TEXT` tries those
 * whose names hold the text, `-- --at-once N` so many side by side, each in a copy of its own.
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { guards } from "./mutants/guards/all.ts";
import type { Guard } from "./mutants/guards/guard.ts";
import { type Tried, verdictOn } from "./mutants/verdict.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

interface Ended {
  code: number;
  said: string;
}

function run(command: string, parameters: string[], cwd: string): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "1" };
    const child = spawn(command, parameters, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (part: Buffer) => said.push(`${part}`));
    child.once("error", (error) => resolve({ code: 1, said: error.message }));
    child.once("close", (code) => resolve({ code: code ?? 1, said: said.join("") }));
  });
}

/** The last commit in a folder of its own, with what was installed and compiled here. */
async function copyCommit(): Promise<{ folder: string; remove(): Promise<void> }> {
  const parent = await mkdtemp(join(tmpdir(), "on-the-rail-mutants-"));
  const folder = join(parent, "copy");
  const made = await run("git", ["worktree", "add", "--detach", folder, "HEAD"], root);
  if (made.code !== 0) throw new Error(`the commit can't be copied: ${made.said}`);
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await cp(join(root, "out"), join(folder, "out"), { recursive: true }).catch(() => undefined);
  return {
    folder,
    remove: async () => {
      await run("git", ["worktree", "remove", "--force", folder], root);
      await rm(parent, { recursive: true, force: true });
    },
  };
}

const test = (folder: string, files: readonly string[]): Promise<Ended> =>
  run("npx", ["vitest", "run", "--bail", "1", ...files], folder);

async function tryWithout(folder: string, { file, guard, instead, tests }: Guard): Promise<Tried> {
  const path = join(folder, file);
  const whole = await readFile(path, "utf8");
  if (whole.split(guard).length !== 2) return { verdict: "NOT FOUND" };
  await writeFile(
    path,
    whole.replace(guard, () => instead),
  );
  try {
    return verdictOn(await test(folder, tests));
  } finally {
    await writeFile(path, whole);
  }
}

const usage = "npm run mutants -- [--only TEXT] [--at-once N]";
const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    "at-once": { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});
const atOnce = Number(values["at-once"]);
if (values.help || !Number.isInteger(atOnce) || atOnce < 1 || atOnce > 8) {
  console.log(`${usage}, N from 1 to 8`);
  process.exit(values.help ? 0 : 2);
}
const wanted = guards.filter(({ name }) => name.includes(values.only));
const beganAtMs = performance.now();
const secondsSince = (atMs: number): string => `${((performance.now() - atMs) / 1_000).toFixed(0)} s`;
const copies: Awaited<ReturnType<typeof copyCommit>>[] = [];
const removeCopies = () => Promise.all(copies.map((copy) => copy.remove()));
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void removeCopies().finally(() => process.exit(1)));

const waiting = wanted.entries();
/** Takes one guard after the other out of this copy, as long as there are any. */
async function tryNext(folder: string): Promise<number> {
  let killed = 0;
  for (const [index, guard] of waiting) {
    const startedAtMs = performance.now();
    const { verdict, by } = await tryWithout(folder, guard);
    if (verdict === "killed") killed += 1;
    const place = `[${index + 1}/${wanted.length}]`;
    console.log(`${place} ${verdict.padEnd(9)} ${guard.name} (${secondsSince(startedAtMs)})`);
    if (by !== undefined) console.log(`    by: ${by}`);
  }
  return killed;
}

try {
  for (let count = 0; count < atOnce; count += 1) copies.push(await copyCommit());
  const files = [...new Set(wanted.flatMap(({ tests }) => tests))];
  console.log(`${wanted.length} guards; first with all of them in place, ${files.length} test files …`);
  const { code, said } = await test(copies[0]?.folder ?? root, files);
  if (code !== 0) throw new Error(`the tests fail by themselves:\n${said.slice(-4_000)}`);
  const killed = (await Promise.all(copies.map(({ folder }) => tryNext(folder)))).reduce((a, b) => a + b);
  console.log(
    `\n${killed} of ${wanted.length} are missed by a test, after ${secondsSince(beganAtMs)} in all.`,
  );
  process.exitCode = killed === wanted.length ? 0 : 1;
} finally {
  await removeCopies();
}
