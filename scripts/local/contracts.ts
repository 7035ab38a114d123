import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { findFoundryBinary } from "./binaries.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const outputFolder = join(root, "out");
const compiledFile = join(outputFolder, "contracts.json");
const sourceFolders = ["test/contracts", "wallets/contracts"];

const hex = z.custom<`0x${string}`>((value) => typeof value === "string" && /^0x[0-9a-f]*$/i.test(value));
const compiledSchema = z.object({
  sourcesHash: z.string(),
  contracts: z.record(z.string(), z.object({ creationCode: hex, runtimeCode: hex })),
});
const artifactSchema = z.object({
  bytecode: z.object({ object: hex }),
  deployedBytecode: z.object({ object: hex }),
});

/** Hex of a contract: the code to send in a creating transaction, and the code that then stands at its address. */
export type CompiledContract = { creationCode: `0x${string}`; runtimeCode: `0x${string}` };
export type CompiledContracts = Record<string, CompiledContract>;

/**
 * The contracts of this repository by name, compiled by forge when their sources changed since the last time. Any number
 * of processes may ask at once: each compiles on its own and the finished file replaces the old one whole.
 */
export async function compileContracts(): Promise<CompiledContracts> {
  const sourcesHash = await hashSources();
  const cached = await readCompiled();
  if (cached?.sourcesHash === sourcesHash) return cached.contracts;

  const buildFolder = join(outputFolder, `.build-${randomUUID()}`);
  try {
    await forgeBuild(buildFolder);
    const contracts = await readArtifacts(buildFolder);
    const temporaryFile = join(outputFolder, `.contracts-${randomUUID()}.json`);
    await writeFile(temporaryFile, JSON.stringify({ sourcesHash, contracts }));
    await rename(temporaryFile, compiledFile);
    return contracts;
  } finally {
    await rm(buildFolder, { recursive: true, force: true });
  }
}

/** @throws when the repository has no contract of that name. */
export function contractNamed(contracts: CompiledContracts, name: string): CompiledContract {
  const contract = contracts[name];
  if (!contract)
    throw new Error(`No contract is called ${name}: there are ${Object.keys(contracts).join(", ")}`);
  return contract;
}

async function forgeBuild(buildFolder: string): Promise<void> {
  await mkdir(buildFolder, { recursive: true });
  const flags = ["build", "--root", root, "--out", buildFolder, "--cache-path", join(buildFolder, "cache")];
  flags.push("--skip", "test"); // Forge's own tests have a run of their own.
  await promisify(execFile)(findFoundryBinary("forge"), flags, { cwd: root, timeout: 120_000 });
}

/** Only our own contracts: what they import from libraries has no use alone. */
async function readArtifacts(buildFolder: string): Promise<CompiledContracts> {
  const contracts: CompiledContracts = {};
  for (const source of await listSources()) {
    const name = source.slice(source.lastIndexOf("/") + 1, -".sol".length);
    const file = join(buildFolder, `${name}.sol`, `${name}.json`);
    const artifact = artifactSchema.parse(JSON.parse(await readFile(file, "utf8")));
    contracts[name] = {
      creationCode: artifact.bytecode.object,
      runtimeCode: artifact.deployedBytecode.object,
    };
  }
  return contracts;
}

async function readCompiled(): Promise<z.infer<typeof compiledSchema> | undefined> {
  try {
    return compiledSchema.parse(JSON.parse(await readFile(compiledFile, "utf8")));
  } catch {
    return undefined;
  }
}

/** Everything that can change the result: our sources, the settings, and the versions of the compiler and library. */
async function hashSources(): Promise<string> {
  const hash = createHash("sha256");
  const settings = [
    "foundry.toml",
    "node_modules/solc/package.json",
    "node_modules/@openzeppelin/contracts/package.json",
  ];
  for (const file of [...settings, ...(await listSources())]) {
    hash
      .update(file)
      .update("\0")
      .update(await readFile(join(root, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

async function listSources(): Promise<string[]> {
  const lists = sourceFolders.map(async (folder) => {
    const files = await readdir(join(root, folder)).catch(() => []);
    return files.filter((file) => file.endsWith(".sol")).map((file) => `${folder}/${file}`);
  });
  return (await Promise.all(lists)).flat().sort();
}
