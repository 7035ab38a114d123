/** Payouts of one wallet by batch: blocks, and gas for each, beside a plain transfer of the same token in the same run. */
import pg from "pg";
import { type Address, createPublicClient, createWalletClient, erc20Abi, type Hash, http } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { mintToken, setEther } from "../local/accounts.ts";
import { localBase } from "../local/chain-definition.ts";
import { minedReceipt } from "../local/mined.ts";
import { openworkAddress, usdcAddress } from "../local/tokens.ts";
import type { RunningEngine } from "./engine-process.ts";
import { type BenchPlayer, fundPlayers, signInPlayers, until } from "./players.ts";
import { type Row, round } from "./row.ts";

const amount = 1_234_567n;
const settlement = 18;
const many = 1_000;
const mostBlocks = 3;
const askedTogether = 10;
/** Gas for each payout of a settlement, everything counted: the transaction itself and, in the very first, the vault's authorisation. */
const mostGas = { newHolder: 30_000, holder: 13_000 };

const readerOf = ({ rpcUrl }: RunningEngine) =>
  createPublicClient({ chain: localBase, transport: http(rpcUrl) });
type Reader = ReturnType<typeof readerOf>;

/** OPENWORK's stand-in is OpenZeppelin's plain ERC-20; USDC's takes some 290 gas less than Circle's code behind its proxy. */
export async function benchGas(engine: RunningEngine): Promise<Row[]> {
  const reader = readerOf(engine);
  return [
    await gasOfToken(engine, reader, { symbol: "OPENWORK", token: openworkAddress as Address }),
    await gasOfToken(engine, reader, { symbol: "USDC", token: usdcAddress as Address }),
  ];
}

async function gasOfToken(
  engine: RunningEngine,
  reader: Reader,
  { symbol, token }: { symbol: string; token: Address },
): Promise<Row> {
  const players = await signInPlayers(engine, settlement);
  await fundPlayers(engine, players, token, 3n * amount);
  // None of these wallets has ever held the token; the second time each of them does.
  const first = await payTogether(engine, reader, { players, token });
  const second = await payTogether(engine, reader, { players, token });
  const plain = await payPlainly(engine, reader, token);
  return {
    name: `gas for each of ${settlement} payouts of ${symbol}, against a plain transfer`,
    ours: { newHolder: first.gas, holder: second.gas, blocks: Math.max(first.blocks, second.blocks) },
    baseline: plain,
    ratio: round(plain.holder / second.gas),
    target: `one block, at most ${mostGas.newHolder} to a new holder and ${mostGas.holder} to a holder`,
    ok:
      first.blocks === 1 &&
      second.blocks === 1 &&
      first.gas <= mostGas.newHolder &&
      second.gas <= mostGas.holder,
  };
}

export async function benchBatches(engine: RunningEngine): Promise<Row> {
  // Nobody has held any before: each payment writes to storage that was empty, which costs most.
  const players = await signInPlayers(engine, many);
  await fundPlayers(engine, players, openworkAddress as Address, amount);
  const { seconds, blocks, gas } = await payTogether(engine, readerOf(engine), {
    players,
    token: openworkAddress,
  });
  return {
    name: `${many} payouts from one wallet to as many new holders, due together`,
    ours: { seconds, blocks, gas },
    baseline: { blocks: mostBlocks },
    ratio: round(mostBlocks / blocks),
    target: `at most ${mostBlocks} blocks`,
    ok: blocks <= mostBlocks,
  };
}

/** Each player withdraws once for each time that it is named; all of it becomes due at the same moment. */
async function payTogether(
  engine: RunningEngine,
  reader: Reader,
  { players, token }: { players: readonly BenchPlayer[]; token: Address },
): Promise<{ seconds: number; blocks: number; gas: number }> {
  const fromBlock = (await reader.getBlockNumber({ cacheTime: 0 })) + 1n;
  await until(async () => (await reader.getBlockNumber({ cacheTime: 0 })) >= fromBlock, "the next block");
  await setVaultFrozen(engine, true);
  for (let asked = 0; asked < players.length; asked += askedTogether) {
    await Promise.all(
      players
        .slice(asked, asked + askedTogether)
        .map(({ api, account }) =>
          api.call("withdraw", { body: { token, amount: amount.toString(), address: account.address } }),
        ),
    );
  }
  const startedAtMs = performance.now();
  await setVaultFrozen(engine, false);
  const paid = () =>
    reader.getContractEvents({
      address: token,
      abi: erc20Abi,
      eventName: "Transfer",
      args: { from: engine.vaultAddress as Address },
      fromBlock,
    });
  await until(async () => (await paid()).length === players.length, "the payouts");
  const seconds = round((performance.now() - startedAtMs) / 1_000);
  const logs = await paid();
  const gas = await gasOf(
    reader,
    logs.map(({ transactionHash }) => transactionHash),
  );
  return {
    seconds,
    blocks: new Set(logs.map(({ blockNumber }) => blockNumber)).size,
    gas: Math.round(gas / players.length),
  };
}

async function setVaultFrozen({ databaseOwnerUrl }: RunningEngine, isFrozen: boolean): Promise<void> {
  const db = new pg.Client({ connectionString: databaseOwnerUrl });
  await db.connect();
  try {
    await db.query("UPDATE wallet SET frozen_reason = $1 WHERE purpose = 'vault'", [
      isFrozen ? "bench" : null,
    ]);
  } finally {
    await db.end();
  }
}

/** Of all these transactions together, each counted once. */
async function gasOf(reader: Reader, hashes: readonly Hash[]): Promise<number> {
  const receipts = await Promise.all([...new Set(hashes)].map((hash) => minedReceipt(reader, hash)));
  return receipts.reduce((sum, { gasUsed }) => sum + Number(gasUsed), 0);
}

/** One transfer to a wallet that has never held the token, and another one to the same. */
async function payPlainly(
  engine: RunningEngine,
  reader: Reader,
  token: Address,
): Promise<{ newHolder: number; holder: number }> {
  const account = privateKeyToAccount(generatePrivateKey());
  await setEther(engine.rpcUrl, account.address, 10n ** 18n);
  await mintToken(engine.rpcUrl, token, account.address, 3n * amount);
  const wallet = createWalletClient({ account, chain: localBase, transport: http(engine.rpcUrl) });
  const recipient = privateKeyToAccount(generatePrivateKey()).address;
  const pay = async (): Promise<number> => {
    const args = [recipient, amount] as const;
    const hash = await wallet.writeContract({
      address: token,
      abi: erc20Abi,
      functionName: "transfer",
      args,
    });
    return gasOf(reader, [hash]);
  };
  return { newHolder: await pay(), holder: await pay() };
}
