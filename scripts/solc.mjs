#!/usr/bin/env node
// forge calls a compiler as a program; npm's solc is a library. This answers the two calls forge makes:
// `--version`, and `--standard-json` with the sources inlined on standard input.
import { readFileSync } from "node:fs";
import solc from "solc";

const flags = process.argv.slice(2);

if (flags.includes("--version")) {
  const version = solc.version().replace(".Emscripten.clang", ".Linux.g++");
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else if (flags.includes("--standard-json")) {
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
} else {
  process.stderr.write(`solc.mjs answers --version and --standard-json, not: ${flags.join(" ")}\n`);
  process.exitCode = 1;
}
