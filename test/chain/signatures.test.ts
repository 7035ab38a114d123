import {
  type Address,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  parseAbiParameters,
  zeroAddress,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Chain } from "../../engine/chain/client.ts";
import { recoverLocally, verifySignatureOnChain } from "../../engine/chain/signatures.ts";
import { startTestChain, type TestChain, untilConnected } from "../helpers/chain.ts";
import { deploySmartWallet, deploySmartWalletFactory, smartWalletFactoryAbi } from "../helpers/contracts.ts";
import { everything, replyTo } from "../helpers/rpc-faults.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";

const message = "On the Rail wants you to sign in";
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const magic = "6492649264926492649264926492649264926492649264926492649264926492";
const salt = `0x${"05".repeat(32)}` as const;
const owner = privateKeyToAccount(generatePrivateKey());
const stranger = privateKeyToAccount(generatePrivateKey());

let base: TestChain;
let first: RpcProxy;
let second: RpcProxy;
let chain: Chain;
/** Doesn't wait for who never answers. */
let hasty: Chain;
let wallet: Address;
let factory: Address;
let undeployed: Address;

beforeAll(async () => {
  base = await startTestChain();
  await base.setEther(owner.address, 10n ** 18n);
  const deployment = { client: base.testClient, from: owner };
  wallet = await deploySmartWallet(deployment, owner.address);
  factory = await deploySmartWalletFactory(deployment);
  undeployed = await base.testClient.readContract({
    ...{ address: factory, abi: smartWalletFactoryAbi, functionName: "addressOf" },
    args: [owner.address, salt],
  });
  [first, second] = await Promise.all([startRpcProxy(base.rpcUrl), startRpcProxy(base.rpcUrl)]);
  const rpcUrls = [first.rpcUrl, second.rpcUrl];
  chain = await untilConnected({ rpcUrls, expectedChainId: 8453, requestTimeoutMs: 60_000 });
  hasty = await untilConnected({ rpcUrls, expectedChainId: 8453, requestTimeoutMs: 1_500 });
});
afterEach(() => {
  for (const proxy of [first, second]) proxy.setFaults();
});
afterAll(async () => {
  for (const each of [chain, hasty]) await each.close();
  await Promise.all([first.stop(), second.stop()]);
  await base.stop();
});

const verify = (
  change: { address: string; signature: Hex; message?: string; knownFactories?: string[] },
  by = chain,
) =>
  verifySignatureOnChain(by, {
    ...{ message, knownFactories: [factory] },
    ...change,
    address: change.address.toLowerCase(),
  });

function wrap(signature: Hex, by = factory): Hex {
  const args = [owner.address, salt] as const;
  const deploy = encodeFunctionData({ abi: smartWalletFactoryAbi, functionName: "create", args });
  const types = parseAbiParameters("address, bytes, bytes");
  return `${encodeAbiParameters(types, [by, deploy, signature])}${magic}`;
}

describe("recovery without the chain", () => {
  it("finds the signer, in lower case, also with the old v of 0 and 1", async () => {
    const signature = await owner.signMessage({ message });
    expect(await recoverLocally({ message, signature })).toBe(owner.address.toLowerCase());
    const v = (Number.parseInt(signature.slice(-2), 16) - 27).toString(16).padStart(2, "0");
    const old = `${signature.slice(0, -2)}${v}`;
    expect(await recoverLocally({ message, signature: old })).toBe(owner.address.toLowerCase());
  });

  it("refuses the twin with the high s, other sizes, other v, zeros and noise", async () => {
    const signature = await owner.signMessage({ message });
    const [r, s, v] = [signature.slice(2, 66), signature.slice(66, 130), signature.slice(130)];
    const twin = (order - BigInt(`0x${s}`)).toString(16).padStart(64, "0");
    const flipped = v === "1b" ? "1c" : "1b";
    for (const wrong of [
      ...[`0x${r}${twin}${flipped}`, `0x${r}${s}`, `${signature}00`, `0x${r}${s}1d`, signature.slice(2), ""],
      ...[
        `0x${"00".repeat(65)}`,
        `0x${"ff".repeat(65)}`,
        `0x${"00".repeat(32)}${s}${v}`,
        `0x${"zz".repeat(65)}`,
      ],
    ]) {
      expect(await recoverLocally({ message, signature: wrong }), wrong).toBeNull();
    }
  });

  it("of another message is another address", async () => {
    const signature = await owner.signMessage({ message: `${message}!` });
    expect(await recoverLocally({ message, signature })).not.toBe(owner.address.toLowerCase());
  });
});

describe("a smart wallet on the chain", () => {
  it("speaks for its owner's signature, and for no other", async () => {
    const signature = await owner.signMessage({ message });
    expect(await verify({ address: wallet, signature })).toBe("valid");
    expect(await verify({ address: wallet, signature, message: "another" })).toBe("invalid");
    expect(await verify({ address: wallet, signature: await stranger.signMessage({ message }) })).toBe(
      "invalid",
    );
  });

  it("that isn't deployed yet speaks through its wrapper, by a known factory only", async () => {
    const signature = await owner.signMessage({ message });
    expect(await verify({ address: undeployed, signature: wrap(signature) })).toBe("valid");
    expect(await verify({ address: undeployed, signature: wrap(signature), knownFactories: [] })).toBe(
      "invalid",
    );
    expect(await verify({ address: undeployed, signature })).toBe("invalid");
    const forged = wrap(await stranger.signMessage({ message }));
    expect(await verify({ address: undeployed, signature: forged })).toBe("invalid");
    expect(await verify({ address: stranger.address, signature: wrap(signature) })).toBe("invalid");
    expect(await verify({ address: undeployed, signature: `0x${magic}` })).toBe("invalid");
  });

  it("an account without code is never vouched for by the chain", async () => {
    const signature = await owner.signMessage({ message });
    expect(await verify({ address: owner.address, signature })).toBe("invalid");
    expect(await verify({ address: zeroAddress, signature: `0x${"00".repeat(65)}` })).toBe("invalid");
    expect(await verify({ address: zeroAddress, signature: wrap(signature) })).toBe("invalid");
    expect(await verify({ address: zeroAddress, signature: wrap(`0x${"00".repeat(65)}`) })).toBe("invalid");
    expect(await verify({ address: zeroAddress, signature: wrap(`0x${"11".repeat(64)}1b`) })).toBe("invalid");
  });

  it("a signature of more than 10 KB isn't sent anywhere", async () => {
    const asked = first.count("eth_call");
    expect(await verify({ address: wallet, signature: `0x${"11".repeat(10_241)}` })).toBe("invalid");
    expect(first.count("eth_call")).toBe(asked);
  });
});

describe("one of two providers", () => {
  it("that says yes to everybody signs nobody in", async () => {
    const signature = await stranger.signMessage({ message });
    const yes = replyTo("eth_call", () => ({ result: "0x01" }));
    first.setFaults(yes);
    expect(await verify({ address: wallet, signature })).toBe("unavailable");
    expect(await verify({ address: owner.address, signature })).not.toBe("valid");
  });

  it("that is silent, refuses or talks nonsense makes it unavailable, never valid and never invalid", async () => {
    const right = await owner.signMessage({ message });
    const wrong = await stranger.signMessage({ message });
    second.setFaults(everything("hang"));
    for (const signature of [right, wrong])
      expect(await verify({ address: wallet, signature }, hasty)).toBe("unavailable");
    for (const fault of [
      everything("cut"),
      replyTo("eth_call", () => ({ error: { code: -32_603, message: "internal error" } })),
      replyTo("eth_call", () => ({ result: "0x1" })),
    ]) {
      second.setFaults(fault);
      expect(await verify({ address: wallet, signature: right })).toBe("unavailable");
      expect(await verify({ address: wallet, signature: wrong })).toBe("unavailable");
    }
  });
});
