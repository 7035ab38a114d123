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

/** A node that is always so many blocks behind: it names an older head, and knows nothing above it. */
export const behindHead = (blocks: bigint): Fault => {
  const headOf = async (forward: RpcCall["forward"]): Promise<bigint | null> => {
    const head = await forward("eth_blockNumber", []);
    if (typeof head !== "object" || !("result" in head)) return null;
    const number = BigInt(String(head.result)) - blocks;
    return number < 0n ? 0n : number;
  };
  return async ({ method, params: [asked], forward }) => {
    if (method !== "eth_blockNumber" && method !== "eth_getBlockByNumber") return undefined;
    const head = await headOf(forward);
    if (head === null) return undefined;
    if (method === "eth_blockNumber") return { result: toHex(head) };
    if (asked === "latest") return forward("eth_getBlockByNumber", [toHex(head), false]);
    const reply = await forward();
    if (typeof reply !== "object" || !("result" in reply) || reply.result === null) return reply;
    if (BigInt((reply.result as { number: string }).number) <= head) return undefined;
    if (asked === "safe" || asked === "finalized")
      return forward("eth_getBlockByNumber", [toHex(head), false]);
    return { result: null };
  };
};

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

/** Refuses to answer with more than so many logs. */
export const sizeLimit = (logs: bigint): Fault =>
  replyTo("eth_getLogs", async ({ forward }) => {
    const reply = await forward();
    const isTooBig = typeof reply === "object" && "result" in reply && (reply.result as []).length > logs;
    return isTooBig
      ? { error: { code: -32_602, message: `query returned more than ${logs} results` } }
      : undefined;
  });

/** A node on a branch of its own, empty from a block on and always two blocks ahead of the real one; its tags are honest. */
export const ownBranch = (first: bigint): Fault => {
  const hashOf = (number: bigint): string => `0xbb${number.toString(16).padStart(62, "0")}`;
  const resultOf = (reply: RpcReply): Record<string, unknown> | null =>
    typeof reply === "object" && "result" in reply ? (reply.result as Record<string, unknown> | null) : null;
  return async ({ method, params: [asked], forward }) => {
    const { blockHash } = Object(asked) as { blockHash?: string };
    if (method === "eth_getLogs" && blockHash?.startsWith("0xbb")) return { result: [] };
    const isByHash = method === "eth_getBlockByHash" && String(asked).startsWith("0xbb");
    if (!isByHash && method !== "eth_getBlockByNumber") return undefined;
    if (asked === "finalized" || asked === "safe") return undefined;
    const real = resultOf(await forward("eth_getBlockByNumber", ["latest", false]));
    const last = BigInt(String(real?.number)) + 2n;
    const number = isByHash
      ? BigInt(`0x${String(asked).slice(4)}`)
      : asked === "latest"
        ? last
        : BigInt(String(asked));
    if (number < first) return undefined;
    if (number > last) return { result: null };
    const parent = resultOf(await forward("eth_getBlockByNumber", [toHex(first - 1n), false]));
    const parentHash = number === first ? parent?.hash : hashOf(number - 1n);
    const logsBloom = `0x${"0".repeat(512)}`;
    return { result: { ...parent, number: toHex(number), hash: hashOf(number), parentHash, logsBloom } };
  };
};

export type RawLog = Record<string, unknown> & { address: string; topics: string[]; data: string };

/** A node that tells the same story of its logs wherever it is asked: in ranges, in blocks and in receipts. */
export const liar = (change: (logs: RawLog[]) => RawLog[]): Fault => {
  type Receipt = { logs: RawLog[] };
  const inReceipt = (receipt: Receipt): Receipt => ({ ...receipt, logs: change(receipt.logs) });
  return async ({ method, forward }) => {
    if (!["eth_getLogs", "eth_getTransactionReceipt", "eth_getBlockReceipts"].includes(method))
      return undefined;
    const reply = await forward();
    if (typeof reply !== "object" || !("result" in reply) || reply.result === null) return reply;
    if (method === "eth_getLogs") return { result: change(reply.result as RawLog[]) };
    if (method === "eth_getTransactionReceipt") return { result: inReceipt(reply.result as Receipt) };
    return { result: (reply.result as Receipt[]).map(inReceipt) };
  };
};
/** Twice the amount of each transfer. */
export const doubled = (log: RawLog): RawLog => ({
  ...log,
  data: `0x${(2n * BigInt(log.data)).toString(16).padStart(64, "0").slice(-64)}`,
});

/** No transaction is in a block yet. */
export const noReceipts: Fault = replyTo("eth_getTransactionReceipt", () => ({ result: null }));

/** The node acts on every call, and nobody hears of it. */
export const everyAnswerLost: Fault = async ({ forward }): Promise<RpcReply> => {
  await forward();
  return "cut";
};

/** Changes each log of the answer. */
export const forgedLogs = (change: (log: Record<string, unknown>) => unknown): Fault =>
  replyTo("eth_getLogs", async ({ forward }) => {
    const reply = await forward();
    if (typeof reply !== "object" || !("result" in reply)) return reply;
    return { result: (reply.result as Record<string, unknown>[]).map(change) };
  });
