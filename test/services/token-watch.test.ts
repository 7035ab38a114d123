/** SAFETY 8: tokens that aren't what they should be, tried with real ones before they are listed and watched afterwards. */
import { randomUUID } from "node:crypto";
import { type Abi, type Address, type Hex, keccak256, toHex } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createChain } from "../../engine/chain/client.ts";
import { RpcUnavailableError } from "../../engine/chain/errors.ts";
import { tryToken } from "../../engine/chain/token-trial.ts";
import { readConfig } from "../../engine/config.ts";
import { readStandingBreaches } from "../../engine/db/breaches.ts";
import { LostLeaseError } from "../../engine/db/lease.ts";
import { createPool } from "../../engine/db/pool.ts";
import { listTokens, readTokens } from "../../engine/db/tokens.ts";
import { openFoundation } from "../../engine/foundation.ts";
import { readAuditPage } from "../../engine/services/audit.ts";
import { runReconciliation } from "../../engine/services/books.ts";
import { liftBreach } from "../../engine/services/overview.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { listTriedTokens, tryTokens, watchTokens } from "../../engine/services/token-watch.ts";
import { knownTokens, refreshTokens, shareTokens } from "../../engine/services/tokens.ts";
import { withdraw } from "../../engine/services/withdrawals.ts";
import { developmentSigner } from "../../scripts/local/accounts.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import * as contracts from "../helpers/contracts.ts";
import { createMoneyWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { replyTo } from "../helpers/rpc-faults.ts";
import { type RpcReply, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { ask, readyToWithdraw, stateOf } from "../helpers/sender.ts";
import { finalize, operator } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";
import { codeOf, value } from "./wager-world.ts";

const proxySlots = {
  "ERC-1967": toHex(BigInt(keccak256(toHex("eip1967.proxy.implementation"))) - 1n),
  "USDC's proxy": keccak256(toHex("org.zeppelinos.proxy.implementation")),
};

let world: MoneyWorld;
let deployment: Parameters<typeof contracts.deployNoReturnToken>[0];
let by: { playerId: string; handle: string };
beforeAll(async () => {
  world = await createMoneyWorld();
  deployment = { client: world.base.testClient, from: developmentSigner(1) };
  by = await operator(world);
  world.watch();
  await world.caughtUp();
});
afterAll(() => world.stop());

async function call(to: Address, abi: Abi, functionName: string, args: unknown[]): Promise<void> {
  const { testClient } = world.base;
  const hash = await testClient.writeContract({
    ...{ address: to, abi, functionName, args },
    ...{ account: developmentSigner(1), chain: testClient.chain },
  });
  await minedReceipt(testClient, hash);
}
const token = (symbol: string, decimals = 18) =>
  contracts.deployToken(deployment, { name: symbol, symbol, decimals });
async function list(address: Address, symbol: string, decimals = 18): Promise<string[]> {
  const { tried, unfit } = await tryTokens(world.context, [
    { address: world.base.openwork, symbol: "OPENWORK", decimals: 18 },
    { address: world.base.usdc, symbol: "USDC", decimals: 6 },
    { address, symbol, decimals },
  ]);
  if (unfit.length === 0) await listTokens(world.context.pool, tried);
  return unfit;
}
const listed = async () =>
  (await readTokens(world.context.pool)).flatMap((one) => (one.listed ? one.address : []));
const breaches = () => readStandingBreaches(world.context.pool);
async function liftAll(reason: string): Promise<void> {
  for (const { id } of await breaches())
    expect(codeOf(await liftBreach(world.context, { by, breachId: id, reason }))).toBe("ok");
}

describe("a token that is to be listed is tried first", () => {
  it.each([
    ["with no decimals", () => token("WHOLE", 0), 0],
    ["with 24 decimals", () => token("FINE", 24), 24],
    ["that answers nothing to a transfer", () => contracts.deployNoReturnToken(deployment), 18],
    [
      "behind USDC's kind of proxy",
      () =>
        contracts.deployTokenProxy(deployment, {
          slot: proxySlots["USDC's proxy"],
          implementation: world.base.usdc,
        }),
      6,
    ],
  ])("one %s is taken", async (_what, deploy, decimals) => {
    const address = await deploy();
    expect(await list(address, "NEW", decimals)).toEqual([]);
    expect(await listed()).toContain(address);
  });

  const unfit: [what: string, deploy: () => Promise<Address>, why: string][] = [
    [
      "one that takes a fee",
      () => contracts.deployFeeOnTransferToken(deployment, 100n),
      "moves other amounts than it is told to",
    ],
    ["one that reverts", () => contracts.deployRefusingToken(deployment, false), "refuses a transfer"],
    [
      "one that answers false",
      () => contracts.deployRefusingToken(deployment, true),
      "answers false to a transfer",
    ],
    [
      "one that has rebased",
      async () => {
        const address = await contracts.deployRebasingToken(deployment);
        await call(address, contracts.rebasingAbi, "rebase", [9_900n]);
        return address;
      },
      "works its balances out",
    ],
  ];
  it.each(unfit)("%s is refused by its name and with the reason (SAFETY 8)", async (_what, deploy, why) => {
    const address = await deploy();
    const before = await listed();
    expect(await list(address, "ODD")).toEqual([
      expect.stringMatching(new RegExp(`^ODD \\(${address}\\) can't be listed: it ${why}`)),
    ]);
    expect(await listed()).toEqual(before);
  });

  it("one that a wallet of ours holds already is refused: nobody could be credited for that", async () => {
    const address = await token("EARLY");
    await call(address, contracts.tokenAbi, "mint", [world.vault, 1n]);
    await world.caughtUp();
    expect(await list(address, "EARLY")).toEqual([
      expect.stringContaining(
        `EARLY (${address}) can't be listed: our wallet ${world.vault} holds some already`,
      ),
    ]);
    expect(await listed()).not.toContain(address);
  });

  it("what wallets hold is looked up now where a node has forgotten the books' head; from a node that fails nothing follows", async () => {
    const [held, free] = [await token("HELD"), await token("FREE")];
    await call(held, contracts.tokenAbi, "mint", [world.vault, 1n]);
    const proxy = await startRpcProxy(world.base.rpcUrl);
    const chain = await createChain({
      rpcUrls: [proxy.rpcUrl],
      expectedChainId: 8453,
      requestTimeoutMs: 60_000,
    });
    const unfit = async (address: Address): Promise<string[]> =>
      (await tryTokens({ ...world.context, chain }, [{ address, symbol: "NEW", decimals: 18 }])).unfit;
    const ofOldBlocks = (reply: RpcReply) =>
      replyTo("eth_call", ({ params: [, at] }) => (/^0x/.test(String(at)) ? reply : undefined));
    try {
      proxy.setFaults(ofOldBlocks({ error: { code: -32_000, message: "missing trie node" } }));
      expect(await unfit(free)).toEqual([]);
      expect(await unfit(held)).toEqual([expect.stringContaining(`${world.vault} holds some already`)]);
      proxy.setFaults(ofOldBlocks("cut"));
      await expect(unfit(free)).rejects.toThrow(RpcUnavailableError);
    } finally {
      await chain.close();
      await proxy.stop();
    }
  });

  it("an engine that is to list it doesn't start, and says why", async () => {
    const address = await contracts.deployFeeOnTransferToken(deployment, 1n);
    const before = await listed();
    const config = readConfig({
      ROLE: "chain",
      DATABASE_URL: world.database.appUrl,
      BASE_RPC_URLS: world.base.rpcUrl,
      TOKENS: `${world.base.usdc},${address}`,
      LOG_LEVEL: "fatal",
    });
    await expect(openFoundation(config, { keys: "own" })).rejects.toThrow(
      `TOKENS: FEE (${address}) can't be listed: it moves other amounts than it is told to`,
    );
    expect(await listed()).toEqual(before);
  });

  it("a process that doesn't lead any more doesn't list", async () => {
    const before = await listed();
    const tried = [{ address: world.base.usdc, symbol: "USDC", decimals: 6, codeAddress: null }];
    const { fence } = world;
    await expect(listTriedTokens(world.context, { fence: fence - 1 }, tried)).rejects.toThrow(LostLeaseError);
    expect(await listed()).toEqual(before);
  });

  it("whoever reads with a pool of its own, as the watcher does, knows what was listed since", async () => {
    const { pool } = world.context;
    const own = createPool({ url: world.database.appUrl, maxConnections: 1 });
    onTestFinished(() => own.end());
    shareTokens(pool, own);
    const address = await token("LATER");
    expect((await knownTokens(own)).has(address)).toBe(false);
    expect(await list(address, "LATER")).toEqual([]);
    await refreshTokens(pool);
    expect((await knownTokens(own)).has(address)).toBe(true);
  });

  it("also through a node that doesn't tell which slots a call reads; through one without overrides nothing is listed", async () => {
    const proxy = await startRpcProxy(world.base.rpcUrl);
    const chain = await createChain({
      rpcUrls: [proxy.rpcUrl],
      expectedChainId: 8453,
      requestTimeoutMs: 60_000,
    });
    const unknown = { error: { code: -32_601, message: "the method does not exist" } };
    const fee = await contracts.deployFeeOnTransferToken(deployment, 100n);
    try {
      proxy.setFaults(replyTo("eth_createAccessList", () => unknown));
      expect(await tryToken(chain, { address: world.base.usdc, decimals: 6 })).toEqual({ fit: true });
      expect(await tryToken(chain, { address: fee, decimals: 18 })).toMatchObject({ fault: "inexact" });
      proxy.setFaults(replyTo("eth_call", ({ params }) => (params.length > 2 ? unknown : undefined)));
      expect(await tryToken(chain, { address: world.base.usdc, decimals: 6 })).toMatchObject({
        fault: "untried",
      });
    } finally {
      await chain.close();
      await proxy.stop();
    }
  });
});

describe("a listed token is watched", () => {
  afterEach(() => expectBooksToBalance(world.context, { onChain: true }));

  /** A token with an implementation, and the contract that is told of another one. */
  type Deploy = (implementation: Address) => Promise<{ address: Address; beacon: Address }>;
  const inSlot =
    (slot: Hex): Deploy =>
    async (implementation) => {
      const address = await contracts.deployTokenProxy(deployment, { slot, implementation });
      return { address, beacon: address };
    };
  const proxies: [kind: string, deploy: Deploy][] = [
    ...Object.entries(proxySlots).map(([kind, slot]): [string, Deploy] => [kind, inSlot(slot)]),
    ["a beacon", (implementation) => contracts.deployTokenBeaconProxy(deployment, implementation)],
  ];
  it.each(proxies)(
    "whose code is replaced (%s): nothing leaves until an operator lifts it with a reason, and then once (SAFETY 8)",
    async (_kind, deploy) => {
      const first = await token("FIRST");
      const second = await token("SECOND");
      const { address, beacon } = await deploy(first);
      expect(await list(address, "PROXIED")).toEqual([]);
      const player = await readyToWithdraw(world, 100n);
      await watchTokens(world.context);
      expect(await breaches()).toEqual([]);

      await call(beacon, contracts.tokenProxyAbi, "upgradeTo", [second]);
      await watchTokens(world.context);
      await watchTokens(world.context);
      expect(await breaches()).toMatchObject([
        {
          invariant: "token code",
          detail: `PROXIED (${address}) runs other code than it was listed with: its implementation was ${first} and is ${second}`,
        },
      ]);
      const withdrawal = await ask(world, player, 100n);
      expect(await sendRound(world.context, { fence: world.fence })).toBe(false);
      expect(await stateOf(world, withdrawal)).toBe("queued");

      await liftAll("the issuer announced it, and we read the code");
      await watchTokens(world.context);
      expect(await breaches()).toEqual([]);
      await world.settle();
      expect(await world.held(world.base.usdc, player.address)).toBe(100n);
      const { items } = value(await readAuditPage(world.context, { limit: 1 }));
      expect(items).toMatchObject([
        { action: "lift_breach", detail: expect.stringContaining("we read the code") },
      ]);
    },
  );

  it("that begins to take a fee stops before any of it moves (SAFETY 8)", async () => {
    const honest = await place(await contracts.deployFeeOnTransferToken(deployment, 100n));
    await watchTokens(world.context);
    expect(await breaches()).toMatchObject([
      {
        invariant: "token transfers",
        detail: expect.stringContaining(`OPENWORK (${world.base.openwork}) moves other`),
      },
    ]);
    await honest.back();
    await liftAll("the fee was taken back");
    await watchTokens(world.context);
    expect(await breaches()).toEqual([]);
  });

  it("that is paused holds up nothing else", async () => {
    await call(world.base.usdc, contracts.usdcAbi, "pause", []);
    await watchTokens(world.context);
    expect(await breaches()).toEqual([]);
    await call(world.base.usdc, contracts.usdcAbi, "unpause", []);
  });

  it("that answers nothing is credited, collected and paid out to the unit (SAFETY 8)", async () => {
    const honest = await place(await contracts.deployNoReturnToken(deployment));
    const player = await depositOpenwork(1_001n);
    await takeOut(player, 1_001n);
    expect(await world.held(world.base.openwork, player.address)).toBe(1_001n);
    await honest.back();
  });

  it("whose balances change without a transfer halts at the next check, which names wallet, token and amounts (SAFETY 8)", async () => {
    const honest = await place(await contracts.deployRebasingToken(deployment));
    await depositOpenwork(10_000n);
    await runReconciliation(world.context);
    expect(await breaches()).toEqual([]);

    await call(world.base.openwork, contracts.rebasingAbi, "rebase", [9_900n]);
    await finalize(world);
    await runReconciliation(world.context);
    expect(await breaches()).toMatchObject([
      {
        invariant: "6. Wallets hold what they back",
        detail: expect.stringMatching(
          new RegExp(
            `wallet ${world.vault} holds 9900 of ${world.base.openwork} at block \\d+, its accounts make 10000`,
          ),
        ),
      },
    ]);
    expect(await sendRound(world.context, { fence: world.fence })).toBe(false);

    await call(world.base.openwork, contracts.rebasingAbi, "rebase", [10_000n]);
    await finalize(world);
    await honest.back();
    await liftAll("the issuer has put it right");
  });
});

describe("a token that takes a fee, listed by force", () => {
  it("halts on the first difference (SAFETY 8)", async () => {
    await place(await contracts.deployFeeOnTransferToken(deployment, 100n));
    const { depositAddress } = await creditOpenwork(10_000n, 9_900n);
    await waitFor(
      async () => {
        await sendRound(world.context, { fence: world.fence });
        await world.base.mine(1);
        return (await breaches()).length > 0;
      },
      { what: "the difference", timeoutMs: 20_000 },
    );
    // The collection moved 9,801 and burned 99 where 9,900 were asked for.
    const [found] = await world.query<{ address: string }>(
      "SELECT address FROM wallet WHERE frozen_reason IS NOT NULL",
    );
    expect(found).toEqual({ address: depositAddress });
    expect((await breaches())[0]).toMatchObject({
      invariant: "stray transfer",
      detail: expect.stringContaining(`99 of ${world.base.openwork} left wallet ${depositAddress}`),
    });
    expect(await sendRound(world.context, { fence: world.fence })).toBe(false);
  });
});

/** Puts another token's code where a listed one is; balances stay. `back` puts the honest code in its place again. */
async function place(from: Address): Promise<{ back(): Promise<void> }> {
  const { testClient, openwork: address } = world.base;
  const [honest = "0x", bytecode = "0x"] = await Promise.all(
    [address, from].map((contract) => testClient.getCode({ address: contract })),
  );
  await testClient.setCode({ address, bytecode });
  return { back: () => testClient.setCode({ address, bytecode: honest }) };
}

/** Credited and collected. */
async function depositOpenwork(amount: bigint): Promise<MoneyPlayer> {
  const player = await creditOpenwork(amount, amount);
  await world.settle();
  return player;
}

/** Paid to the player's deposit address, and final. @param arriving what is left of it */
async function creditOpenwork(amount: bigint, arriving: bigint): Promise<MoneyPlayer> {
  const player = await world.player();
  const { openwork } = world.base;
  await world.base.mint(openwork, player.address, amount);
  await player.pay({ token: openwork, to: player.depositAddress, amount });
  await waitFor(
    async () => {
      const rows = await world.query(
        "SELECT 1 FROM deposit WHERE player_id = $1 AND credited AND amount = $2",
        [player.id, arriving.toString()],
      );
      return rows.length === 1;
    },
    { what: "the credit" },
  );
  await finalize(world);
  return player;
}

async function takeOut(player: MoneyPlayer, amount: bigint): Promise<void> {
  const idempotency = { playerId: player.id, key: randomUUID(), request: `withdraw ${amount}` };
  const request = { by: player.id, token: world.base.openwork, amount, address: player.address, idempotency };
  expect(codeOf(await withdraw(world.context, request))).toBe("ok");
  await world.settle();
}
