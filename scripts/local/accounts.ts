import { setTimeout as delay } from "node:timers/promises";
import { type Address, encodeFunctionData, multicall3Abi, parseAbi, parseEther } from "viem";
import { mnemonicToAccount, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { localBase } from "./chain-definition.ts";
import { callNode, toQuantity } from "./rpc.ts";

/** The mnemonic that every development node knows, and therefore everybody. Never give its accounts anything of worth. */
export const developmentMnemonic = "test test test test test test test test test test test junk";

const accountCount = 10;

/** The ten accounts of the development mnemonic, lower-case addresses with their private keys, in order of their index. */
export const developmentAccounts = Array.from({ length: accountCount }, (_, addressIndex) => {
  const account = mnemonicToAccount(developmentMnemonic, { addressIndex });
  const key = account.getHdKey().privateKey;
  if (!key) throw new Error("A development account has no key");
  return {
    index: addressIndex,
    address: account.address.toLowerCase() as Address,
    privateKey: `0x${Buffer.from(key).toString("hex")}` as const,
  };
});

/** Signs as the development account of that index (0 to 9). */
export function developmentSigner(index: number): PrivateKeyAccount {
  const account = developmentAccounts[index];
  if (!account)
    throw new RangeError(`There are ${accountCount} development accounts, and none is number ${index}`);
  return privateKeyToAccount(account.privateKey);
}

const mineTimeoutMs = 30_000;

/** Sends the mints, by impersonation: an account of its own, so that nobody's nonce moves by surprise. */
const minterAddress = "0x000000000000000000000000000000006d696e74";

const tokenAbi = parseAbi([
  "function mint(address to, uint256 amount)",
  "function balanceOf(address) view returns (uint256)",
]);

/** Sets an account's balance of ether, in wei, on a chain of ours. */
export async function setEther(rpcUrl: string, address: string, wei: bigint): Promise<void> {
  await callNode(rpcUrl, "anvil_setBalance", [address, toQuantity(wei)]);
}

/**
 * Gives an account tokens (base units) on a chain of ours, and answers once that is in a block. The stand-ins mint, with
 * a `Transfer` log from the zero address. Where the real token stands (a fork of Base) nobody may mint, so its storage is
 * changed instead, with no log.
 *
 * @throws when the token refuses, or the mint isn't mined within 30 s.
 */
export async function mintToken(rpcUrl: string, token: string, to: string, amount: bigint): Promise<void> {
  const hash = await sendMint(rpcUrl, { token, to, amount });
  if (hash !== undefined) await waitUntilMined(rpcUrl, hash);
}

/** Like `mintToken`, the same amount for each of up to 200 accounts, in one transaction of a stand-in's. */
export async function mintTokenToEach(
  rpcUrl: string,
  token: Address,
  recipients: readonly Address[],
  amount: bigint,
): Promise<void> {
  await impersonateMinter(rpcUrl);
  const calls = recipients.map((to) => ({
    target: token,
    allowFailure: false,
    callData: encodeFunctionData({ abi: tokenAbi, functionName: "mint", args: [to, amount] }),
  }));
  const data = encodeFunctionData({ abi: multicall3Abi, functionName: "aggregate3", args: [calls] });
  const call = { from: minterAddress, to: localBase.contracts.multicall3.address, data };
  await waitUntilMined(rpcUrl, await callNode(rpcUrl, "eth_sendTransaction", [call]));
}

type Mint = { token: string; to: string; amount: bigint };

async function impersonateMinter(rpcUrl: string): Promise<void> {
  await callNode(rpcUrl, "anvil_impersonateAccount", [minterAddress]);
  await setEther(rpcUrl, minterAddress, parseEther("1"));
}

/** The hash of the mint, or undefined when the tokens are there already. */
async function sendMint(rpcUrl: string, { token, to, amount }: Mint): Promise<unknown> {
  await impersonateMinter(rpcUrl);
  const data = encodeFunctionData({ abi: tokenAbi, functionName: "mint", args: [to as Address, amount] });
  const call = { from: minterAddress, to: token, data };
  if (await isAccepted(rpcUrl, call)) return callNode(rpcUrl, "eth_sendTransaction", [call]);

  const read = encodeFunctionData({ abi: tokenAbi, functionName: "balanceOf", args: [to as Address] });
  const held = BigInt(String(await callNode(rpcUrl, "eth_call", [{ to: token, data: read }, "latest"])));
  await callNode(rpcUrl, "anvil_dealERC20", [to, token, toQuantity(held + amount)]);
  return undefined;
}

async function isAccepted(
  rpcUrl: string,
  call: { from: string; to: string; data: string },
): Promise<boolean> {
  return callNode(rpcUrl, "eth_estimateGas", [call]).then(
    () => true,
    () => false,
  );
}

async function waitUntilMined(rpcUrl: string, hash: unknown): Promise<void> {
  const giveUpAt = Date.now() + mineTimeoutMs;
  while ((await callNode(rpcUrl, "eth_getTransactionReceipt", [hash])) === null) {
    if (Date.now() > giveUpAt)
      throw new Error(`The mint ${String(hash)} wasn't mined in ${mineTimeoutMs} ms`);
    await delay(20);
  }
}

/** Ten ether and the given amounts of tokens for every development account, all in blocks made at once. */
export async function fundDevelopmentAccounts(
  rpcUrl: string,
  amounts: readonly { token: string; amount: bigint }[],
): Promise<void> {
  const hashes: unknown[] = [];
  for (const { address } of developmentAccounts) {
    await setEther(rpcUrl, address, parseEther("10"));
    for (const { token, amount } of amounts)
      hashes.push(await sendMint(rpcUrl, { token, to: address, amount }));
  }
  await callNode(rpcUrl, "anvil_mine", ["0x1"]);
  for (const hash of hashes) if (hash !== undefined) await waitUntilMined(rpcUrl, hash);
}
