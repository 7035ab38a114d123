import { encodeFunctionData } from "viem";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { explainStray } from "../../engine/db/adopting.ts";
import { transaction } from "../../engine/db/pool.ts";
import { readAuditPage } from "../../engine/services/audit.ts";
import { areNoncesOurs } from "../../engine/services/foreign-nonces.ts";
import { liftBreach, readOverview } from "../../engine/services/overview.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { thaw } from "../../engine/services/thawing.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { tokenAbi } from "../helpers/contracts.ts";
import { createMoneyWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { actAsThiefOfTheVault } from "../helpers/other-hands.ts";
import { type RpcProxy, startRpcProxy } from "../helpers/rpc-proxy.ts";
import { ask, readyToWithdraw, stateOf } from "../helpers/sender.ts";
import { operator } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";
import { codeOf, value } from "./wager-world.ts";

let world: MoneyWorld;
let nodes: [RpcProxy, RpcProxy];
let by: { playerId: string; handle: string };
let player: MoneyPlayer;
let vaultId: string;
beforeAll(async () => {
  world = await createMoneyWorld({}, async ({ rpcUrl }) => {
    nodes = await Promise.all([startRpcProxy(rpcUrl), startRpcProxy(rpcUrl)]);
    return nodes.map((node) => node.rpcUrl);
  });
  world.watch();
  await world.caughtUp();
  by = await operator(world);
  player = await readyToWithdraw(world, 1_000n);
  const [vault] = await world.query<{ id: string }>("SELECT id FROM wallet WHERE purpose = 'vault'");
  vaultId = vault?.id ?? "";
});
beforeEach(() => setLiars());
afterAll(async () => {
  await world.stop();
  await Promise.all(nodes.map((node) => node.stop()));
});

/** These say that the vault has sent a transaction more than it has. */
function setLiars(...liars: RpcProxy[]): void {
  for (const node of nodes) node.setFaults();
  for (const node of liars) {
    node.setFaults(async ({ method, params, forward }) => {
      if (method !== "eth_getTransactionCount" || params[0] !== world.vault) return undefined;
      const reply = await forward();
      const spent = typeof reply === "object" && "result" in reply ? BigInt(String(reply.result)) : 0n;
      return { result: `0x${(spent + 1n).toString(16)}` };
    });
  }
}
const frozen = async () => value(await readOverview(world.context)).frozenWallets;
const breaches = async () => value(await readOverview(world.context)).breaches;
const reason = "The node was wrong.";
const thawVault = () => thaw(world.context, { by, walletId: vaultId, reason });
async function liftAll(): Promise<void> {
  for (const { id } of await breaches())
    expect(codeOf(await liftBreach(world.context, { by, breachId: id, reason }))).toBe("ok");
}
async function areOurs(): Promise<boolean> {
  const [row] = await world.query<{ next: string }>("SELECT next_nonce AS next FROM wallet WHERE id = $1", [
    vaultId,
  ]);
  const nextNonce = BigInt(row?.next ?? "0");
  return areNoncesOurs(world.context, { id: vaultId, address: world.vault, nextNonce });
}

describe("a wallet of which a node says that it has sent more than we know (SAFETY 24)", () => {
  it("isn't frozen by the word of one of two providers, whichever is asked", async () => {
    for (const liar of nodes) {
      setLiars(liar);
      await areOurs();
      expect(await frozen()).toEqual([]);
      expect(await breaches()).toEqual([]);
    }
  });

  it("is frozen when both say so, and pays again once that is explained and an operator has thawed it", async () => {
    const asked = await ask(world, player, 10n);
    setLiars(...nodes);
    expect(await areOurs()).toBe(false);
    expect(await frozen()).toEqual([
      { id: vaultId, address: world.vault, purpose: "vault", reason: expect.stringContaining("has sent") },
    ]);
    const standing = await breaches();
    expect(standing).toMatchObject([{ invariant: "foreign nonce" }]);

    await liftAll();
    expect(codeOf(await thawVault())).toBe("wallet_suspect");
    setLiars(nodes[0]);
    expect(codeOf(await thawVault())).toBe("wallet_suspect");
    setLiars();
    await world.query("UPDATE breach SET lifted_at = NULL, lifted_by = NULL, lift_reason = NULL");
    expect(codeOf(await thawVault())).toBe("wallet_suspect");
    await liftAll();
    await sendRound(world.context, { fence: world.fence });
    expect(await stateOf(world, asked)).toBe("queued");
    expect(codeOf(await thawVault())).toBe("ok");
    expect(codeOf(await thawVault())).toBe("wallet_not_frozen");
    expect(await frozen()).toEqual([]);
    await world.settle();
    expect(await stateOf(world, asked)).toBe("final");
    const { items } = value(await readAuditPage(world.context, { limit: 100 }));
    expect(items.filter(({ action }) => action === "thaw_wallet")).toMatchObject([
      { subject: `wallet:${vaultId}`, detail: expect.stringContaining(reason) },
    ]);
    await expectBooksToBalance(world.context, { onChain: true });
  });
});

describe("a wallet that money has left by another hand (SAFETY 24)", () => {
  it("can't be thawed while that stands in the chain, and can once its block has fallen out", async () => {
    const [row] = await world.query<{ next: string }>("SELECT next_nonce AS next FROM wallet WHERE id = $1", [
      vaultId,
    ]);
    const steal = encodeFunctionData({ abi: tokenAbi, functionName: "transfer", args: [player.address, 5n] });
    await actAsThiefOfTheVault(world, { to: world.base.usdc, data: steal, nonce: Number(row?.next) });
    await waitFor(async () => (await frozen()).length > 0, { what: "the alarm" });
    await liftAll();
    expect(codeOf(await thawVault())).toBe("wallet_suspect");
    const spent = await world.base.testClient.getTransactionCount({ address: world.vault });
    // Made to agree, it still isn't ours.
    await world.query("UPDATE wallet SET next_nonce = $2 WHERE id = $1", [vaultId, spent]);
    const refused = await thawVault();
    expect(refused).toMatchObject({
      rejection: { message: expect.stringContaining("which we didn't send") },
    });
    await world.query("UPDATE wallet SET next_nonce = $2 WHERE id = $1", [vaultId, row?.next]);

    await world.base.reorg(1);
    await world.base.mine(2);
    await waitFor(
      async () =>
        (await world.query("SELECT FROM chain_log WHERE kind = 'stray' AND canonical")).length === 0,
      { what: "the reorg in the books" },
    );
    expect(codeOf(await thawVault())).toBe("ok");
    expect(await frozen()).toEqual([]);
  });
});

// The last: what it writes into the books by hand stays.
describe("a stray transfer that the books explain after all", () => {
  const hashOf = (digit: number): string => `0x${String(digit).repeat(64)}`;
  async function stray(digit: number): Promise<string> {
    const [log] = await world.query<{ id: string }>(
      `INSERT INTO chain_log (tx_hash, token, ordinal, sender, recipient, amount, block_number, block_hash, log_index,
         stamped_at, kind, sender_wallet_id)
       VALUES ($1, $2, 0, $3, $4, 5, 1, $1, 0, now(), 'stray', $5) RETURNING id`,
      [hashOf(digit), world.base.usdc, world.vault, player.address, vaultId],
    );
    return log?.id ?? "";
  }
  const explain = (logId: string, digit: number, blockNumber = 1n): Promise<boolean> =>
    transaction(world.context.pool, (tx) =>
      explainStray(tx, { logId, txHash: hashOf(digit), walletId: vaultId, blockNumber, at: new Date() }),
    );
  const freeze = (why: string) =>
    world.query("UPDATE wallet SET frozen_reason = $2 WHERE id = $1", [vaultId, why]);
  afterEach(() => world.query("UPDATE wallet SET frozen_reason = NULL"));

  it("thaws only what was frozen for it, and nothing while another one stands", async () => {
    const [one, two] = [await stray(1), await stray(2)];
    await freeze("a look");
    // A reorg has taken it to another block since it was read: it is looked at anew.
    expect(await explain(one, 1, 2n)).toBe(false);
    expect(await explain(one, 1)).toBe(true);
    expect(await explain(one, 1)).toBe(false);
    expect(await frozen()).toMatchObject([{ reason: "a look" }]);
    const again = await stray(3);
    await freeze(`stray transfer ${hashOf(2)}`);
    await explain(two, 2);
    expect(await frozen()).toMatchObject([{ reason: `stray transfer ${hashOf(3)}` }]);
    await world.query("INSERT INTO breach (invariant, detail) VALUES ('foreign nonce', $1)", [
      `wallet ${world.vault} has sent 9 transactions, 1 of them ours`,
    ]);
    await explain(again, 3);
    expect(await frozen()).toMatchObject([{ reason: expect.stringContaining("has sent 9") }]);
    await liftAll();
    await freeze(`stray transfer ${hashOf(4)}`);
    await explain(await stray(4), 4);
    expect(await frozen()).toEqual([]);
  });
});
