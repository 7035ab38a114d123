/** The keys are in a process of their own: what it gives away, what it can't be made to do, and when it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { hexlify, Mnemonic, randomBytes } from "ethers";
import type { Address } from "viem";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { readConfig } from "../../engine/config.ts";
import { startSignerProcess } from "../../engine/signer-process.ts";
import { enter } from "../../scripts/demo/actors.ts";
import { findFreePort } from "../../scripts/local/processes.ts";
import { backUp } from "../../scripts/operator/copies.ts";
import { deriveAddress, derivePrivateKey, type WalletRef } from "../../wallets/derivation.ts";
import { createKeystore } from "../../wallets/keystore.ts";
import { Seed } from "../../wallets/seed.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { createTestDatabase, queryOnce, type TestDatabase } from "../helpers/database.ts";
import { waitFor } from "../helpers/wait.ts";
import { isAlive, type Run, run } from "../local/started-engine.ts";
import { keyHolderOf } from "./whole-engine.ts";

/** Several engines start, each with a keystore that is slow to open by design. */
vi.setConfig({ testTimeout: 480_000 });

/** Where Node's inspector listens unless told otherwise. Somebody else's may be there. */
const inspectorPort = 9_229;
const mnemonic = Mnemonic.fromEntropy(randomBytes(32));
const seed = new Seed(mnemonic.phrase);
const passphrase = "a canary in the mine, and its song";
const vault: WalletRef = { purpose: "vault", index: 0 };
const gas: WalletRef = { purpose: "gas", index: 0 };

let folder: string;
let database: TestDatabase;
let chain: TestChain;
let environment: Record<string, string>;
const running: Run[] = [];

beforeAll(async () => {
  [folder, database, chain] = await Promise.all([
    mkdtemp(join(tmpdir(), "on-the-rail-keys-")),
    createTestDatabase(),
    startTestChain({ blockTimeSeconds: 1 }),
  ]);
  const passphraseFile = join(folder, "passphrase");
  const keystore = join(folder, "seed.json");
  await writeFile(passphraseFile, `${passphrase}\n`, { mode: 0o600 });
  await createKeystore({ path: keystore, passphrase, mnemonic: mnemonic.phrase });
  environment = {
    DATABASE_URL: database.appUrl,
    DATABASE_SIGNER_URL: database.signerUrl,
    BASE_RPC_URLS: `${chain.rpcUrl},${chain.wsUrl}`,
    KEYSTORE_FILE: keystore,
    KEYSTORE_PASSPHRASE_FILE: passphraseFile,
    LOG_LEVEL: "trace",
  };
});
afterAll(async () => {
  for (const each of running) if (isAlive(each.pid)) each.signal("SIGKILL");
  await chain?.stop();
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

/** Where the passphrase comes from. */
type Way = "file" | "descriptor" | "variable";

async function start(way: Way = "file"): Promise<{ engine: Run; origin: string }> {
  const port = await findFreePort();
  const { KEYSTORE_PASSPHRASE_FILE: file = "", ...others } = environment;
  const source: Record<Way, Record<string, string>> = {
    file: { KEYSTORE_PASSPHRASE_FILE: file },
    descriptor: { KEYSTORE_PASSPHRASE_FD: "3" },
    variable: { KEYSTORE_PASSPHRASE: passphrase },
  };
  const given = way === "descriptor" ? `${passphrase}\n` : undefined;
  const engine = run("start.ts", [], { ...others, PORT: String(port), ...source[way] }, given);
  running.push(engine);
  const origin = `http://localhost:${port}`;
  await waitFor(() => engine.output().includes(`runs at ${origin}`) || !isAlive(engine.pid), {
    what: "the engine",
    timeoutMs: 60_000,
  });
  return { engine, origin };
}

/** Whether some bytes are anywhere in the memory that a process can write to. */
async function remembers(pid: number, needles: Buffer[]): Promise<boolean[]> {
  const found = needles.map(() => false);
  const maps = await readFile(`/proc/${pid}/maps`, "utf8");
  const memory = await open(`/proc/${pid}/mem`, "r");
  const chunk = Buffer.alloc(16 * 1024 * 1024);
  const overlap = Math.max(...needles.map(({ length }) => length));
  for (const line of maps.split("\n")) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
    if (range === null || line.includes("[vvar")) continue;
    const [, from = "0", to = "0"] = range;
    for (let at = Number.parseInt(from, 16); at < Number.parseInt(to, 16); at += chunk.length - overlap) {
      const length = Math.min(chunk.length, Number.parseInt(to, 16) - at);
      const { bytesRead } = await memory.read(chunk, 0, length, at).catch(() => ({ bytesRead: 0 }));
      const read = chunk.subarray(0, bytesRead);
      needles.forEach((needle, index) => {
        found[index] ||= read.includes(needle);
      });
    }
  }
  await memory.close();
  return found;
}

/** Each secret, as text in both widths of a JavaScript string and as bytes. */
function secretsOf(wallets: WalletRef[]): { name: string; needles: Buffer[] }[] {
  const hex = (name: string, text: string) => {
    const digits = text.replace(/^0x/, "");
    return {
      name,
      needles: [Buffer.from(digits, "hex"), Buffer.from(digits, "latin1"), Buffer.from(digits, "utf16le")],
    };
  };
  const text = (name: string, value: string) => ({
    name,
    needles: [Buffer.from(value, "latin1"), Buffer.from(value, "utf16le")],
  });
  return [
    text("the words", mnemonic.phrase),
    text("some of the words", mnemonic.phrase.split(" ").slice(0, 4).join(" ")),
    text("the passphrase", passphrase),
    hex("the entropy", mnemonic.entropy),
    hex("the seed", mnemonic.computeSeed()),
    ...wallets.map((wallet) =>
      hex(`the key of ${wallet.purpose}`, derivePrivateKey({ seed, wallet }).signingKey.privateKey),
    ),
  ];
}

/** Ether to somebody whom the books don't know: committed, and nothing that the signer would sign. */
async function provokeRefusal(engine: Run): Promise<void> {
  const stranger = hexlify(randomBytes(20));
  await chain.setEther(deriveAddress({ seed, wallet: gas }) as Address, 10n ** 20n);
  await queryOnce(
    database.appUrl,
    `INSERT INTO instruction (kind, source_wallet_id, token, destination, amount, cause)
     SELECT 'topup', id, NULL, '${stranger}', 1, 'test' FROM wallet WHERE purpose = 'gas'`,
  );
  await waitFor(() => engine.output().includes("destination_not_allowed"), {
    what: "the signer's refusal",
    timeoutMs: 60_000,
  });
}

/**
 * Which secrets are where they mustn't be, after a refused signature: in the memory or the environment of the process that
 * serves people, in its log, in the database, in a backup.
 */
async function findLeaks({ pid, output, errors }: Run, secrets: ReturnType<typeof secretsOf>) {
  const all = secrets.flatMap(({ needles }) => needles);
  // The search finds what is there.
  const held = await remembers(await keyHolderOf(pid), all);
  expect(held.filter(Boolean).length).toBeGreaterThan(2);
  const inMemory = await remembers(pid, all);
  const backup = join(folder, `${pid}.backup`);
  await backUp(database.ownerUrl, backup);
  const copied = gunzipSync(await readFile(backup)).toString("utf8");
  expect(copied).toContain(deriveAddress({ seed, wallet: vault }).toLowerCase());
  const written = Buffer.from(`${output()}${errors()}${await everyRow()}${copied}`.toLowerCase());
  const environ = await readFile(`/proc/${pid}/environ`);
  const namesOf = (isIn: (needle: Buffer) => boolean): string[] =>
    secrets.filter(({ needles }) => needles.some(isIn)).map(({ name }) => name);
  return {
    memory: namesOf((needle) => inMemory[all.indexOf(needle)] === true),
    environ: namesOf((needle) => environ.includes(needle)),
    written: namesOf((needle) => written.includes(needle.toString("latin1").toLowerCase())),
  };
}

it("no key is in the memory of the process that serves people, in its log, in the database or in a backup (SAFETY 42)", async () => {
  const { engine, origin } = await start();
  const deposit: WalletRef = { purpose: "deposit", index: 0 };
  await chain.setEther(deriveAddress({ seed, wallet: gas }) as Address, 10n ** 20n);
  const marcus = await enter({ origin, rpcUrl: chain.rpcUrl, accountIndex: 1, handle: "marcus" });
  const { address } = await marcus.api.call("readDepositAddress");
  await chain.mint(chain.usdc, address as Address, 5_000_000n);
  await marcus.live.until("deposit:update", ({ deposit: { state } }) => state === "final");
  const before = await chain.balanceOf(chain.usdc, marcus.address);
  const { id } = await marcus.api.call("withdraw", {
    body: { token: chain.usdc, amount: "5000000", address: marcus.address },
  });
  await marcus.live.until(
    "withdrawal:update",
    ({ withdrawal: { state, ...it } }) => it.id === id && state === "final",
  );
  expect(await chain.balanceOf(chain.usdc, marcus.address)).toBe(before + 5_000_000n);
  marcus.live.close();

  await provokeRefusal(engine);
  const leaks = await findLeaks(engine, secretsOf([vault, gas, deposit]));
  expect(leaks).toEqual({ memory: [], environ: [], written: [] });
  const keyHolder = await keyHolderOf(engine.pid);

  // Nothing may write its memory to a disk, or open it to a debugger.
  // One byte is the only limit that the kernel keeps to where it hands the dump to a program.
  expect(await readFile(`/proc/${keyHolder}/limits`, "utf8")).toMatch(/Max core file size +1 +1 /);
  const wasTaken = await answers(inspectorPort);
  process.kill(keyHolder, "SIGUSR1");
  await untilAnotherIsOpen();
  expect(await answers(inspectorPort)).toBe(wasTaken);
  expect(engine.errors()).not.toMatch(/inspector|debugger/i);
  expect(isAlive(keyHolder)).toBe(true);

  engine.signal("SIGTERM");
  expect(await engine.ended()).toBe(0);
  await waitFor(() => !isAlive(keyHolder), { what: "the end of the process that holds the keys" });
});

/** Everything that the database holds, as text. */
async function everyRow(): Promise<string> {
  const tables = await queryOnce<{ name: string }>(
    database.ownerUrl,
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
  );
  expect(tables.length).toBeGreaterThan(20);
  const texts = await Promise.all(
    tables.map(({ name }) =>
      queryOnce<{ line: string }>(database.ownerUrl, `SELECT t::text AS line FROM ${name} t`),
    ),
  );
  return texts
    .flat()
    .map(({ line }) => line)
    .join("\n");
}

/**
 * A process that doesn't listen to the signal gets it as well, later, and opens its inspector: one that was signalled
 * before would have opened its own by then.
 */
async function untilAnotherIsOpen(): Promise<void> {
  const program = 'process.stdout.write("ready"); setInterval(() => undefined, 1_000);';
  const child = spawn(process.execPath, ["--inspect-port=0", "-e", program], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  try {
    await once(child.stdout, "data");
    child.kill("SIGUSR1");
    await waitFor(() => said.includes("Debugger listening"), { what: "an inspector", timeoutMs: 20_000 });
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
  });

it("a passphrase from a descriptor leaves nothing either; when the keys' process is killed the engine says so and stops", async () => {
  const { engine } = await start("descriptor");
  await provokeRefusal(engine);
  expect(await findLeaks(engine, secretsOf([vault, gas]))).toEqual({ memory: [], environ: [], written: [] });
  process.kill(await keyHolderOf(engine.pid), "SIGKILL");
  expect(await engine.ended()).toBe(1);
  expect(engine.errors()).toContain(
    "The process that holds the keys has ended. The engine stops; start it again.",
  );
});

it("one from a variable stays where the process began with it, and no key with it; when the engine is killed, none is left behind", async () => {
  const { engine } = await start("variable");
  await provokeRefusal(engine);
  // As docs/security.md says: the kernel keeps what a process was started with.
  const leaks = await findLeaks(engine, secretsOf([vault, gas]));
  expect(leaks).toEqual({ memory: ["the passphrase"], environ: ["the passphrase"], written: [] });
  const keyHolder = await keyHolderOf(engine.pid);
  engine.signal("SIGKILL");
  await waitFor(() => !isAlive(keyHolder), { what: "the end of the process that holds the keys" });
});

it("a passphrase that is wrong, and a login that could write down what it signs, are refused at the start (SAFETY 41)", async () => {
  const wrong = join(folder, "wrong");
  await writeFile(wrong, "another passphrase altogether\n");
  const starting = (changes: Record<string, string>) =>
    startSignerProcess(readConfig({ ...environment, ...changes }), { known: [] });
  await expect(starting({ KEYSTORE_PASSPHRASE_FILE: wrong })).rejects.toThrow("passphrase");
  await expect(starting({ DATABASE_SIGNER_URL: database.appUrl })).rejects.toThrow(
    "DATABASE_SIGNER_URL: this login may change",
  );
});

it("whoever speaks with it gets addresses, and no signature on anything that isn't committed (SAFETY 42)", async () => {
  const { signer, close } = await startSignerProcess(readConfig(environment), { known: [] });
  try {
    expect(await signer.addressOf(vault)).toBe(deriveAddress({ seed, wallet: vault }).toLowerCase());
    const request = {
      instructionId: "999999",
      wallet: vault,
      nonce: 0,
      gasLimit: 60_000n,
      maxFeePerGas: 1_000_000n,
      maxPriorityFeePerGas: 0n,
    };
    await expect(signer.sign(request)).rejects.toMatchObject({
      code: "instruction_unknown",
      retriable: false,
    });
    await expect(
      signer.sign({ ...request, destination: `0x${"1".repeat(40)}` } as never),
    ).rejects.toMatchObject({
      code: "malformed_request",
    });
    await expect(signer.addressOf({ purpose: "vault", index: -1 })).rejects.toThrow("The signer didn't sign");
    const [read, ...others] = await Promise.allSettled([
      queryOnce(database.signerUrl, "SELECT count(*) FROM instruction"),
      queryOnce(database.signerUrl, "INSERT INTO instruction DEFAULT VALUES"),
      queryOnce(database.signerUrl, "UPDATE wallet SET frozen_reason = NULL"),
      queryOnce(database.signerUrl, "SELECT * FROM session"),
    ]);
    expect(read.status).toBe("fulfilled");
    expect(others.map((one) => one.status === "rejected" && String(one.reason))).toEqual([
      "error: permission denied for table instruction",
      "error: permission denied for table wallet",
      "error: permission denied for table session",
    ]);
  } finally {
    await close();
  }
  await expect(signer.addressOf(vault)).rejects.toThrow("The process that holds the keys has ended.");
});
