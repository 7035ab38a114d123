/** What nodes do wrong, for a proxy in front of an honest one. */
import type { Fault, RpcCall, RpcReply } from "./rpc-proxy.ts";

type Tag = "latest" | "safe" | "finalized";
const toHex = (value: bigint): string => `0x${(value < 0n ? 0n : value).toString(16)}`;

/** Answers one method, and only while `isOn` says so. */
export const replyTo =
  (method: string, reply: (call: RpcCall) => RpcReply | undefined | Promise<RpcReply | undefined>): Fault =>
  (call) =>
    call.method === method ? reply(call) : undefined;

export const otherChainId = (chainId: bigint): Fault =>
  replyTo("eth_chainId", () => ({ result: toHex(chainId) }));

/** "No logs", whatever there is; `ofBlock` limits it to one block. */
export const emptyLogs = (ofBlock?: string): Fault =>
  replyTo("eth_getLogs", ({ params: [filter] }) =>
    ofBlock === undefined || (filter as { blockHash?: string }).blockHash === ofBlock
      ? { result: [] }
      : undefined,
  );

/** Refuses questions for logs of more than so many blocks. */
export const rangeLimit = (blocks: bigint): Fault =>
  replyTo("eth_getLogs", ({ params: [filter] }) => {
    const { fromBlock, toBlock } = filter as { fromBlock?: string; toBlock?: string };
    return fromBlock !== undefined && toBlock !== undefined && BigInt(toBlock) - BigInt(fromBlock) >= blocks
      ? { error: { code: -32_614, message: `eth_getLogs is limited to a ${blocks} range` } }
      : undefined;
  });

/** The block behind a tag is so many blocks below the real head. */
export const tagBehindHead = (tag: Tag, blocks: bigint): Fault =>
  replyTo("eth_getBlockByNumber", async ({ params: [asked], forward }) => {
    if (asked !== tag) return undefined;
    const head = await forward("eth_blockNumber", []);
    if (!("object" === typeof head && "result" in head)) return head;
    return forward("eth_getBlockByNumber", [toHex(BigInt(String(head.result)) - blocks), false]);
  });

/** A node that stopped at a block: it names it for every tag and knows nothing above it. */
export const stoppedAt = (number: bigint): Fault =>
  replyTo("eth_getBlockByNumber", ({ params: [asked], forward }) => {
    if (["latest", "safe", "finalized"].includes(String(asked)))
      return forward("eth_getBlockByNumber", [toHex(number), false]);
    return BigInt(String(asked)) > number ? { result: null } : undefined;
  });

/** A node that stays on a branch which was left: its head is this block, and at its height it knows no other. */
export const stuckOn = (head: { number: string }): Fault =>
  replyTo("eth_getBlockByNumber", ({ params: [asked] }) => {
    if (asked === "latest" || asked === head.number) return { result: head };
    if (asked === "safe" || asked === "finalized") return undefined;
    return BigInt(String(asked)) > BigInt(head.number) ? { result: null } : undefined;
  });

/** Any answer of a method is thrown away after the node has acted on the call, so many times. */
export function answerLost(method: string, times: number): Fault {
  let left = times;
  return replyTo(method, async ({ forward }) => {
    if (left === 0) return undefined;
    left -= 1;
    await forward();
    return "cut";
  });
}

export const everything =
  (reply: RpcReply): Fault =>
  () =>
    reply;

export const html: RpcReply = {
  http: { status: 502, type: "text/html", body: "<html><h1>502 Bad Gateway</h1></html>" },
};

/** Changes each log of the answer. */
export const forgedLogs = (change: (log: Record<string, unknown>) => unknown): Fault =>
  replyTo("eth_getLogs", async ({ forward }) => {
    const reply = await forward();
    if (typeof reply !== "object" || !("result" in reply)) return reply;
    return { result: (reply.result as Record<string, unknown>[]).map(change) };
  });
