/**
 * `npm test`: lint, types, the whole suite, then whole stories in a real browser. Stops at the first part that fails.
 * What takes one processor only is done side by side.
 */
import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";

interface Part {
  what: string;
  command: string[];
}
const part = (what: string, ...command: string[]): Part => ({ what, command });

const steps: Part[][] = [
  [
    part("Format and lint", "biome", "ci", "."),
    part("Types, layer by layer", "tsc", "-b"),
    part("Lint that needs types, and which layer imports which", "oxlint"),
    part("The web client", "vite", "build", "--config", "web/vite.config.ts", "--logLevel", "warn"),
    part("The schema that the migrations give", "tsx", "scripts/dump-schema.ts", "--check"),
  ],
  [part("Tests", "vitest", "run")],
  [part("Stories in a browser", "vitest", "run", "--config", "vitest.e2e.config.ts")],
];

/** Answers the exit code. One of several keeps what it says until its end, so that their lines don't mix. */
function run({ command }: Part, { isAlone }: { isAlone: boolean }): Promise<number> {
  const child = spawn("npx", command, { stdio: isAlone ? "inherit" : ["ignore", "pipe", "pipe"] });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => said.push(chunk));
  return new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("close", (code) => {
      process.stdout.write(Buffer.concat(said));
      resolve(code ?? 1);
    });
  });
}

for (const [index, parts] of steps.entries()) {
  const place = `[${index + 1}/${steps.length}]`;
  console.log(`\n${place} ${parts.map(({ what }) => what).join(" · ")}`);
  const codes = parts.map(async (one) => {
    const startedAtMs = performance.now();
    const code = await run(one, { isAlone: parts.length === 1 });
    const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
    if (code === 0) console.log(`${place} ${one.what}: fine, ${seconds} s`);
    else console.error(`${place} ${one.what}: failed after ${seconds} s`);
    return code;
  });
  const failed = (await Promise.all(codes)).find((code) => code !== 0);
  if (failed !== undefined) process.exit(failed);
}
