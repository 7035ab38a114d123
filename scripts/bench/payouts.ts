/** 200 payouts from one wallet (withdrawals out of the vault), against the loop that waits for each receipt. */
import { type Address, createPublicClient, createWalletClient, erc20Abi, http } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { mintToken, setEther } from "../local/accounts.ts";
import { localBase } from "../local/chain-definition.ts";
import { minedReceipt } from "../local/mined.ts";
import { usdcAddress } from "../local/tokens.ts";
import type { RunningEngine } from "./engine-process.ts";
import { fundPlayers, signInPlayers, until } from "./players.ts";
import { type Row, round } from "./row.ts";

const payouts = 200;
const token = usdcAddress as Address;

export async function benchPayouts(engine: RunningEngine): Promise<Row> {
  const ours = await throughTheEngine(engine);
  const baseline = await oneAfterAnother(engine);
  const ratio = round(baseline.seconds / ours.seconds);
  return {
    name: `${payouts} payouts from one wallet, against the loop that waits for each`,
    ours,
    baseline,
    ratio,
    target: "faster, in fewer blocks",
    ok: ratio > 1 && ours.blocks < baseline.blocks,
  };
}

async function throughTheEngine(engine: RunningEngine): Promise<{ seconds: number; blocks: number }> {
  const [player] = await signInPlayers(engine, 1);
  if (player === undefined) throw new Error("nobody signed in");
  await fundPlayers(engine, [player], token, BigInt(payouts) * 1_000n);
  const reader = createPublicClient({ chain: localBase, transport: http(engine.rpcUrl) });
  const fromBlock = await reader.getBlockNumber();
  const startedAtMs = performance.now();
  await Promise.all(
    Array.from({ length: payouts }, () =>
      player.api.call("withdraw", { body: { token, amount: "1000", address: player.account.address } }),
    ),
  );
  await until(async () => {
    const held = await reader.readContract({
      address: token,
      abi: erc20Abi,
      functionName: "balanceOf",
      args: [player.account.address],
    });
    return held === BigInt(payouts) * 1_000n;
  }, "the payouts");
  const seconds = round((performance.now() - startedAtMs) / 1_000);
  const logs = await reader.getContractEvents({
    address: token,
    abi: erc20Abi,
    eventName: "Transfer",
    args: { to: player.account.address },
    fromBlock,
  });
  return { seconds, blocks: new Set(logs.map(({ blockNumber }) => blockNumber)).size };
}

async function oneAfterAnother(engine: RunningEngine): Promise<{ seconds: number; blocks: number }> {
  const account = privateKeyToAccount(generatePrivateKey());
  await setEther(engine.rpcUrl, account.address, 10n ** 19n);
  await mintToken(engine.rpcUrl, token, account.address, BigInt(payouts) * 1_000n);
  const transport = http(engine.rpcUrl);
  const wallet = createWalletClient({ account, chain: localBase, transport });
  const reader = createPublicClient({ chain: localBase, transport, pollingInterval: 20 });
  const blocks = new Set<bigint>();
  const recipient = privateKeyToAccount(generatePrivateKey()).address;
  const startedAtMs = performance.now();
  for (let index = 0; index < payouts; index += 1) {
    const hash = await wallet.writeContract({
      address: token,
      abi: erc20Abi,
      functionName: "transfer",
      args: [recipient, 1_000n],
    });
    blocks.add((await minedReceipt(reader, hash)).blockNumber);
  }
  return { seconds: round((performance.now() - startedAtMs) / 1_000), blocks: blocks.size };
}
