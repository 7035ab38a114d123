/** A node as the engine sees it: it loses calls and answers by the seed, limits ranges, and dies with its process. */
import type { Hex } from "viem";
import { faultModes, type ModeName } from "../helpers/fault-modes.ts";
import { rangeLimit, sizeLimit } from "../helpers/rpc-faults.ts";
import {
  type Fault,
  type RpcCall,
  type RpcProxy,
  type RpcReply,
  startRpcProxy,
} from "../helpers/rpc-proxy.ts";
import { shareOf } from "./dice.ts";
import type { Rates } from "./rates.ts";
import { finalityBlocks, type SimChain, safeBlocks } from "./sim-chain.ts";
import type { Spell } from "./spells.ts";

/** A silent node is left out: it would have to be waited for, and a slow machine would see other silences. */
const failures: ModeName[] = ["drop", "cut", "error", "rate-limit", "html", "bad-hex"];
const broadcast = "eth_sendRawTransaction";
const behind: Record<string, number> = { finalized: finalityBlocks, safe: safeBlocks };

export interface NodeRules {
  seed: number;
  /** Tells the nodes apart. */
  index: number;
  /** Calls are alike only within a turn. */
  turn: () => number;
  /** Share of calls that fail now. */
  errors: () => number;
  limits: Pick<Rates, "rangeLimit" | "sizeLimit">;
  /** What the second node does to us now. */
  spell: () => Spell | null;
  onFault: () => void;
}

/** What becomes of a process's broadcasts: `false` keeps the call from the node, `"lost"` its answer from the process. */
export type Gate = (raw: Hex) => Promise<boolean | "lost">;

export interface FaultyNode {
  rpcUrl: string;
  stop(): Promise<void>;
}

export async function startFaultyNode(
  chain: SimChain,
  { rules, isDead, gate }: { rules: NodeRules; isDead: () => boolean; gate: Gate },
): Promise<FaultyNode> {
  const proxy: RpcProxy = await startRpcProxy(chain.rpcUrl);
  const times = new Map<string, number>();
  const isOver: Fault = ({ method }) => (isDead() && method !== broadcast ? "cut" : undefined);
  proxy.setFaults(
    isOver,
    (call) => broadcastThrough(call, { chain, gate }),
    (call) => drawn(call, rules, times),
    (call) => spellbound(call, rules),
    ...limitsOf(rules.limits),
    finality,
  );
  return { rpcUrl: proxy.rpcUrl, stop: proxy.stop };
}

/** By the turn, the call and how often it was made: in whatever order calls come, the same ones fail. */
function drawn(call: RpcCall, rules: NodeRules, times: Map<string, number>): ReturnType<Fault> {
  // How often it is asked for the chain's id depends on the machine's pace.
  if (call.method === "eth_chainId") return undefined;
  const key = `${rules.seed} ${rules.index} ${rules.turn()} ${call.method} ${JSON.stringify(call.params)}`;
  const time = times.get(key) ?? 0;
  times.set(key, time + 1);
  if (shareOf(`${key} ${time}`) >= rules.errors()) return undefined;
  rules.onFault();
  const mode = failures[Math.floor(shareOf(`${key} ${time} how`) * failures.length)] ?? "cut";
  return faultModes[mode].make(0n)(call);
}

/** All that it tells of a kind is wrong in the same way: one lie that doesn't contradict itself. */
function spellbound(call: RpcCall, { index, spell }: NodeRules): ReturnType<Fault> {
  const now = index === 1 ? spell() : null;
  if (now === null || call.method === "eth_chainId") return undefined;
  const { forward } = call;
  const honest: RpcCall["forward"] = async (method = call.method, params = call.params) =>
    (await finality({ method, params, forward })) ?? forward(method, params);
  return faultModes[now.mode].make(now.blocks)({ ...call, forward: honest });
}

/** A broadcast is for the gate alone to judge: what goes out with a dying process mustn't depend on who is faster. */
async function broadcastThrough(
  call: RpcCall,
  { chain, gate }: { chain: SimChain; gate: Gate },
): Promise<RpcReply | undefined> {
  if (call.method !== broadcast) return undefined;
  const raw = call.params[0] as Hex;
  chain.note(raw);
  const passes = await gate(raw);
  if (passes === true) return undefined;
  if (passes === "lost") await call.forward();
  return "cut";
}

function limitsOf({ rangeLimit: blocks, sizeLimit: logs }: NodeRules["limits"]): Fault[] {
  return [...(blocks === null ? [] : [rangeLimit(blocks)]), ...(logs === null ? [] : [ofSeveral(logs)])];
}

/** The logs of a single block are told whole, as public nodes do: nobody could ask for fewer. */
function ofSeveral(logs: bigint): Fault {
  const limit = sizeLimit(logs);
  return (call) => {
    const { fromBlock, toBlock } = (call.params[0] ?? {}) as { fromBlock?: string; toBlock?: string };
    return fromBlock === toBlock ? undefined : limit(call);
  };
}

/** anvil calls a block final after two; here it takes as many as a reorg may need. */
const finality: Fault = async ({ method, params, forward }) => {
  const place = params.findIndex((param) => typeof param === "string" && param in behind);
  if (place === -1) return undefined;
  const head = await forward("eth_blockNumber", []);
  if (typeof head !== "object" || !("result" in head)) return head;
  const number = Number(head.result) - (behind[String(params[place])] ?? 0);
  return forward(method, params.with(place, `0x${Math.max(0, number).toString(16)}`));
};
