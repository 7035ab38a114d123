/** `npm run operator` as a person runs it: a process of its own, with the environment it is given and no other. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { loader } from "../../scripts/local/loader.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Answer {
  code: number | null;
  stdout: string;
  stderr: string;
}
/** A database and a node that nobody listens for: what is said without them was said before anything was opened. */
export const nowhere = {
  DATABASE_URL: "postgres://operator:a-secret@127.0.0.1:1/books",
  BASE_RPC_URLS: "http://127.0.0.1:1",
};

/** @param descriptor what can be read from file descriptor 3; absent: that isn't given */
export const runOperator = (
  args: readonly string[],
  options: { environment?: Record<string, string>; descriptor?: string | undefined } = {},
): Promise<Answer> => runScript("scripts/operator.ts", args, options);

export async function runScript(
  script: string,
  args: readonly string[],
  {
    environment = nowhere,
    descriptor,
  }: { environment?: Record<string, string>; descriptor?: string | undefined } = {},
): Promise<Answer> {
  const child = spawn(process.execPath, ["--import", loader, script, ...args], {
    cwd: root,
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdio: ["ignore", "pipe", "pipe", ...(descriptor === undefined ? [] : ["pipe" as const])],
  });
  const { stdout, stderr } = child;
  const third = child.stdio[3] as Writable | undefined;
  third?.end(descriptor);
  if (stdout === null || stderr === null) throw new Error("The command has no pipes");
  const [out, err, [code]] = await Promise.all([text(stdout), text(stderr), once(child, "exit")]);
  return { code: code as number | null, stdout: out, stderr: err };
}

/** One that was refused: nothing on stdout, a sentence on stderr and not where in the code it came from. */
export function expectRefusal(answer: Answer, { code, says }: { code: 1 | 2; says: string }): void {
  expect(answer.stderr).toContain(says);
  expect(answer.stderr).not.toMatch(/^\s+at |\bError\b|node_modules|a-secret/m);
  expect(answer).toMatchObject({ code, stdout: "" });
}
