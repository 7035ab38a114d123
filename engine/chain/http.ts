/** One JSON-RPC question over HTTP, bounded in time and size from the first byte to the last. */
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Pool } from "undici";
import { z } from "zod";
import { ProviderFailedError, RpcRefusedError } from "./errors.ts";

/** A node's answer may be this big: a hundred thousand logs, more than what a block of Base can be stuffed with for its gas. */
const maxAnswerBytes = 64 * 1024 * 1024;
/** Codes by which providers say "not now" (rate limits), not "no". */
const notNow = [-32_005, -32_016, 429];

const errorShape = z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() });
const answerShape = z.object({
  id: z.number().nullish(),
  result: z.unknown().optional(),
  error: errorShape.optional(),
});

export interface Question {
  method: string;
  params: readonly unknown[];
}
export type Answered =
  | { ok: true; result: unknown }
  | { ok: false; error: RpcRefusedError | ProviderFailedError };

/** Where a node is and how it wants to be greeted. A redirection isn't followed: it is no answer. */
export class Endpoint {
  readonly #pool: Pool;
  readonly #path: string;
  readonly #headers: Record<string, string> = {
    "content-type": "application/json",
    "accept-encoding": "gzip",
    // Some providers turn away whoever doesn't say what they are.
    "user-agent": "on-the-rail",
  };
  readonly #timeoutMs: number;
  readonly #underWay = new Set<AbortController>();

  constructor(url: string, { timeoutMs }: { timeoutMs: number }) {
    const parsed = new URL(url);
    if (parsed.username !== "" || parsed.password !== "") {
      const credentials = [parsed.username, parsed.password].map(decodeURIComponent).join(":");
      this.#headers.authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
    }
    this.#pool = new Pool(parsed.origin);
    this.#path = parsed.pathname + parsed.search;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Asks once; several questions go in one request, and the answers come in their order.
   * @throws ProviderFailedError when the request got no answer that can be read
   */
  async post(questions: readonly Question[]): Promise<Answered[]> {
    const calls = questions.map(({ method, params }, id) => ({ jsonrpc: "2.0", id, method, params }));
    const said = await this.#exchange(JSON.stringify(calls.length === 1 ? calls[0] : calls));
    const answers = new Map<number, Answered>();
    let otherwise: Answered | null = null;
    for (const one of Array.isArray(said) ? said : [said]) {
      const { data } = answerShape.safeParse(one);
      if (typeof data?.id === "number") answers.set(data.id, read(data));
      // A refusal that names no question is one of all of them.
      else if (data?.error !== undefined) otherwise = read(data);
    }
    return calls.map(({ id }) => answers.get(id) ?? otherwise ?? answeredAnother());
  }

  /** Ends what is under way. */
  close(): void {
    for (const request of this.#underWay) request.abort();
  }

  async #ask(body: string, signal: AbortSignal): Promise<unknown> {
    const response = await this.#pool.request({
      method: "POST",
      path: this.#path,
      headers: this.#headers,
      body,
      signal,
    });
    const bytes = await readBounded(response.body);
    const text = response.headers["content-encoding"] === "gzip" ? await unzipBounded(bytes) : bytes;
    return parse(text.toString("utf8"), response.statusCode);
  }

  async #exchange(body: string): Promise<unknown> {
    const request = new AbortController();
    // The clock runs until the last byte: a body that trickles must not hold anybody up.
    const timer = setTimeout(() => request.abort(), this.#timeoutMs);
    this.#underWay.add(request);
    const given = this.#ask(body, request.signal);
    // An abort doesn't always reach a body that is being read; the clock holds all the same.
    const over = new Promise<never>((_, reject) => {
      request.signal.addEventListener("abort", () => reject(new Error("no whole answer in time")), {
        once: true,
      });
    });
    for (const one of [given, over]) one.catch(() => undefined);
    try {
      return await Promise.race([given, over]);
    } catch (error) {
      // What is still being read is of no use any more.
      request.abort();
      throw error instanceof ProviderFailedError ? error : failureOf(error);
    } finally {
      clearTimeout(timer);
      this.#underWay.delete(request);
    }
  }
}

const answeredAnother = (): Answered => ({
  ok: false,
  error: new ProviderFailedError("an answer to another question", { mayHaveArrived: true }),
});

function read({ result, error }: z.output<typeof answerShape>): Answered {
  if (error === undefined) return { ok: true, result };
  const { code, message, data } = error;
  return notNow.includes(code)
    ? {
        ok: false,
        error: new ProviderFailedError(`not now: ${message.slice(0, 200)}`, { mayHaveArrived: true }),
      }
    : { ok: false, error: new RpcRefusedError(message.slice(0, 500), { rpcCode: code, data }) };
}

const tooLong = (): ProviderFailedError =>
  new ProviderFailedError(`an answer of more than ${maxAnswerBytes} bytes`, { mayHaveArrived: true });

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxAnswerBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function unzipBounded(bytes: Buffer): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: maxAnswerBytes });
  } catch (error) {
    throw (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE" ? tooLong() : error;
  }
}

function parse(text: string, status: number): unknown {
  try {
    const said: unknown = JSON.parse(text);
    if (status < 300) return said;
    // Some nodes put a JSON-RPC refusal under an HTTP error.
    const isRefusal = answerShape.safeParse(said).data?.error !== undefined;
    if (isRefusal && status >= 400 && status !== 429) return said;
  } catch {
    // Not JSON: HTML of a proxy, or half an answer.
  }
  throw new ProviderFailedError(`HTTP ${status} without a usable answer`, { mayHaveArrived: true });
}

function failureOf(error: unknown): ProviderFailedError {
  const codes = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"];
  const causes: unknown[] = [error];
  for (let at = error; at instanceof Error && at.cause !== undefined; at = at.cause) causes.push(at.cause);
  const neverLeft = causes.some((cause) =>
    codes.includes(String((cause as { code?: unknown } | null)?.code)),
  );
  const last = causes.at(-1);
  const words = last instanceof Error ? last.message || last.name : String(last);
  return new ProviderFailedError(words.slice(0, 200), { mayHaveArrived: !neverLeft, cause: error });
}
