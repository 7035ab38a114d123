/** A way for the development wallets in the browser to reach the local chain. It doesn't exist on any other chain. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { validatorCompiler } from "../field-errors.ts";
import { refuseCrossSite } from "./origin.ts";

/** What the node answers to one call. */
export type NodeAnswer = { result: unknown } | { error: { code: number; message: string; data?: unknown } };
/** Sends one call to the local node. */
export type CallNode = (call: { method: string; params: unknown[] }) => Promise<NodeAnswer>;

const allowedMethods = [
  "eth_chainId",
  "eth_blockNumber",
  "eth_call",
  "eth_getBalance",
  "eth_getTransactionCount",
  "eth_estimateGas",
  "eth_gasPrice",
  "eth_maxPriorityFeePerGas",
  "eth_feeHistory",
  "eth_getBlockByNumber",
  "eth_getTransactionReceipt",
  "eth_getTransactionByHash",
  "eth_sendRawTransaction",
] as const;
const call = z.strictObject({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.int(), z.string().max(100)]),
  method: z.enum(allowedMethods),
  params: z.array(z.unknown()).max(10).default([]),
});

export function proxyNode(
  app: FastifyInstance,
  { callNode, publicOrigin }: { callNode: CallNode; publicOrigin: string },
): void {
  app.route<{ Body: z.output<typeof call> }>({
    method: "POST",
    url: "/dev/rpc",
    schema: { body: call, hide: true },
    validatorCompiler,
    onRequest: (request, _reply, done) => {
      refuseCrossSite(request, publicOrigin);
      done();
    },
    handler: async ({ body: { id, method, params } }) => ({
      jsonrpc: "2.0",
      id,
      ...(await callNode({ method, params })),
    }),
  });
}
