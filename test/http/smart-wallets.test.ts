/** SAFETY 29: signatures of smart wallets are asked of the real chain; ordinary ones never need it. */
import {
  type Address,
  concatHex,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  parseAbiParameters,
} from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createChain } from "../../engine/chain/client.ts";
import type { Context } from "../../engine/services/context.ts";
import { developmentAccounts } from "../../scripts/local/accounts.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { deploySmartWallet, deploySmartWalletFactory, smartWalletFactoryAbi } from "../helpers/contracts.ts";
import { type Browser, newAccount, openSite, type Site } from "./site.ts";

let base: TestChain;
let chain: Context["chain"];
let site: Site;
let factory: Address;
const payer = developmentAccounts[0]?.address ?? "0x";
const refused = "401 sign_in_refused";

beforeAll(async () => {
  base = await startTestChain();
  const deployment = { client: base.testClient, from: payer };
  factory = await deploySmartWalletFactory(deployment);
  chain = await createChain({ rpcUrls: [base.rpcUrl], expectedChainId: 8453, requestTimeoutMs: 60_000 });
  site = await openSite({ chain, settings: { walletFactories: [factory] } });
});
afterAll(async () => {
  await site?.end();
  await chain?.close();
  await base?.stop();
});

/** Signs in as `address` with what `sign` makes of the message. */
async function enter(browser: Browser, address: string, sign: (message: string) => Promise<string>) {
  const { message } = await browser.get("createChallenge", { body: { address } });
  return browser.ask("verifyChallenge", { body: { message, signature: await sign(message) } });
}
const signedBy = (account: PrivateKeyAccount) => (message: string) => account.signMessage({ message });
const codeOf = ({ status, body }: { status: number; body: { code?: string } }) => `${status} ${body.code}`;

test("a deployed smart wallet signs in by its owner's signature, and by nobody else's", async () => {
  const owner = newAccount();
  const wallet = await deploySmartWallet({ client: base.testClient, from: payer }, owner.address);
  const stranger = await enter(site.browser(), wallet, signedBy(newAccount()));
  expect(codeOf(stranger)).toBe(refused);
  const entered = await enter(site.browser(), wallet, signedBy(owner));
  expect(entered.status).toBe(200);
  expect(entered.body.wallets).toMatchObject([{ address: wallet }]);
});

const salt = `0x${"07".repeat(32)}` as const;
const addressBefore = (owner: Address) =>
  base.testClient.readContract({
    address: factory,
    abi: smartWalletFactoryAbi,
    functionName: "addressOf",
    args: [owner, salt],
  });
const wrapped = (owner: Address, signature: Hex, by: Address = factory): Hex => {
  const data = encodeFunctionData({
    abi: smartWalletFactoryAbi,
    functionName: "create",
    args: [owner, salt],
  });
  const inner = encodeAbiParameters(parseAbiParameters("address, bytes, bytes"), [by, data, signature]);
  return concatHex([inner, `0x${"6492".repeat(16)}`]);
};

test("a smart wallet that isn't deployed yet signs in through a factory that we know", async () => {
  const owner = newAccount();
  const wallet = await addressBefore(owner.address);
  const wrong = await enter(site.browser(), wallet, async (message) =>
    wrapped(owner.address, await newAccount().signMessage({ message })),
  );
  expect(codeOf(wrong)).toBe(refused);
  const entered = await enter(site.browser(), wallet, async (message) =>
    wrapped(owner.address, await owner.signMessage({ message })),
  );
  expect(entered.status).toBe(200);
  expect(await base.testClient.getCode({ address: wallet })).toBeUndefined();
});

test("a factory that we don't know deploys nobody", async () => {
  const owner = newAccount();
  const unknown = await deploySmartWalletFactory({ client: base.testClient, from: payer });
  const wallet = await base.testClient.readContract({
    address: unknown,
    abi: smartWalletFactoryAbi,
    functionName: "addressOf",
    args: [owner.address, salt],
  });
  const answer = await enter(site.browser(), wallet, async (message) =>
    wrapped(owner.address, await owner.signMessage({ message }), unknown),
  );
  expect(codeOf(answer)).toBe(refused);
});

test("a wrong signature uses the message up, so that the right one comes too late", async () => {
  const account = newAccount();
  const browser = site.browser();
  const { message, signature } = await browser.challenge(account);
  const forged = await newAccount().signMessage({ message });
  expect(await browser.refused("verifyChallenge", { body: { message, signature: forged } })).toBe(refused);
  expect(await browser.refused("verifyChallenge", { body: { message, signature } })).toBe(refused);
});

/** The twin of a signature with the other s, which recovers to the same address. */
function withHighS(signature: Hex): Hex {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = order - BigInt(`0x${signature.slice(66, 130)}`);
  const v = signature.endsWith("1b") ? "1c" : "1b";
  return `0x${signature.slice(2, 66)}${s.toString(16).padStart(64, "0")}${v}`;
}

test.each<[string, (right: Hex) => Hex]>([
  ["the twin with a high s", withHighS],
  ["all zero", () => `0x${"00".repeat(65)}`],
  ["one byte short", (right) => right.slice(0, -2) as Hex],
  ["one byte long", (right) => `${right}00`],
  ["10,000 bytes long", () => `0x${"ab".repeat(10_000)}`],
  ["the mark of an undeployed wallet and nothing else", () => `0x${"6492".repeat(16)}`],
])("a signature that is %s is refused", async (_, changed) => {
  const account = newAccount();
  const answer = await enter(site.browser(), account.address, async (message) =>
    changed(await account.signMessage({ message })),
  );
  expect(codeOf(answer)).toBe(refused);
});

test("a signature of more than 10,000 bytes isn't read at all", async () => {
  const answer = await enter(site.browser(), newAccount().address, async () => `0x${"ab".repeat(10_001)}`);
  expect(codeOf(answer)).toBe("400 request_invalid");
  expect(answer.body.errors).toMatchObject([{ pointer: "/signature" }]);
});

test("the zero address gets no message to sign", async () => {
  const body = { address: `0x${"0".repeat(40)}` };
  expect(await site.browser().refused("createChallenge", { body })).toBe("400 request_invalid");
});

test("a custody wallet of ours can't sign in, whoever could sign for it", async () => {
  const owner = newAccount();
  const wallet = await deploySmartWallet({ client: base.testClient, from: payer }, owner.address);
  await site.rows("INSERT INTO wallet (purpose, derivation_index, address) VALUES ('escrow', 999, $1)", [
    wallet,
  ]);
  expect(codeOf(await enter(site.browser(), wallet, signedBy(owner)))).toBe(refused);
});

test("with the chain out of reach ordinary wallets still get in, and smart ones are told to wait", async () => {
  const lonely = await startTestChain();
  const asked = await createChain({
    rpcUrls: [lonely.rpcUrl],
    expectedChainId: 8453,
    requestTimeoutMs: 60_000,
  });
  const owner = newAccount();
  const wallet = await deploySmartWallet({ client: lonely.testClient, from: payer }, owner.address);
  const cutOff = await openSite({ chain: asked });
  try {
    await lonely.stop();
    expect((await cutOff.browser().signIn(owner)).wallets).toHaveLength(1);
    const answer = await enter(cutOff.browser(), wallet, signedBy(owner));
    expect(codeOf(answer)).toBe("503 signature_check_unavailable");
  } finally {
    await cutOff.end();
    await asked.close();
  }
});
