import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openKeystore } from "../../wallets/keystore.ts";
import { expectRefusal, runOperator } from "./command-line.ts";

/** Each seed costs a second of hard work on purpose, and is opened once to prove it. */
const passphrase = "nine words are better than one";
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "on-the-rail-keystore-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const create = (path: string, environment: Record<string, string>, descriptor?: string) =>
  runOperator(["create-keystore", path], {
    environment,
    ...(descriptor === undefined ? {} : { descriptor }),
  });

it("a new seed is in a file of its owner's only, opens with the passphrase alone, and is never written over", async () => {
  const path = join(folder, "made", "seed.json");
  const made = await create(path, { KEYSTORE_PASSPHRASE_FD: "3" }, `${passphrase}\n`);
  expect(made).toEqual({
    code: 0,
    stdout: `A new seed is in ${path}. Copy it now, and keep its passphrase somewhere else.\n`,
    stderr: "",
  });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, "made"))).mode & 0o777).toBe(0o700);
  expect(await readdir(join(folder, "made"))).toEqual(["seed.json"]);
  const bytes = await readFile(path);
  expect(JSON.parse(bytes.toString())).toMatchObject({ version: 3 });

  expect((await openKeystore({ path, passphrase })).isPublished).toBe(false);

  const again = await create(path, { KEYSTORE_PASSPHRASE: passphrase });
  expectRefusal(again, { code: 1, says: `Something is already at ${path}. It was not touched.` });
  expect(await readFile(path)).toEqual(bytes);
  expect(await readdir(join(folder, "made"))).toEqual(["seed.json"]);
});

it("without a good passphrase or a place to write, nothing is made and it says what to change", async () => {
  const [path, aFile, empty] = [join(folder, "none.json"), join(folder, "a-file"), join(folder, "empty")];
  await Promise.all([writeFile(aFile, passphrase), writeFile(empty, "\n")]);
  const cases: [environment: Record<string, string>, says: string, at?: string][] = [
    [{}, "set KEYSTORE_PASSPHRASE_FD, KEYSTORE_PASSPHRASE_FILE or KEYSTORE_PASSPHRASE."],
    [{ KEYSTORE_PASSPHRASE_FD: "three" }, "KEYSTORE_PASSPHRASE_FD is the number of an open file descriptor"],
    [{ KEYSTORE_PASSPHRASE_FD: "3" }, "The passphrase can't be read from descriptor 3."],
    [{ KEYSTORE_PASSPHRASE: passphrase, KEYSTORE_PASSPHRASE_FILE: aFile }, "name one."],
    [{ KEYSTORE_PASSPHRASE_FILE: empty }, `The passphrase from the file ${empty} is empty.`],
    [{ KEYSTORE_PASSPHRASE: "too short" }, "The passphrase must have at least 12 characters."],
    [{ KEYSTORE_PASSPHRASE_FILE: aFile }, "The keystore can't be written: ", join(aFile, "seed.json")],
  ];
  for (const [environment, says, at = path] of cases)
    expectRefusal(await create(at, environment), { code: 1, says });
  expect((await readdir(folder)).sort()).toEqual(["a-file", "empty", "made"]);
});

it("a file that isn't named is asked for, and an option it doesn't know isn't passed over", async () => {
  const environment = { KEYSTORE_PASSPHRASE: passphrase };
  expectRefusal(await runOperator(["create-keystore"], { environment }), {
    code: 2,
    says: "Name the FILE: npm run operator -- create-keystore FILE",
  });
  const path = join(folder, "dry.json");
  expectRefusal(await runOperator(["create-keystore", path, "--dry-run"], { environment }), {
    code: 2,
    says: "create-keystore doesn't take --dry-run.",
  });
  await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
});
