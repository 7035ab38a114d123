/** What a node can do wrong, by name: for the proxy by hand, and for the profiles that draw from it. */
import {
  behindHead,
  doubled,
  emptyLogs,
  everyAnswerLost,
  everything,
  html,
  liar,
  noReceipts,
  otherChainId,
  rangeLimit,
  replyTo,
  sizeLimit,
} from "./rpc-faults.ts";
import type { Fault, RpcReply } from "./rpc-proxy.ts";

export interface Mode {
  says: string;
  /** What the number after `=` means, and the one that is meant without it. */
  number?: { means: string; otherwise: bigint };
  make(number: bigint): Fault;
}

/** Made when it is first wanted: nobody else should carry it. */
let hugeBody: string | undefined;
const huge: Fault = (): RpcReply => {
  hugeBody ??= "x".repeat(200_000_000);
  return { http: { status: 200, type: "application/json", body: hugeBody } };
};

const modes = {
  drop: { says: "acts on the call, and closes the connection without a word", make: () => everyAnswerLost },
  cut: { says: "closes the connection before the call gets anywhere", make: () => everything("cut") },
  hang: { says: "never answers", make: () => everything("hang") },
  trickle: { says: "sends one byte after the other without an end", make: () => everything("trickle") },
  error: {
    says: "answers with an internal error",
    make: () => everything({ error: { code: -32_603, message: "internal error" } }),
  },
  "rate-limit": {
    says: "answers 429",
    make: () =>
      everything({ http: { status: 429, type: "application/json", body: '{"error":"too many requests"}' } }),
  },
  html: { says: "answers a page of HTML under 502", make: () => everything(html) },
  null: { says: "answers null", make: () => everything({ result: null }) },
  "bad-hex": { says: "answers a number that is none", make: () => everything({ result: "0xzz" }) },
  huge: { says: "answers 200 MB", make: () => huge },
  "stale-head": {
    says: "is behind, and knows nothing above its head",
    number: { means: "blocks", otherwise: 20n },
    make: behindHead,
  },
  "no-finality": {
    says: "names no finalized block",
    make: () =>
      replyTo("eth_getBlockByNumber", ({ params: [tag] }) =>
        tag === "finalized" ? { result: null } : undefined,
      ),
  },
  "empty-logs": { says: "says that there are no logs; receipts are honest", make: () => emptyLogs() },
  "omit-logs": {
    says: "leaves out the first log of each list, in receipts as well",
    make: () => liar((logs) => logs.slice(1)),
  },
  "duplicate-logs": {
    says: "tells each log twice, in receipts as well",
    make: () => liar((logs) => logs.flatMap((log) => [log, log])),
  },
  "forge-logs": {
    says: "doubles the amount in each log, in receipts as well",
    make: () => liar((logs) => logs.map(doubled)),
  },
  "no-receipts": { says: "knows no receipt of any transaction", make: () => noReceipts },
  "range-limit": {
    says: "refuses questions for logs of more blocks",
    number: { means: "blocks", otherwise: 10n },
    make: rangeLimit,
  },
  "size-limit": {
    says: "refuses to answer with more logs",
    number: { means: "logs", otherwise: 1_000n },
    make: sizeLimit,
  },
  "other-chain": {
    says: "answers for another chain",
    number: { means: "chain id", otherwise: 1n },
    make: otherChainId,
  },
} satisfies Record<string, Mode>;

export type ModeName = keyof typeof modes;
export const faultModes: Readonly<Record<ModeName, Mode>> = modes;
export const isModeName = (name: string): name is ModeName => Object.hasOwn(modes, name);

/** Tells `onFault` of each answer that isn't the node's own. */
export const toldAs =
  (name: ModeName, fault: Fault, onFault: (name: ModeName, method: string) => void): Fault =>
  async (call) => {
    const reply = await fault(call);
    if (reply !== undefined) onFault(name, call.method);
    return reply;
  };
