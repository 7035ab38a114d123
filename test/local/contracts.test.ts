import {
  type Address,
  encodeFunctionData,
  type Hex,
  hashMessage,
  serializeErc6492Signature,
  zeroHash,
} from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { developmentSigner } from "../../scripts/local/accounts.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import {
  deployFeeOnTransferToken,
  deploySmartWallet,
  deploySmartWalletFactory,
  deployToken,
  smartWalletAbi,
  smartWalletFactoryAbi,
  tokenAbi,
} from "../helpers/contracts.ts";

const owner = developmentSigner(0);
const bundler = developmentSigner(1);
const stranger = developmentSigner(2);

let chain: TestChain;
beforeAll(async () => {
  chain = await startTestChain();
});
afterAll(() => chain.stop());

async function sendFrom(account: PrivateKeyAccount, call: { to: Address; data: Hex }) {
  const { testClient } = chain;
  const hash = await testClient.sendTransaction({ account, ...call, chain: testClient.chain });
  return minedReceipt(testClient, hash);
}

test("a smart wallet's signature counts by its owner's key, and nobody else's", async () => {
  const address = await deploySmartWallet({ client: chain.testClient, from: bundler }, owner.address);
  const message = "Sign in to the rail";
  const verify = async (signer: PrivateKeyAccount) =>
    chain.testClient.verifyMessage({ address, message, signature: await signer.signMessage({ message }) });
  expect(await verify(owner)).toBe(true);
  expect(await verify(stranger)).toBe(false);
});

test("a smart wallet that isn't deployed yet signs through its factory, and then stands where it was to stand", async () => {
  const factory = await deploySmartWalletFactory({ client: chain.testClient, from: bundler });
  const of = { address: factory, abi: smartWalletFactoryAbi, args: [owner.address, zeroHash] } as const;
  const address = await chain.testClient.readContract({ ...of, functionName: "addressOf" });
  const create = encodeFunctionData({ ...of, functionName: "create" });

  const message = "Sign in to the rail";
  const verify = async (signer: PrivateKeyAccount) => {
    const signature = await signer.signMessage({ message });
    const wrapped = serializeErc6492Signature({ address: factory, data: create, signature });
    return chain.testClient.verifyMessage({ address, message, signature: wrapped });
  };
  expect(await verify(owner)).toBe(true);
  expect(await verify(stranger)).toBe(false);
  expect(await chain.testClient.getCode({ address })).toBeUndefined();

  await sendFrom(bundler, { to: factory, data: create });
  await sendFrom(bundler, { to: factory, data: create });
  const wallet = { address, abi: smartWalletAbi } as const;
  expect(await chain.testClient.readContract({ ...wallet, functionName: "owner" })).toBe(owner.address);
  const answer = await chain.testClient.readContract({
    ...wallet,
    functionName: "isValidSignature",
    args: [hashMessage(message), await owner.signMessage({ message })],
  });
  expect(answer).toBe("0x1626ba7e");
});

test("a bundler sends what a smart wallet's owner signed: once, and nothing else", async () => {
  const wallet = await deploySmartWallet({ client: chain.testClient, from: bundler }, owner.address);
  await chain.mint(chain.usdc, wallet, 50n);
  const data = encodeFunctionData({ abi: tokenAbi, functionName: "transfer", args: [stranger.address, 20n] });
  const raw = await chain.testClient.readContract({
    address: wallet,
    abi: smartWalletAbi,
    functionName: "executionHash",
    args: [chain.usdc, 0n, data],
  });
  const relay = (signature: Hex) =>
    sendFrom(bundler, {
      to: wallet,
      data: encodeFunctionData({
        abi: smartWalletAbi,
        functionName: "executeSigned",
        args: [chain.usdc, 0n, data, signature],
      }),
    });
  const refusal = "SmartWallet: not signed by the owner";
  await expect(relay(await stranger.signMessage({ message: { raw } }))).rejects.toThrow(refusal);

  const signature = await owner.signMessage({ message: { raw } });
  const { from, logs } = await relay(signature);
  expect(from).toBe(bundler.address.toLowerCase());
  expect(logs[0]?.topics[1]?.slice(-40)).toBe(wallet.slice(2));
  await expect(relay(signature)).rejects.toThrow(refusal);
  expect(await chain.balanceOf(chain.usdc, stranger.address)).toBe(20n);
});

test("the fee-on-transfer token delivers less than was sent", async () => {
  const token = await deployFeeOnTransferToken({ client: chain.testClient, from: bundler }, 100n);
  await chain.mint(token, owner.address, 1_000n);
  const data = encodeFunctionData({
    abi: tokenAbi,
    functionName: "transfer",
    args: [stranger.address, 1_000n],
  });
  await sendFrom(owner, { to: token, data });
  expect(await chain.balanceOf(token, stranger.address)).toBe(990n);
});

test("a token of any number of decimals can stand anywhere", async () => {
  const terms = { name: "Whole", symbol: "WHOLE", decimals: 24 };
  const address = await deployToken({ client: chain.testClient, from: bundler }, terms);
  const read = { address, abi: tokenAbi } as const;
  expect(await chain.testClient.readContract({ ...read, functionName: "decimals" })).toBe(24);
  expect(await chain.testClient.readContract({ ...read, functionName: "symbol" })).toBe("WHOLE");
});
