/** Where the keystore's passphrase comes from: a descriptor, a file or an environment variable; never an argument. */
import { close, fstat, open, read } from "node:fs";
import { promisify } from "node:util";

/** Exactly one is named. The descriptor is preferred: it leaves the passphrase neither on a disk nor in `/proc`. */
export interface PassphraseSource {
  /** An open file descriptor, 0 or from 3 up. It is read up to its first line end and closed. */
  descriptor?: number | undefined;
  /** A file's path. Its first line is the passphrase. */
  file?: string | undefined;
  /**
   * The name of an environment variable; it is removed from `process.env` once read, so that no child inherits it, and
   * stays in `/proc`: for trying out only.
   */
  variable?: string | undefined;
}

/** Why there is no passphrase. The message names the source, never what was in it. */
export class PassphraseError extends Error {
  override readonly name = "PassphraseError";
  constructor(
    readonly code: "no_source" | "several_sources" | "unreadable" | "empty" | "too_long",
    message: string,
  ) {
    super(message);
  }
}

const maximumBytes = 4096;

/**
 * Reads the passphrase: the first line, without its line end.
 * @throws PassphraseError when no or several sources are named, or when the one named gives nothing usable
 */
export async function readPassphrase(source: PassphraseSource): Promise<string> {
  const named = [source.descriptor, source.file, source.variable].filter((one) => one !== undefined);
  if (named.length === 0)
    throw new PassphraseError("no_source", "No source of the passphrase is configured.");
  if (named.length > 1) {
    throw new PassphraseError(
      "several_sources",
      "Several sources of the passphrase are configured: name one.",
    );
  }
  const { label, text } = await readSource(source);
  const line = text.split(/\r?\n/, 1)[0] ?? "";
  if (line === "") throw new PassphraseError("empty", `The passphrase from ${label} is empty.`);
  if (Buffer.byteLength(line) > maximumBytes) {
    throw new PassphraseError(
      "too_long",
      `The passphrase from ${label} is longer than ${maximumBytes} bytes.`,
    );
  }
  return line;
}

async function readSource(source: PassphraseSource): Promise<{ label: string; text: string }> {
  if (source.variable !== undefined) {
    const text = process.env[source.variable] ?? "";
    delete process.env[source.variable];
    return { label: `the variable ${source.variable}`, text };
  }
  const label = source.file === undefined ? `descriptor ${source.descriptor}` : `the file ${source.file}`;
  try {
    const descriptor =
      source.file === undefined ? (source.descriptor ?? 0) : await promisify(open)(source.file, "r");
    if (source.file === undefined) await refuseRuntimesOwn(descriptor);
    return { label, text: await readFirstLine(descriptor) };
  } catch {
    throw new PassphraseError("unreadable", `The passphrase can't be read from ${label}.`);
  }
}

/** A descriptor that was named and not given may be the runtime's own event queue: closing that would end the process. */
async function refuseRuntimesOwn(descriptor: number): Promise<void> {
  const status = await promisify(fstat)(descriptor);
  if (!status.isFile() && !status.isFIFO() && !status.isSocket() && !status.isCharacterDevice())
    throw new Error("nothing to read from");
}

/**
 * Stops at a line end, so that a writer who keeps the pipe open doesn't hold up the start, and at the size limit. A
 * stream would read ahead and hang there. Closes the descriptor in any case.
 */
async function readFirstLine(descriptor: number): Promise<string> {
  const buffer = Buffer.alloc(maximumBytes + 2);
  let length = 0;
  try {
    while (length < buffer.length && !buffer.subarray(0, length).includes(0x0a)) {
      const { bytesRead } = await promisify(read)(descriptor, buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.toString("utf8", 0, length);
  } finally {
    buffer.fill(0);
    await promisify(close)(descriptor);
  }
}
