/** A chain that makes the same blocks with the same hashes in every run: it has no past, and its time is told to it. */
import { type Address, encodeFunctionData, erc20Abi, type Hex, keccak256 } from "viem";
import { z } from "zod";
import { type Anvil, startAnvil } from "../../scripts/local/anvil.ts";
import { compileContracts, contractNamed } from "../../scripts/local/contracts.ts";
import { callNode, toQuantity } from "../../scripts/local/rpc.ts";
import { multicall3Address, openworkAddress, usdcAddress } from "../../scripts/local/tokens.ts";

/** The engine takes the time from the simulation, Postgres from the machine: ours must be ahead of any machine's. */
export const genesisSeconds = 2_208_988_800; // 2040-01-01
/** Blocks until a block is final; anvil's own two would leave no room for a reorg. */
export const finalityBlocks = 8;
export const safeBlocks = 4;

const contracts = [
  { name: "OpenworkStandIn", address: openworkAddress },
  { name: "UsdcStandIn", address: usdcAddress },
  { name: "Multicall3", address: multicall3Address },
] as const;

const blockShape = z.object({
  number: z.string(),
  hash: z.string(),
  timestamp: z.string(),
  transactions: z.array(z.string()),
});
const receiptShape = z.object({ logs: z.array(z.object({ data: z.string() })) });
export type SimBlock = z.output<typeof blockShape>;

export class SimChain {
  readonly rpcUrl: string;
  readonly #anvil: Anvil;
  /** The bytes of every transaction that was ever sent, by hash. */
  readonly #sent = new Map<string, Hex>();

  #headSeconds = genesisSeconds;

  private constructor(anvil: Anvil) {
    this.#anvil = anvil;
    this.rpcUrl = anvil.rpcUrl;
  }

  static async start(): Promise<SimChain> {
    const flags = ["--timestamp", String(genesisSeconds)];
    const chain = new SimChain(await startAnvil({ port: 0, flags, detached: false }));
    const compiled = await compileContracts();
    for (const { name, address } of contracts)
      await chain.call("anvil_setCode", [address, contractNamed(compiled, name).runtimeCode]);
    return chain;
  }

  call(method: string, params: readonly unknown[] = []): Promise<unknown> {
    return callNode(this.#anvil.rpcUrl, method, params);
  }

  note(raw: Hex): void {
    this.#sent.set(keccak256(raw), raw);
  }

  wasSent(hash: string): boolean {
    return this.#sent.has(hash);
  }

  bytesOf(hash: string): Hex {
    const raw = this.#sent.get(hash);
    if (raw === undefined) throw new Error(`nobody has sent ${hash}`);
    return raw;
  }

  /** Into the pool; what the node refuses (it has it, its nonce is spent) stays out. */
  async send(raw: Hex): Promise<void> {
    this.note(raw);
    await this.call("eth_sendRawTransaction", [raw]).catch(() => undefined);
  }

  async block(at: string | number = "latest"): Promise<SimBlock> {
    const number = typeof at === "number" ? toQuantity(at) : at;
    return blockShape.parse(await this.call("eth_getBlockByNumber", [number, false]));
  }

  /** A block with what waits in the pool, stamped with the time, or a second after its parent if that is later. */
  async mine(nowMs: number): Promise<void> {
    this.#headSeconds = Math.max(this.#headSeconds + 1, Math.floor(nowMs / 1_000));
    await this.call("evm_setNextBlockTimestamp", [toQuantity(this.#headSeconds)]);
    await this.call("evm_mine");
  }

  /** Takes the last blocks away; answers them, the lowest first. Their transactions are in no pool afterwards. */
  async rollBack(depth: number): Promise<SimBlock[]> {
    const head = Number((await this.block()).number);
    const taken: SimBlock[] = [];
    for (let number = head - depth + 1; number <= head; number += 1) taken.push(await this.block(number));
    await this.call("anvil_rollback", [depth]);
    this.#headSeconds = Number((await this.block()).timestamp);
    return taken;
  }

  async isMined(hash: string): Promise<boolean> {
    return (await this.call("eth_getTransactionReceipt", [hash])) !== null;
  }

  /** Of each transfer of a transaction that stands on the chain, in base units; none when it doesn't stand there. */
  async amountsMovedIn(hash: string): Promise<bigint[]> {
    const receipt = receiptShape.nullable().parse(await this.call("eth_getTransactionReceipt", [hash]));
    return (receipt?.logs ?? []).map(({ data }) => BigInt(data));
  }

  async balanceOf(token: string, address: string, at = "latest"): Promise<bigint> {
    const args = [address as Address] as const;
    const data = encodeFunctionData({ abi: erc20Abi, functionName: "balanceOf", args });
    return BigInt(String(await this.call("eth_call", [{ to: token, data }, at])));
  }

  stop(): Promise<void> {
    return this.#anvil.stop();
  }
}
