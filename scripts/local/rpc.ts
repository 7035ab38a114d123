import { z } from "zod";

const answerSchema = z.union([
  z.object({ error: z.object({ code: z.number(), message: z.string() }) }),
  z.object({ result: z.unknown() }),
]);

/**
 * One JSON-RPC call to a chain that we started, for the methods that only development nodes have.
 *
 * @throws when the node refuses, can't be reached or is silent for `timeoutMs`.
 */
export async function callNode(
  rpcUrl: string,
  method: string,
  params: readonly unknown[] = [],
  timeoutMs = 30_000,
): Promise<unknown> {
  const response = await fetch(rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answer = answerSchema.parse(await response.json());
  if ("error" in answer) throw new Error(`${method} was refused: ${answer.error.message}`);
  return answer.result;
}

/** A whole number as JSON-RPC writes it: 0x-hex without leading zeros. */
export function toQuantity(value: number | bigint): `0x${string}` {
  return `0x${value.toString(16)}`;
}
