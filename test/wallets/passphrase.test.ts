import { spawn } from "node:child_process";
import { once } from "node:events";
import { fstatSync, openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type PassphraseError, readPassphrase } from "../../wallets/passphrase.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "passphrase-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function fileWith(text: string): Promise<string> {
  const path = join(directory, "passphrase");
  await writeFile(path, text);
  return path;
}

/** Which file a descriptor stands for; null when for none. */
function fileBehind(descriptor: number): { dev: number; ino: number } | null {
  try {
    const { dev, ino } = fstatSync(descriptor);
    return { dev, ino };
  } catch {
    return null;
  }
}

const codeOf = (work: Promise<string>): Promise<string> =>
  work.then(
    () => "read",
    (error: PassphraseError) => error.code,
  );

test("the first line of a file is the passphrase, spaces and all", async () => {
  expect(await readPassphrase({ file: await fileWith(" two words \n") })).toBe(" two words ");
  expect(await readPassphrase({ file: await fileWith("windows\r\nsecond line\r\n") })).toBe("windows");
  expect(await readPassphrase({ file: await fileWith("ключ 🔑") })).toBe("ключ 🔑");
});

test("a descriptor is read and closed", async () => {
  const descriptor = openSync(await fileWith("from a descriptor\n"), "r");
  const file = fileBehind(descriptor);
  expect(await readPassphrase({ descriptor })).toBe("from a descriptor");
  // Its number may have been given to another file since.
  expect(fileBehind(descriptor)).not.toEqual(file);
});

test("a pipe whose writer stays open doesn't hold up the start", async () => {
  const module = new URL("../../wallets/passphrase.ts", import.meta.url).pathname;
  const program = `import { readPassphrase } from ${JSON.stringify(module)};
    readPassphrase({ descriptor: 3 }).then((text) => process.stdout.write(String(text.length)));`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  const pipe = child.stdio[3] as NodeJS.WritableStream;
  pipe.write("through a pipe\n");
  const [answer] = (await once(child.stdout ?? child, "data")) as [Buffer];
  expect(answer.toString()).toBe("14");
  pipe.end();
  await once(child, "exit");
});

test("an environment variable is gone once it was read, so that no child inherits it", async () => {
  process.env.RAIL_TEST_PASSPHRASE = "from the environment";
  expect(await readPassphrase({ variable: "RAIL_TEST_PASSPHRASE" })).toBe("from the environment");
  expect(process.env).not.toHaveProperty("RAIL_TEST_PASSPHRASE");
  expect(await codeOf(readPassphrase({ variable: "RAIL_TEST_PASSPHRASE" }))).toBe("empty");
});

test("no source, two sources, nothing in it, nothing there: each is its own refusal", async () => {
  const file = await fileWith("\nsecond");
  expect(await codeOf(readPassphrase({}))).toBe("no_source");
  expect(await codeOf(readPassphrase({ file, variable: "HOME" }))).toBe("several_sources");
  expect(process.env.HOME).toBeDefined();
  expect(await codeOf(readPassphrase({ file }))).toBe("empty");
  expect(await codeOf(readPassphrase({ file: join(directory, "missing") }))).toBe("unreadable");
  expect(await codeOf(readPassphrase({ file: await fileWith("x".repeat(10_000)) }))).toBe("too_long");
});
