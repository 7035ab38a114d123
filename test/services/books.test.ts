import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readExpectedBalances } from "../../engine/db/books-wallets.ts";
import { readCursor } from "../../engine/db/cursor.ts";
import { snapshot } from "../../engine/db/pool.ts";
import { checkBooks, runReconciliation } from "../../engine/services/books.ts";
import { reportBooks, rowsInTurn } from "../../engine/services/books-report.ts";
import { liftBreach, readOverview } from "../../engine/services/overview.ts";
import { prepare } from "../../engine/services/preparing.ts";
import * as proposals from "../../engine/services/proposals.ts";
import { sendWhatIsSigned, signWhatIsPrepared } from "../../engine/services/sending.ts";
import { readSolvency } from "../../engine/services/solvency.ts";
import { sweep } from "../../engine/services/sweep.ts";
import { withdraw } from "../../engine/services/withdrawals.ts";
import { expectBooksToBalance } from "../helpers/books.ts";
import { createMoneyWorld, type MoneyPlayer, type MoneyWorld } from "../helpers/money-world.ts";
import { stopMining } from "../helpers/sender.ts";
import { finalize, funded, operator, payAsStranger } from "../helpers/treasury.ts";
import { waitFor } from "../helpers/wait.ts";
import { codeOf, keyFor, offerBy, report, value } from "./wager-world.ts";

let world: MoneyWorld;
let owner: pg.Client;
let unwatch: () => Promise<void>;
let red: MoneyPlayer;
let blue: MoneyPlayer;

/** A little of everything: deposits, suspense, a settled game, an open one, an offer, a withdrawal, a sweep. */
beforeAll(async () => {
  world = await createMoneyWorld();
  owner = new pg.Client({ connectionString: world.database.ownerUrl });
  await owner.connect();
  unwatch = world.watch();
  await world.caughtUp();
  red = await funded(world, 10_000n);
  blue = await funded(world, 10_000n);
  await payAsStranger(world, { to: world.vault, amount: 33n });
  await finalize(world);
  await settleGame(await startGame());
  const token = world.base.usdc;
  const request = { by: red.id, token, amount: 500n, address: red.address, idempotency: keyFor(red.id) };
  value(await withdraw(world.context, request));
  await world.settle();
  const by = await operator(world);
  const { total } = value(await sweep(world.context, { by, token, dryRun: true }));
  value(await sweep(world.context, { by, token, dryRun: false, confirmTotal: BigInt(total.amount) }));
  await world.settle();
  await startGame();
  await world.settle();
  value(await proposals.propose(world.context, offer()));
});
afterAll(async () => {
  await owner.end();
  await world.stop();
});

const offer = () => offerBy(red.id, { proposerStake: 1_000n, takerStake: 500n, token: world.base.usdc });
async function startGame(): Promise<string> {
  const { id } = value(await proposals.propose(world.context, offer()));
  const taken = await proposals.accept(world.context, {
    by: blue.id,
    idempotency: keyFor(blue.id),
    proposalId: id,
  });
  return value(taken).gameId;
}
async function settleGame(gameId: string): Promise<void> {
  value(await report(world.context, red.id, gameId, "red"));
  value(await report(world.context, blue.id, gameId, "red"));
}
/** Numbers of the invariants that don't hold. */
const broken = async (options = { onChain: false }) =>
  (await checkBooks(world.context, options)).filter(({ ok }) => !ok).map(({ number }) => number);

/** The last payout's state once it is as far as that, and the books with it. */
async function balanceIn(state: string): Promise<void> {
  const last = "SELECT state FROM instruction WHERE kind = 'withdrawal' ORDER BY id DESC LIMIT 1";
  await waitFor(async () => (await world.query<{ state: string }>(last))[0]?.state === state, {
    what: `a payout that is ${state}`,
    timeoutMs: 20_000,
  });
  await expectBooksToBalance(world.context, { onChain: true });
}

describe("the books", () => {
  it("balance, against themselves and against the chain", async () => {
    await expectBooksToBalance(world.context, { onChain: true });
    expect((await checkBooks(world.context)).map(({ number }) => number)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  it("balance at any moment of a payout: asked for, signed, sent, mined, final", async () => {
    const request = { by: blue.id, token: world.base.usdc, amount: 7n, address: blue.address };
    await stopMining(world);
    value(await withdraw(world.context, { ...request, idempotency: keyFor(blue.id) }));
    await balanceIn("queued");
    let isOver = false;
    const looking = (async () => {
      while (!isOver) await expectBooksToBalance(world.context, { onChain: true });
    })();
    try {
      const leadership = { fence: world.fence };
      expect(await prepare(world.context, leadership)).toBe(1);
      await balanceIn("sending");
      expect(await signWhatIsPrepared(world.context, leadership)).toBe(1);
      await balanceIn("sending");
      expect(await sendWhatIsSigned(world.context, leadership)).toBe(1);
      await balanceIn("sending");
      await world.base.mine(1);
      await balanceIn("mined");
      await finalize(world);
      await balanceIn("final");
    } finally {
      isOver = true;
      await looking;
      await world.base.testClient.setAutomine(true);
    }
  });

  it("have the vault compared with the chain each time, and every other wallet in its turn", async () => {
    const atBlock = (await readCursor(world.context.pool))?.finalized_number ?? -1n;
    const expected = (atOnce: number, turn: number) =>
      snapshot(world.context.pool, (tx) => readExpectedBalances(tx, { atBlock, atOnce, turn }));
    const all = await expected(1_000, 0);
    expect(all.areAll).toBe(true);
    expect(all.balances.length).toBeGreaterThan(3);
    for (const atOnce of [1, 2, 3, all.balances.length - 1, all.balances.length]) {
      const parts = Math.max(1, Math.ceil(all.balances.length / atOnce) - 1);
      const seen = new Set<string>();
      for (let turn = 1_000_003; turn < 1_000_003 + parts; turn += 1) {
        const { balances, areAll } = await expected(atOnce, turn);
        expect(balances).toMatchObject([{ address: world.vault }, ...balances.slice(1)]);
        expect(balances.length).toBeLessThanOrEqual(2 * atOnce);
        expect(areAll).toBe(balances.length === all.balances.length);
        for (const { address, token } of balances) seen.add(`${address} ${token}`);
      }
      expect(seen.size).toBe(all.balances.length);
    }
  });

  it("that compare a part at a time find what the oldest wallet lacks, and say no total of what they looked at", async () => {
    const oldest =
      "id = (SELECT min(account.id) FROM account JOIN wallet ON wallet.id = wallet_id WHERE purpose = 'deposit')";
    await owner.query(`UPDATE account SET balance = balance + 1 WHERE ${oldest}`);
    try {
      const { rows } = await owner.query("SELECT count(*)::int AS parts FROM wallet CROSS JOIN token");
      const found: boolean[] = [];
      for (let turn = 0; turn < rows[0].parts; turn += 1) {
        const report = await reportBooks(world.context, { everyRow: false, balancesAtOnce: 1 });
        expect(report).toMatchObject({ blockNumber: expect.anything(), onChain: null });
        found.push(report.invariants.some(({ number, ok }) => number === 6 && !ok));
      }
      expect(new Set(found)).toEqual(new Set([true, false]));
      expect((await reportBooks(world.context, { balancesAtOnce: 1 })).onChain?.size).toBeGreaterThan(0);
    } finally {
      await owner.query(`UPDATE account SET balance = balance - 1 WHERE ${oldest}`);
    }
  });

  it("miss what a node has left out, also of a wallet that they know nothing of", async () => {
    await unwatch();
    const newcomer = await world.player();
    await world.base.mint(world.base.usdc, newcomer.depositAddress, 7n);
    await world.base.mine(5);
    const cursor = await readCursor(world.context.pool);
    // As if the blocks had been read without it.
    const move = (head: bigint, finalized: bigint) =>
      owner.query("UPDATE chain_cursor SET head_number = $1, safe_number = $2, finalized_number = $2", [
        String(head),
        String(finalized),
      ]);
    const at = await world.base.testClient.getBlockNumber();
    await move(at, at);
    const faults = (await checkBooks(world.context, { onChain: true })).filter(({ ok }) => !ok);
    expect(faults).toMatchObject([
      { number: 6, detail: expect.stringContaining(newcomer.depositAddress.toLowerCase()) },
    ]);
    await move(cursor?.head_number ?? 0n, cursor?.finalized_number ?? 0n);
    unwatch = world.watch();
    await world.caughtUp();
    await finalize(world);
    await expectBooksToBalance(world.context, { onChain: true });
  });

  it("balance while deposits come in, are not final, and fall out of the chain", async () => {
    await payAsStranger(world, { to: blue.depositAddress, amount: 12n });
    await expectBooksToBalance(world.context, { onChain: true });
    await world.base.reorg(2);
    await world.base.mine(1);
    await world.caughtUp();
    await expectBooksToBalance(world.context, { onChain: true });
  });
});

/** Somebody with the owner's rights changes what must not change; each is put right again by the second statement. */
const tamperings: { what: string; change: string; repair: string; breaks: number }[] = [
  {
    what: "the amount of a ledger row",
    change: "UPDATE transfer SET amount = amount + 1 WHERE id = 1",
    repair: "UPDATE transfer SET amount = amount - 1 WHERE id = 1",
    breaks: 1,
  },
  {
    what: "the reason of a ledger row",
    change: "UPDATE transfer SET reason = 'win' WHERE reason = 'stake_returned' OR id = 2",
    repair: "UPDATE transfer SET reason = 'collect' WHERE id = 2",
    breaks: 1,
  },
  {
    what: "the hash of a ledger row",
    change: "UPDATE transfer SET hash = sha256(hash) WHERE id = (SELECT max(id) FROM transfer)",
    repair:
      "UPDATE transfer SET hash = head FROM account WHERE account.id = debit_account_id AND transfer.id = (SELECT max(id) FROM transfer)",
    breaks: 1,
  },
  {
    what: "a balance",
    change:
      "UPDATE account SET balance = balance + 5 WHERE kind = 'player.available' AND id = (SELECT min(id) FROM account WHERE kind = 'player.available')",
    repair:
      "UPDATE account SET balance = balance - 5 WHERE kind = 'player.available' AND id = (SELECT min(id) FROM account WHERE kind = 'player.available')",
    breaks: 1,
  },
  {
    what: "what an open offer holds",
    change: "UPDATE proposal SET proposer_stake = proposer_stake + 1 WHERE state = 'pending'",
    repair: "UPDATE proposal SET proposer_stake = proposer_stake - 1 WHERE state = 'pending'",
    breaks: 2,
  },
  {
    what: "a stake of a game",
    change: "UPDATE game SET red_stake = red_stake + 1",
    repair: "UPDATE game SET red_stake = red_stake - 1",
    breaks: 3,
  },
  {
    what: "the outputs of a settlement",
    change: `UPDATE settlement SET outputs = jsonb_set(outputs, '{rake}', '"1"')`,
    repair: `UPDATE settlement SET outputs = jsonb_set(outputs, '{rake}', '"75"')`,
    breaks: 3,
  },
  {
    what: "the amount of a deposit",
    change: "UPDATE deposit SET amount = amount + 1 WHERE id = (SELECT min(id) FROM deposit)",
    repair: "UPDATE deposit SET amount = amount - 1 WHERE id = (SELECT min(id) FROM deposit)",
    breaks: 4,
  },
  {
    what: "whether a deposit is credited",
    change: "UPDATE deposit SET credited = false WHERE id = (SELECT min(id) FROM deposit)",
    repair: "UPDATE deposit SET credited = true WHERE id = (SELECT min(id) FROM deposit)",
    breaks: 4,
  },
  {
    what: "whether an item in suspense is open",
    change: "UPDATE deposit SET suspense_state = 'refunded' WHERE suspense_state = 'open'",
    repair: "UPDATE deposit SET suspense_state = 'open' WHERE suspense_state = 'refunded'",
    breaks: 4,
  },
  {
    what: "the log of a payout",
    change: "UPDATE chain_log SET amount = amount + 1 WHERE kind = 'outgoing'",
    repair: "UPDATE chain_log SET amount = amount - 1 WHERE kind = 'outgoing'",
    breaks: 5,
  },
  {
    what: "whether the log of a final payout is in the chain",
    change: "UPDATE chain_log SET canonical = false WHERE kind = 'outgoing'",
    repair: "UPDATE chain_log SET canonical = true WHERE kind = 'outgoing'",
    breaks: 5,
  },
  {
    what: "the amount of an instruction",
    change: "UPDATE instruction SET amount = amount + 1 WHERE kind = 'withdrawal'",
    repair: "UPDATE instruction SET amount = amount - 1 WHERE kind = 'withdrawal'",
    breaks: 6,
  },
  {
    what: "which transfer an instruction carries out",
    change:
      "CREATE TABLE kept AS SELECT * FROM instruction_leg; DELETE FROM instruction_leg WHERE transfer_id = (SELECT max(transfer_id) FROM instruction_leg)",
    repair: "INSERT INTO instruction_leg SELECT * FROM kept ON CONFLICT DO NOTHING; DROP TABLE kept",
    breaks: 6,
  },
  {
    what: "a wallet's next nonce",
    change: "UPDATE wallet SET next_nonce = next_nonce + 1 WHERE purpose = 'vault'",
    repair: "UPDATE wallet SET next_nonce = next_nonce - 1 WHERE purpose = 'vault'",
    breaks: 7,
  },
  {
    what: "the standing settlement",
    change: "UPDATE settlement SET undone_at = now()",
    repair: "UPDATE settlement SET undone_at = NULL",
    breaks: 8,
  },
  {
    what: "when a stake came in",
    change:
      "UPDATE transfer SET created_at = created_at + interval '1 minute' WHERE business_key LIKE '%:capture:blue'",
    repair:
      "UPDATE transfer SET created_at = created_at - interval '1 minute' WHERE business_key LIKE '%:capture:blue'",
    breaks: 8,
  },
  {
    what: "a sign-in nonce, used after its time",
    change:
      "INSERT INTO sign_in_challenge (nonce, address, message, browser_hash, expires_at, consumed_at) VALUES (repeat('n', 43), '0x1111111111111111111111111111111111111111', '', '', now(), now() + interval '1 second')",
    repair: "DELETE FROM sign_in_challenge",
    breaks: 9,
  },
  {
    what: "the hash of a block",
    change:
      "UPDATE block SET hash = '0x' || repeat('1', 64) WHERE number = (SELECT max(number) - 1 FROM block)",
    repair:
      "UPDATE block SET hash = next.parent_hash FROM block next WHERE next.number = block.number + 1 AND block.hash = '0x' || repeat('1', 64)",
    breaks: 10,
  },
];

describe("books with many rows", () => {
  it.each([0, 1, 50_000, 50_001, 100_000, 137_003, 1_000_000])(
    "of %i, the newest are read at each check and every other in its turn",
    (last) => {
      const read = new Uint8Array(last + 1);
      const turns = Math.max(1, Math.ceil(last / 50_000) - 1);
      for (let turn = 0; turn < turns; turn += 1) {
        const ranges = rowsInTurn(last, 1_000_003 + turn);
        expect(ranges.at(-1)).toEqual({ from: Math.max(1, last - 49_999), to: last });
        for (const { from, to } of ranges) read.fill(1, from, to + 1);
      }
      expect(read.indexOf(0, 1)).toBe(-1);
    },
  );
});

describe("a change by a hand with the owner's rights", () => {
  const withTriggersOff = async (sql: string) => {
    await owner.query("ALTER TABLE transfer DISABLE TRIGGER USER");
    await owner.query(sql);
    await owner.query("ALTER TABLE transfer ENABLE TRIGGER USER");
  };
  it.each(tamperings)("of $what is found", async ({ change, repair, breaks }) => {
    expect(await broken()).toEqual([]);
    await withTriggersOff(change);
    const found = await broken();
    await withTriggersOff(repair);
    expect(found).toContain(breaks);
    expect(await broken()).toEqual([]);
  });

  it("is refused by the database while its triggers are on", async () => {
    await expect(owner.query("UPDATE transfer SET amount = 1")).rejects.toThrow("never changed");
    await expect(owner.query("DELETE FROM transfer")).rejects.toThrow("never changed");
    await expect(owner.query("TRUNCATE transfer CASCADE")).rejects.toThrow("never changed");
  });
});

describe("money that leaves by another hand", () => {
  it("is a breach within one check: nothing leaves, and the operator reads why first", async () => {
    await runReconciliation(world.context);
    const before = value(await readOverview(world.context));
    expect(before).toMatchObject({ booksBalance: true, outflowsStopped: null, breaches: [] });
    const solvent = value(await readSolvency(world.context));
    expect(solvent.booksBalance).toBe(true);
    const dollars = solvent.tokens.find(({ symbol }) => symbol === "USDC");
    const owed = [dollars?.owedToPlayers, dollars?.inEscrow, dollars?.earnedByHouse, dollars?.inSuspense];
    const sum = owed.reduce((total, money) => total + BigInt(money?.amount ?? "0"), 0n);
    expect(dollars?.onChain.amount).toBe(sum.toString());

    const { testClient, usdc } = world.base;
    await world.base.setEther(world.vault, 10n ** 18n);
    await testClient.impersonateAccount({ address: world.vault });
    await testClient.writeContract({
      address: usdc,
      abi: [
        {
          type: "function",
          name: "transfer",
          stateMutability: "nonpayable",
          inputs: [{ type: "address" }, { type: "uint256" }],
          outputs: [{ type: "bool" }],
        },
      ],
      functionName: "transfer",
      args: ["0x00000000000000000000000000000000000000aa", 3n],
      account: world.vault,
    });
    await world.base.mine(1);
    await world.caughtUp();
    expect(await broken()).toContain(5);
    await finalize(world);
    expect(await broken({ onChain: true })).toEqual(expect.arrayContaining([5, 6]));
    await runReconciliation(world.context);
    await runReconciliation(world.context);

    const after = value(await readOverview(world.context));
    expect(after.booksBalance).toBe(false);
    expect(after.outflowsStopped?.reason).toContain("stray transfer");
    const invariants = after.breaches.map(({ invariant }) => invariant);
    expect(new Set(invariants).size).toBe(invariants.length);
    expect(invariants).toContain("5. Every payout is ours and paid once");
    expect(value(await readSolvency(world.context)).invariants).toContainEqual({
      number: 6,
      name: "Wallets hold what they back",
      ok: false,
      detail: null,
    });
    const by = await operator(world);
    const sweeping = { by, token: usdc, dryRun: false, confirmTotal: 1n };
    expect(codeOf(await sweep(world.context, sweeping))).toBe("outflows_stopped");
  });

  it("stands until it is lifted with a reason, and again when it still doesn't hold", async () => {
    const by = await operator(world);
    const { breaches } = value(await readOverview(world.context));
    for (const { id } of breaches) {
      expect(codeOf(await liftBreach(world.context, { by, breachId: id, reason: "looked at" }))).toBe("ok");
    }
    expect(value(await readOverview(world.context)).outflowsStopped).toBeNull();
    expect(
      codeOf(await liftBreach(world.context, { by, breachId: breaches[0]?.id ?? "1", reason: "x" })),
    ).toBe("not_found");
    await runReconciliation(world.context);
    expect(value(await readOverview(world.context)).outflowsStopped).not.toBeNull();
  });
});
