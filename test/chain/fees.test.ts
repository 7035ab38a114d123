import { encodeFunctionData, type Hex } from "viem";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readBalance, readBalances, readEther, readNonce } from "../../engine/chain/balances.ts";
import type { Chain } from "../../engine/chain/client.ts";
import { bump, checkTransfer, estimateFees, etherNeeded, readBaseFee } from "../../engine/chain/fees.ts";
import { readToken } from "../../engine/chain/tokens.ts";
import { startTestChain, type TestChain, untilConnected } from "../helpers/chain.ts";
import { deployToken, usdcAbi } from "../helpers/contracts.ts";
import { everything, html, replyTo } from "../helpers/rpc-faults.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { createSender, recipient, type Sender } from "./watching.ts";

let base: TestChain;
let proxy: RpcProxy;
let chain: Chain;
let sender: Sender;
const gwei = 10n ** 9n;
const nobody = `0x${"77".repeat(20)}` as const;

beforeEach(async () => {
  base = await startTestChain();
  sender = await createSender(base, 100n);
  proxy = await startRpcProxy(base.rpcUrl);
  chain = await connect(60_000);
});
afterEach(async () => {
  await chain.close();
  await proxy.stop();
  await base.stop();
});

const connect = (requestTimeoutMs: number): Promise<Chain> =>
  untilConnected({ rpcUrls: [proxy.rpcUrl], expectedChainId: 8453, requestTimeoutMs });

describe("fees", () => {
  it("leave room above the base fee, and stay below the cap", async () => {
    const baseFee = await readBaseFee(chain);
    const fees = await estimateFees(chain, { capWei: 1_000n * gwei });
    expect(fees.maxFeePerGas).toBeGreaterThanOrEqual(2n * baseFee);
    expect(fees.maxPriorityFeePerGas).toBeGreaterThan(0n);
    const capped = await estimateFees(chain, { capWei: 7n });
    expect(capped).toEqual({ maxFeePerGas: 7n, maxPriorityFeePerGas: 7n });
  });

  it("without a node's advice on tips still are fees", async () => {
    proxy.setFaults(
      replyTo("eth_maxPriorityFeePerGas", () => ({ error: { code: -32_601, message: "no such method" } })),
    );
    expect((await estimateFees(chain, { capWei: gwei * 100n })).maxPriorityFeePerGas).toBe(1_000_000n);
  });

  it("rise by at least an eighth, so that the real node takes the replacement", async () => {
    for (const fee of [1n, 7n, 8n, 1_000_001n, 3n * gwei]) {
      const { maxFeePerGas, maxPriorityFeePerGas } = bump(
        { maxFeePerGas: fee, maxPriorityFeePerGas: fee },
        { capWei: gwei * gwei },
      );
      expect(maxFeePerGas * 1_000n).toBeGreaterThanOrEqual(fee * 1_125n);
      expect(maxPriorityFeePerGas * 1_000n).toBeGreaterThanOrEqual(fee * 1_125n);
    }
    expect(bump({ maxFeePerGas: 100n, maxPriorityFeePerGas: 1n }, { capWei: 105n }).maxFeePerGas).toBe(105n);
  });
});

describe("a transfer before it is signed", () => {
  const check = (change: { amount?: bigint; to?: string; token?: string } = {}) =>
    checkTransfer(chain, { from: sender.address, token: base.usdc, to: recipient, amount: 100n, ...change });

  it("that would go through gets a gas limit with room", async () => {
    expect(await check()).toMatchObject({ ok: true, gasLimit: expect.any(BigInt) });
  });

  it("of more than the sender holds is short of tokens; ether isn't needed to find out", async () => {
    await base.setEther(sender.address as `0x${string}`, 0n);
    expect(await check({ amount: 101n })).toMatchObject({ outcome: "reverts", shortOfTokens: true });
    expect(await check()).toMatchObject({ ok: true });
  });

  it("to somebody whom the token refuses is told apart from that", async () => {
    await base.setEther(nobody, 10n ** 18n);
    await base.testClient.impersonateAccount({ address: nobody });
    const data = encodeFunctionData({ abi: usdcAbi, functionName: "blacklist", args: [recipient] });
    await base.testClient.sendTransaction({ account: nobody, to: base.usdc, data });
    await base.mine(1);
    const refused = await check();
    expect(refused).toMatchObject({ outcome: "reverts", shortOfTokens: false });
    expect((refused as { reason: string }).reason).toMatch(/[a-z]/i);
  });

  it("of a token that isn't there doesn't go through, although the call succeeds", async () => {
    // Nothing answers balanceOf either, so there is no telling.
    expect(await check({ token: nobody })).toMatchObject({ ok: false });
  });

  it.each([
    ["HTML", html],
    ["silence", "hang" as const],
    ["trouble of the node", { error: { code: -32_603, message: "internal error" } }],
  ])("with a node that answers by %s is unknown, not refused", async (_, reply) => {
    if (reply === "hang") {
      await chain.close();
      chain = await connect(1_500);
    }
    proxy.setFaults(everything(reply));
    expect(await check()).toEqual({ ok: false, outcome: "unknown", detail: expect.any(String) });
  });

  it("that a node refuses to simulate, without the contract's having said no, is unknown", async () => {
    proxy.setFaults(
      replyTo("eth_call", ({ params: [call] }) =>
        (call as { data: string }).data.startsWith("0xa9059cbb")
          ? { error: { code: -32_603, message: "internal error" } }
          : undefined,
      ),
    );
    expect(await check()).toMatchObject({ ok: false, outcome: "unknown" });
  });
});

describe("ether for gas", () => {
  const wanted = { gasLimit: 100_000n, maxFeePerGas: gwei, transactions: 3 };

  it("is gas at the highest fee where nothing is posted elsewhere", async () => {
    expect(await etherNeeded(chain, wanted)).toBe(300_000n * gwei);
  });

  it("holds what Base asks for posting the bytes to Ethereum", async () => {
    // PUSH2 0x1000, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN: an oracle that always says 4096 wei.
    const code: Hex = "0x6110005f5260205ff3";
    await base.testClient.setCode({ address: "0x420000000000000000000000000000000000000F", bytecode: code });
    expect(await etherNeeded(chain, wanted)).toBe(300_000n * gwei + 3n * 2n * 4_096n);
  });
});

describe("balances", () => {
  it("are read at a block, alone and together, and nonces and ether with them", async () => {
    const before = await base.testClient.getBlockNumber();
    await sender.send(30n);
    const held = (at: bigint | "latest") => readBalance(chain, { token: base.usdc, address: recipient, at });
    expect(await held("latest")).toBe(30n);
    expect(await held(before)).toBe(0n);
    const wanted = [
      { token: base.usdc, address: recipient },
      { token: base.openwork, address: recipient },
      { token: base.usdc, address: sender.address },
    ];
    expect(await readBalances(chain, wanted, "latest")).toEqual([30n, 0n, 70n]);
    expect(await readBalances(chain, wanted, before)).toEqual([0n, 0n, 100n]);
    expect(await readBalances(chain, [], "latest")).toEqual([]);
    expect(await readNonce(chain, sender.address, "latest")).toBe(1n);
    expect(await readEther(chain, sender.address)).toBeLessThan(10n ** 18n);
  });

  it("where there is no token are an error or null beside those of others, never zero", async () => {
    await expect(readBalance(chain, { token: nobody, address: recipient, at: "latest" })).rejects.toThrow();
    const wanted = [nobody, base.usdc].map((token) => ({ token, address: recipient }));
    expect(await readBalances(chain, wanted, "latest")).toEqual([null, 0n]);
  });
});

describe("a token", () => {
  it("says its symbol and decimals; an address without code says so", async () => {
    expect(await readToken(chain, base.usdc)).toEqual({ hasCode: true, symbol: "USDC", decimals: 6 });
    expect(await readToken(chain, nobody)).toMatchObject({ hasCode: false });
  });

  it.each([0, 24])("of %i decimals is one, too", async (decimals) => {
    await base.testClient.impersonateAccount({ address: nobody });
    await base.setEther(nobody, 10n ** 18n);
    const deployment = { client: base.testClient, from: nobody };
    const token = await deployToken(deployment, { name: "Some", symbol: "SOME", decimals });
    expect(await readToken(chain, token)).toEqual({ hasCode: true, symbol: "SOME", decimals });
  });

  it("that answers nothing any more is refused", async () => {
    const gone = `0x${"90".repeat(20)}` as const;
    await base.testClient.setCode({ address: gone, bytecode: "0x00" });
    await expect(readToken(chain, gone)).rejects.toMatchObject({ code: "inconsistent_answer" });
  });

  it("with a symbol that isn't plain text is refused", async () => {
    await base.testClient.impersonateAccount({ address: nobody });
    await base.setEther(nobody, 10n ** 18n);
    const deployment = { client: base.testClient, from: nobody };
    const token = await deployToken(deployment, { name: "Some", symbol: "<b>‮", decimals: 6 });
    await expect(readToken(chain, token)).rejects.toMatchObject({ code: "inconsistent_answer" });
    await expect(readToken(chain, "0xca11bde05977b3631167028862be2a173976ca11")).rejects.toThrow();
  });
});
