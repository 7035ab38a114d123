/** The keys are in a process of their own: what it gives away, what it can't be made to do, and when it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Mnemonic, randomBytes } from "ethers";
import pg from "pg";
import type { Address } from "viem";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { readConfig } from "../../engine/config.ts";
import { startSignerProcess } from "../../engine/signer-process.ts";
import { enter } from "../../scripts/demo/actors.ts";
import { findFreePort } from "../../scripts/local/processes.ts";
import { deriveAddress, derivePrivateKey, type WalletRef } from "../../wallets/derivation.ts";
import { createKeystore } from "../../wallets/keystore.ts";
import { Seed } from "../../wallets/seed.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { createTestDatabase, type TestDatabase } from "../helpers/database.ts";
import { waitFor } from "../helpers/wait.ts";
import { isAlive, type Run, run } from "../local/started-engine.ts";

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

async function start(changes: Record<string, string> = {}): Promise<{ engine: Run; origin: string }> {
  const port = await findFreePort();
  const engine = run("start.ts", [], { ...environment, PORT: String(port), ...changes });
  running.push(engine);
  const origin = `http://localhost:${port}`;
  await waitFor(() => engine.output().includes(`runs at ${origin}`) || !isAlive(engine.pid), {
    what: "the engine",
    timeoutMs: 60_000,
  });
  return { engine, origin };
}

/** The process that a process started for its keys. */
async function keyHolderOf(pid: number): Promise<number> {
  for (const name of await readdir("/proc")) {
    const status = await readFile(`/proc/${name}/status`, "utf8").catch(() => "");
    if (!status.includes(`\nPPid:\t${pid}\n`)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, "utf8");
    if (command.includes("signer-main")) return Number(name);
  }
  throw new Error(`process ${pid} has started nobody who holds keys`);
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

it("no key is in the memory of the process that serves people, in its log or in the database (SAFETY 42)", async () => {
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

  const secrets = secretsOf([vault, gas, deposit]);
  const keyHolder = await keyHolderOf(engine.pid);
  const all = secrets.flatMap(({ needles }) => needles);
  // The search finds what is there.
  const [held, leaked] = [await remembers(keyHolder, all), await remembers(engine.pid, all)];
  expect(held.filter(Boolean).length).toBeGreaterThan(2);
  const written = Buffer.from(`${engine.output()}${engine.errors()}${await everyRow()}`.toLowerCase());
  const found = secrets.filter(({ needles }) =>
    needles.some(
      (needle) => leaked[all.indexOf(needle)] || written.includes(needle.toString("latin1").toLowerCase()),
    ),
  );
  expect(found.map(({ name }) => name)).toEqual([]);

  // Nothing may write its memory to a disk, or open it to a debugger.
  expect(await readFile(`/proc/${keyHolder}/limits`, "utf8")).toMatch(/Max core file size +0 +0 /);
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

async function query<Row>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** Everything that the database holds, as text. */
async function everyRow(): Promise<string> {
  const tables = await query<{ name: string }>(
    database.ownerUrl,
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
  );
  expect(tables.length).toBeGreaterThan(20);
  const texts = await Promise.all(
    tables.map(({ name }) =>
      query<{ line: string }>(database.ownerUrl, `SELECT t::text AS line FROM ${name} t`),
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

it("when the keys' process is killed the engine says so and stops; when the engine is killed, no key is left behind", async () => {
  const first = await start();
  process.kill(await keyHolderOf(first.engine.pid), "SIGKILL");
  expect(await first.engine.ended()).toBe(1);
  expect(first.engine.errors()).toContain(
    "The process that holds the keys has ended. The engine stops; start it again.",
  );

  const second = await start();
  const keyHolder = await keyHolderOf(second.engine.pid);
  second.engine.signal("SIGKILL");
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
      query(database.signerUrl, "SELECT count(*) FROM instruction"),
      query(database.signerUrl, "INSERT INTO instruction DEFAULT VALUES"),
      query(database.signerUrl, "UPDATE wallet SET frozen_reason = NULL"),
      query(database.signerUrl, "SELECT * FROM session"),
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
