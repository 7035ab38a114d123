import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PlannedTransfer, reasonRules } from "../../engine/core/ledger.ts";
import { readUnpaidLosses } from "../../engine/db/deposits.ts";
import { isAway, isDatabaseError, isUniqueViolation, isUnwritten } from "../../engine/db/errors.ts";
import { atOnce, createPool, type Pool, together, transaction } from "../../engine/db/pool.ts";
import { listTokens } from "../../engine/db/tokens.ts";
import { claimSpareWallet, reserveWallet, setWalletAddress } from "../../engine/db/wallets.ts";
import { post, postSurely } from "../../engine/services/ledger.ts";
import { createTestDatabase, longQueues, type TestDatabase } from "../helpers/database.ts";

const token = `0x${"11".repeat(20)}`;
const stranger = `0x${"99".repeat(20)}`;
let database: TestDatabase;
let pool: Pool;
let otherProcess: Pool;
let players = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.appUrl, maxConnections: 30, ...longQueues });
  otherProcess = createPool({ url: database.appUrl, maxConnections: 30, ...longQueues });
  await listTokens(pool, [{ address: token, symbol: "TST", decimals: 6 }]);
  await wallet("vault");
});
afterAll(async () => {
  await pool.end();
  await otherProcess.end();
  await database.drop();
});

/** Backends are ended as a failover would, by the only login that may. */
async function endBackend(pid: number): Promise<void> {
  const superuser = new pg.Client({ connectionString: database.superuserUrl });
  await superuser.connect();
  await superuser.query("SELECT pg_terminate_backend($1, 60000)", [pid]);
  await superuser.end();
}

describe("a connection that is cut", () => {
  it("between two statements of a transaction fails it, and is replaced; nobody else notices", async () => {
    const cut = transaction(pool, async (tx) => {
      const { rows } = await tx.query("SELECT pg_backend_pid() AS pid");
      await endBackend(rows[0].pid);
      await tx.query("SELECT 1");
    });
    await expect(cut).rejects.toSatisfy(isAway);
    expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  it("while a statement runs fails it in the same way", async () => {
    const cut = transaction(pool, async (tx) => {
      const { rows } = await tx.query("SELECT pg_backend_pid() AS pid");
      await Promise.all([tx.query("SELECT pg_sleep(50)"), endBackend(rows[0].pid)]);
    });
    await expect(cut).rejects.toSatisfy(isAway);
    expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });
});

describe("several statements in one packet", () => {
  it("with the commit are undone when one of them can't even be sent", async () => {
    const broken = transaction(pool, (tx) => tx.query("INSERT INTO player (handle) VALUES ('nobody')"), {
      last: () => {
        throw new Error("on the way");
      },
    });
    await expect(broken).rejects.toThrow("on the way");
    expect((await pool.query("SELECT FROM player WHERE handle = 'nobody'")).rowCount).toBe(0);
  });

  it("fail by the one that failed first, whoever is named first", async () => {
    const failed = transaction(pool, (tx) =>
      together(tx, () => {
        const cause = tx.query("SELECT 1 / 0");
        return [tx.query("SELECT 1"), cause];
      }),
    );
    await expect(failed).rejects.toMatchObject({ code: "22012" });
  });

  describe("that are a whole transaction", () => {
    const naming = (handle: string) => ({
      text: "INSERT INTO player (handle) VALUES ($1)",
      values: [handle],
    });
    const stands = async (handle: string) =>
      (await pool.query("SELECT FROM player WHERE handle = $1", [handle])).rowCount === 1;

    it("stay, all of them", async () => {
      await atOnce(pool, (tx) => [tx.query(naming("one_at_once")), tx.query(naming("two_at_once"))]);
      expect(await Promise.all(["one_at_once", "two_at_once"].map(stands))).toEqual([true, true]);
    });

    it("are undone when one of them fails, whatever was sent after it", async () => {
      const failed = atOnce(pool, (tx) => [
        tx.query(naming("before_a_failure")),
        tx.query("SELECT 1 / 0"),
        tx.query(naming("after_a_failure")),
      ]);
      await expect(failed).rejects.toMatchObject({ code: "22012" });
      expect(await Promise.all(["before_a_failure", "after_a_failure"].map(stands))).toEqual([false, false]);
    });

    it("are undone when one of them can't even be sent", async () => {
      const broken = atOnce(pool, (tx) => {
        void tx.query(naming("half_sent"));
        throw new Error("on the way");
      });
      await expect(broken).rejects.toThrow("on the way");
      expect(await stands("half_sent")).toBe(false);
    });

    it("leave their connection to the next, whatever became of them", async () => {
      const single = createPool({ url: database.appUrl, maxConnections: 1, ...longQueues });
      try {
        const pid = async () => (await single.query("SELECT pg_backend_pid() AS pid")).rows[0].pid as number;
        const first = await pid();
        const failed = atOnce(single, (tx) => [tx.query("SELECT 1 / 0")]);
        const broken = atOnce(single, () => {
          throw new Error("on the way");
        });
        const done = atOnce(single, (tx) => [tx.query(naming("next_in_line"))]);
        const ended = await Promise.allSettled([failed, broken, done]);
        expect(ended.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
        expect(await stands("next_in_line")).toBe(true);
        expect(await pid()).toBe(first);
        // Nothing was left open that this would be part of.
        await single.query(naming("by_itself"));
        expect(await stands("by_itself")).toBe(true);
      } finally {
        await single.end();
      }
    });

    it("fail when the connection is cut, and nothing of them stays", async () => {
      const cut = atOnce(pool, (tx) => [
        tx.query(naming("cut_off")),
        tx.query("SELECT pg_terminate_backend(pg_backend_pid())"),
      ]);
      await expect(cut).rejects.toSatisfy(isAway);
      expect(await stands("cut_off")).toBe(false);
    });
  });
});

let wallets = 0;
async function wallet(purpose: "vault" | "deposit" | "escrow"): Promise<void> {
  wallets += 1;
  const row = await transaction(pool, (tx) => reserveWallet(tx, purpose));
  await setWalletAddress(pool, { id: row.id, address: `0x${wallets.toString(16).padStart(40, "a")}` });
}

/** A player without an account yet. */
async function newcomer(): Promise<string> {
  players += 1;
  const { rows } = await pool.query("INSERT INTO player (handle) VALUES ($1) RETURNING id", [
    `tester_${players}`,
  ]);
  const id = String(rows[0].id);
  await wallet("deposit");
  await transaction(pool, (tx) => claimSpareWallet(tx, { purpose: "deposit", playerId: id }));
  return id;
}

const deposit = (playerId: string, amount: bigint): PlannedTransfer => ({
  from: { kind: "outside", address: stranger },
  to: { kind: "player.available", playerId },
  token,
  amount,
  reason: "deposit",
  key: `test:deposit:${playerId}`,
});

/** A player with an amount free, put there by a deposit to the vault. */
async function player(amount: bigint): Promise<string> {
  const id = await newcomer();
  const given = await transaction(pool, (tx) => post(tx, [deposit(id, amount)], { cause: "test" }));
  expect(given.ok).toBe(true);
  return id;
}

const hold = (playerId: string, amount: bigint, key: string): PlannedTransfer => ({
  from: { kind: "player.available", playerId },
  to: { kind: "player.held", playerId },
  token,
  amount,
  reason: "hold",
  key,
});
const release = (playerId: string, amount: bigint, key: string): PlannedTransfer => ({
  ...hold(playerId, amount, key),
  from: { kind: "player.held", playerId },
  to: { kind: "player.available", playerId },
  reason: "release",
});
const landed = (playerId: string) => ({ kind: "player.deposit", playerId }) as const;
const collect = (playerId: string, amount: bigint, key: string): PlannedTransfer => ({
  ...hold(playerId, amount, key),
  from: landed(playerId),
  to: { kind: "player.available", playerId },
  reason: "collect",
});
const balanceOf = async (playerId: string, kind: string): Promise<string> => {
  const { rows } = await pool.query("SELECT balance FROM account WHERE player_id = $1 AND kind = $2", [
    playerId,
    kind,
  ]);
  return rows[0]?.balance ?? "0";
};

describe("balances", () => {
  it("200 parallel holds of 80 on 100 from two processes: one succeeds (SAFETY 14)", async () => {
    const id = await player(100n);
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        transaction(
          index % 2 === 0 ? pool : otherProcess,
          (tx) => post(tx, [hold(id, 80n, `test:race:${id}:${index}`)], { cause: "test" }),
          {
            keep: ({ ok }) => ok,
          },
        ),
      ),
    );
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await balanceOf(id, "player.available")).toBe("20");
    expect(await balanceOf(id, "player.held")).toBe("80");
  });

  it("a thousand holds and releases against each other surface no deadlock and lose no unit (SAFETY 14)", async () => {
    const id = await player(1_000n);
    const count = 1_000;
    const workers = 50;
    const run = (index: number, plan: typeof hold) =>
      transaction(
        index % 2 === 0 ? pool : otherProcess,
        (tx) => post(tx, [plan(id, 1n, `test:${plan.name}:${id}:${index}`)], { cause: "test" }),
        {
          keep: ({ ok }) => ok,
        },
      );
    const held = await transaction(pool, (tx) =>
      post(tx, [hold(id, 500n, `test:first:${id}`)], { cause: "test" }),
    );
    expect(held.ok).toBe(true);
    const results: { ok: boolean }[] = [];
    // As many at once as there are connections: a queue for them would only measure the machine.
    await Promise.all(
      Array.from({ length: workers }, async (_, worker) => {
        for (let index = worker; index < count; index += workers)
          results.push(await run(index, index % 2 === 0 ? hold : release));
      }),
    );
    const moved = results.filter(({ ok }) => ok).length;
    expect(moved).toBe(count);
    expect(await balanceOf(id, "player.available")).toBe("500");
    expect(await balanceOf(id, "player.held")).toBe("500");
  });

  it("a shortfall says how much is free and how much is short", async () => {
    const id = await player(3_240n);
    const result = await transaction(
      pool,
      (tx) => post(tx, [hold(id, 5_000n, `test:short:${id}`)], { cause: "test" }),
      { keep: ({ ok }) => ok },
    );
    expect(result).toEqual({
      ok: false,
      rejection: { code: "insufficient_funds", facts: { free: "3240", short: "1760", token } },
    });
  });

  it("200 parallel pairs of holds of 40 on 100 from two processes: one succeeds (SAFETY 14)", async () => {
    const id = await player(100n);
    const pair = (index: number) =>
      ["a", "b"].map((half) => hold(id, 40n, `test:pair:${id}:${index}:${half}`));
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        transaction(index % 2 === 0 ? pool : otherProcess, (tx) => post(tx, pair(index), { cause: "test" }), {
          keep: ({ ok }) => ok,
        }),
      ),
    );
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await balanceOf(id, "player.available")).toBe("20");
    expect(await balanceOf(id, "player.held")).toBe("80");
  });

  it("several transfers in one go use what those before them brought, and not what those after them do", async () => {
    const id = await player(100n);
    const plan = (name: string): PlannedTransfer[] => [
      hold(id, 100n, `test:${name}:1:${id}`),
      release(id, 70n, `test:${name}:2:${id}`),
      hold(id, 60n, `test:${name}:3:${id}`),
    ];
    const posted = (transfers: PlannedTransfer[]) =>
      transaction(pool, (tx) => post(tx, transfers, { cause: "test" }), { keep: ({ ok }) => ok });
    const [first, second, third] = plan("wrong") as [PlannedTransfer, PlannedTransfer, PlannedTransfer];
    expect(await posted([first, third, second])).toMatchObject({
      rejection: { code: "insufficient_funds", facts: { free: "0", short: "60" } },
    });
    expect(await balanceOf(id, "player.available")).toBe("100");
    expect(await posted(plan("right"))).toMatchObject({ ok: true });
    expect(await balanceOf(id, "player.available")).toBe("10");
    expect(await balanceOf(id, "player.held")).toBe("90");
  });

  it("transfers of which one opens an account are all written, once", async () => {
    const [id, other] = [await player(100n), await newcomer()];
    const first = await transaction(pool, (tx) =>
      post(tx, [hold(id, 10n, `test:opens:${id}`)], { cause: "test" }),
    );
    const second = await transaction(pool, (tx) =>
      post(tx, [hold(id, 5n, `test:opens:again:${id}`), deposit(other, 7n)], { cause: "test" }),
    );
    expect([first.ok, second.ok]).toEqual([true, true]);
    expect(await balanceOf(id, "player.held")).toBe("15");
    expect(await balanceOf(other, "player.available")).toBe("7");
  });

  it.each([
    ["between accounts of which one isn't open", false],
    ["of more than there is", true],
  ])("what is booked at once, %s, is refused by the database, and nothing stays", async (_, isOpen) => {
    const id = await newcomer();
    const key = `test:surely:${id}`;
    const before = [deposit(id, 5n), { ...deposit(id, 5n), to: landed(id), key: `test:surely-before:${id}` }];
    if (isOpen) await transaction(pool, (tx) => post(tx, before, { cause: "test" }));
    const booked = [{ ...deposit(id, 1n), key: `${key}:deposit` }, collect(id, isOpen ? 7n : 1n, key)];
    const written = atOnce(pool, (tx) => [postSurely(tx, booked, { cause: "test" })]);
    await expect(written).rejects.toSatisfy(isUnwritten);
    const { rowCount } = await pool.query("SELECT FROM transfer WHERE business_key LIKE $1", [`${key}%`]);
    expect(rowCount).toBe(0);
  });

  it("what may be refused isn't booked at once, and nothing that goes with it stays either", async () => {
    const id = await player(5n);
    const key = `test:unsure:${id}`;
    const written = atOnce(pool, (tx) => [
      postSurely(tx, [{ ...deposit(id, 1n), key }], { cause: "test" }),
      postSurely(tx, [hold(id, 1n, `${key}:hold`)], { cause: "test" }),
    ]);
    await expect(written).rejects.toThrow(/may be refused/);
    const { rowCount } = await pool.query("SELECT FROM transfer WHERE business_key LIKE $1", [`${key}%`]);
    expect(rowCount).toBe(0);
    expect(await balanceOf(id, "player.available")).toBe("5");
  });

  it("the database itself refuses an overdraft, whatever the code believes", async () => {
    const id = await player(5n);
    const other = await player(5n);
    const accounts = await pool.query(
      "SELECT id FROM account WHERE player_id = ANY ($1::bigint[]) ORDER BY id",
      [[id, other]],
    );
    const [from, to] = accounts.rows;
    const insert = pool.query(
      "INSERT INTO transfer (debit_account_id, credit_account_id, token, amount, reason, business_key) VALUES ($1, $2, $3, 6, 'hold', $4)",
      [from.id, to.id, token, `test:overdraft:${id}`],
    );
    await expect(insert).rejects.toSatisfy(
      (error) => isDatabaseError(error) && error.constraint === "account_balance_check",
    );
  });

  it("the database itself refuses a reason that the rules don't know, and knows all that they do", async () => {
    const { rows } = await pool.query<{ list: string }>(
      "SELECT pg_get_constraintdef(oid) AS list FROM pg_constraint WHERE contypid = 'transfer_reason'::regtype",
    );
    const known = [...(rows[0]?.list ?? "").matchAll(/'([a-z_]+)'/g)].map(([, reason]) => reason);
    expect(known.sort()).toEqual(Object.keys(reasonRules).sort());
    const id = await player(5n);
    const insert = pool.query(
      `INSERT INTO transfer (debit_account_id, credit_account_id, token, amount, reason, business_key)
       SELECT debit.id, credit.id, debit.token, 1, 'gift', 'test:gift' FROM account debit JOIN account credit USING (token)
       WHERE debit.player_id = $1 AND debit.kind = 'player.available' AND credit.kind = 'outside'`,
      [id],
    );
    await expect(insert).rejects.toThrow("value for domain transfer_reason violates");
  });

  it("whoever writes rows without locking the accounts first queues at them all the same, both ways", async () => {
    const [red, blue] = [await player(1_000n), await player(1_000n)];
    const { rows } = await pool.query<{ id: string }>(
      "SELECT id FROM account WHERE player_id = ANY ($1::bigint[]) AND kind = 'player.available' ORDER BY id",
      [[red, blue]],
    );
    const [one, other] = rows.map(({ id }) => id);
    const write = (index: number) =>
      (index % 2 === 0 ? pool : otherProcess).query(
        "INSERT INTO transfer (debit_account_id, credit_account_id, token, amount, reason, business_key) VALUES ($1, $2, $3, 1, 'hold', $4)",
        [...(index % 3 === 0 ? [one, other] : [other, one]), token, `test:unlocked:${red}:${index}`],
      );
    const written = await Promise.allSettled(Array.from({ length: 300 }, (_, index) => write(index)));
    expect(written.filter(({ status }) => status === "rejected")).toEqual([]);
    // A third went one way, the rest the other.
    expect(await balanceOf(red, "player.available")).toBe("1100");
    expect(await balanceOf(blue, "player.available")).toBe("900");
  });

  it("a business key counts once, for ever", async () => {
    const id = await player(10n);
    const key = `test:once:${id}`;
    await transaction(pool, (tx) => post(tx, [hold(id, 1n, key)], { cause: "test" }));
    const again = transaction(pool, (tx) => post(tx, [hold(id, 1n, key)], { cause: "test" }));
    await expect(again).rejects.toSatisfy((error) => isUniqueViolation(error, "transfer_business_key_key"));
    expect(await balanceOf(id, "player.held")).toBe("1");
  });

  it("the largest amount of a token is kept to the last unit", async () => {
    const most = 2n ** 256n - 1n;
    const id = await player(most);
    expect(await balanceOf(id, "player.available")).toBe(most.toString());
  });
});

describe("what the house bore for a deposit", () => {
  it("is owed until all of it is given back, in however many parts (SAFETY 11)", async () => {
    const playerId = await player(1_000n);
    const available = { kind: "player.available", playerId } as const;
    const house = { kind: "house.loss" } as const;
    const move = async (
      reason: "loss_booked" | "loss_repaid",
      amount: bigint,
      key: string,
    ): Promise<void> => {
      const ends = reason === "loss_booked" ? { from: house, to: available } : { from: available, to: house };
      const planned = { ...ends, token, amount, reason, key: `deposit:77:${key}` };
      expect((await transaction(pool, (tx) => post(tx, [planned], { cause: "test" }))).ok).toBe(true);
    };
    const unpaid = async (inclusion: number) => {
      const losses = await transaction(pool, (tx) =>
        readUnpaidLosses(tx, [{ chain_log_id: "77", inclusion }]),
      );
      return losses.map((loss) => [loss.inclusion, loss.amount]);
    };
    await move("loss_booked", 100n, "1:loss");
    expect(await unpaid(2)).toEqual([[1, 100n]]);
    await move("loss_repaid", 40n, "1:repaid-2");
    await move("loss_booked", 40n, "2:loss");
    expect(await unpaid(3)).toEqual([
      [1, 60n],
      [2, 40n],
    ]);
    await move("loss_repaid", 60n, "1:repaid-3");
    await move("loss_repaid", 40n, "2:repaid-3");
    expect(await unpaid(4)).toEqual([]);
  });
});

describe("what the application may do", () => {
  const refused = async (statement: string): Promise<void> => {
    await expect(pool.query(statement)).rejects.toSatisfy(
      (error) => isDatabaseError(error) && error.code === "42501",
    );
  };

  it("it can't change or delete ledger rows, nor write a balance", async () => {
    await player(1n);
    await refused("UPDATE transfer SET amount = 2");
    await refused("DELETE FROM transfer");
    await refused("TRUNCATE transfer");
    await refused("UPDATE account SET balance = balance + 1");
    await refused(
      "INSERT INTO account (kind, token, balance) VALUES ('outside', '0x1111111111111111111111111111111111111111', 5)",
    );
    await refused("UPDATE attempt SET raw = ''");
    await refused("UPDATE audit SET actor = ''");
  });

  it("even the owner is stopped, unless he takes the trigger away", async () => {
    await player(1n);
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    try {
      await expect(owner.query("DELETE FROM transfer")).rejects.toSatisfy(
        (error) => isDatabaseError(error) && error.code === "42501",
      );
    } finally {
      await owner.end();
    }
  });
});

describe("chain instructions", () => {
  it("follow from transfers that cross wallets, are merged per cause, and from nothing else", async () => {
    const [red, blue] = [await player(100n), await player(100n)];
    const { rows } = await pool.query("SELECT gen_random_uuid() AS id");
    const gameId = String(rows[0].id);
    await wallet("escrow");
    await transaction(pool, async (tx) => {
      const escrow = await claimSpareWallet(tx, { purpose: "escrow", gameId });
      const proposal = await tx.query(
        `INSERT INTO proposal (root_id, proposer_id, taker_id, token, proposer_stake, taker_stake, terms, expected_minutes, rake_bps, expires_at)
         VALUES (gen_random_uuid(), $1, $2, $3, 60, 40, 'first to 21', 60, 500, now() + interval '1 hour') RETURNING id`,
        [red, blue, token],
      );
      await tx.query(
        `INSERT INTO game (id, format, proposal_id, escrow_wallet_id, token, red_player_id, blue_player_id, red_stake, blue_stake, terms, rake_bps,
           state, started_at, expected_end_at, result_due_at, report_window_ms, dispute_window_ms, undo_window_ms, deadline_at)
         VALUES ($1, 'duel', $2, $3, $4, $5, $6, 60, 40, 'first to 21', 500, 'playing', now(), now(), now(), 1, 1, 0, now())`,
        [gameId, proposal.rows[0].id, escrow?.id, token, red, blue],
      );
      const stakes: [string, bigint][] = [
        [red, 60n],
        [blue, 40n],
      ];
      for (const [playerId, amount] of stakes) {
        const held = await post(tx, [hold(playerId, amount, `test:stake:${playerId}:${gameId}`)], {
          cause: "test",
        });
        expect(held).toMatchObject({ ok: true, value: { instructionIds: [] } });
        const captured = await post(
          tx,
          [
            {
              ...hold(playerId, amount, `test:capture:${playerId}:${gameId}`),
              from: { kind: "player.held", playerId },
              to: { kind: "escrow.stakes", gameId },
              reason: "capture",
            },
          ],
          { cause: `game:${gameId}:fund`, gameId },
        );
        expect(captured.ok).toBe(true);
      }
    });
    const owed = await pool.query(
      "SELECT kind, amount, state, (SELECT count(*) FROM instruction_leg WHERE instruction_id = instruction.id) AS legs FROM instruction WHERE game_id = $1",
      [gameId],
    );
    expect(owed.rows).toEqual([{ kind: "fund", amount: "100", state: "queued", legs: "2" }]);
  });
});
