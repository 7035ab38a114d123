/** `npm test`: lint, types, the whole suite, then whole stories in a real browser. Stops at the first part that fails. */
import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";

const parts: [what: string, command: string, parameters: string[]][] = [
  ["Format and lint", "npx", ["biome", "ci", "."]],
  ["Types, layer by layer", "npx", ["tsc", "-b"]],
  ["Lint that needs types", "npx", ["eslint", "--max-warnings", "0", "."]],
  ["The web client", "npx", ["vite", "build", "--config", "web/vite.config.ts", "--logLevel", "warn"]],
  ["The schema that the migrations give", "npx", ["tsx", "scripts/dump-schema.ts", "--check"]],
  ["Tests", "npx", ["vitest", "run"]],
  ["Stories in a browser", "npx", ["vitest", "run", "--config", "vitest.e2e.config.ts"]],
];

const run = (command: string, parameters: string[]): Promise<number> =>
  new Promise((resolve) => {
    const child = spawn(command, parameters, { stdio: "inherit" });
    child.once("error", () => resolve(1));
    child.once("close", (code) => resolve(code ?? 1));
  });

for (const [index, [what, command, parameters]] of parts.entries()) {
  console.log(`\n[${index + 1}/${parts.length}] ${what}`);
  const startedAtMs = performance.now();
  const code = await run(command, parameters);
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  if (code !== 0) {
    console.error(`[${index + 1}/${parts.length}] ${what}: failed after ${seconds} s`);
    process.exit(code);
  }
  console.log(`[${index + 1}/${parts.length}] ${what}: fine, ${seconds} s`);
}
