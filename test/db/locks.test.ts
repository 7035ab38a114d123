/** Who holds a row has it alone: the second one waits for it, or takes the next. */
import { randomBytes, randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lockMatching, lockUnpaidPayout } from "../../engine/db/adopting.ts";
import { lockWallet } from "../../engine/db/allocating.ts";
import { restoring } from "../../engine/db/backup.ts";
import { insertChallenge, trimChallenges } from "../../engine/db/challenges.ts";
import { putGamesLater, putOffersLater } from "../../engine/db/clocks.ts";
import { beginCursor, lockCursor } from "../../engine/db/cursor.ts";
import { lockDepositsAbove, lockUncredited } from "../../engine/db/deposits.ts";
import { lockSuspect } from "../../engine/db/frozen.ts";
import { lockDueGame, lockGame, readGames, updateGame } from "../../engine/db/games.ts";
import { insertDeployment, insertTopups } from "../../engine/db/gas-wallet.ts";
import { lockHoldingOffers } from "../../engine/db/held-offers.ts";
import { holdFence, takeLease } from "../../engine/db/lease.ts";
import { lockAccounts } from "../../engine/db/ledger.ts";
import { migrate } from "../../engine/db/migrate.ts";
import { giveNoncesBack } from "../../engine/db/nonces.ts";
import { replaceOverlayLink } from "../../engine/db/overlays.ts";
import { setPrimaryWallet } from "../../engine/db/players.ts";
import { createPool, type Tx, transaction } from "../../engine/db/pool.ts";
import { lockDueProposal, lockProposal, updateProposal } from "../../engine/db/proposals.ts";
import { readNextIndex, retireAhead } from "../../engine/db/recovery.ts";
import { insertSession, trimSessions } from "../../engine/db/sessions.ts";
import { lockClaimable, lockProven, lockSuspense } from "../../engine/db/suspense.ts";
import { claimSpareWallet, readSingleWallet, reserveWallet } from "../../engine/db/wallets.ts";
import * as proposals from "../../engine/services/proposals.ts";
import { ensureSpareWallets } from "../../engine/services/wallets.ts";
import { createTestDatabase } from "../helpers/database.ts";
import { untilLocked, waitFor } from "../helpers/wait.ts";
import {
  createWorld,
  offerBy,
  openwork,
  settings,
  startGame,
  usdc,
  value,
  type World,
} from "../services/wager-world.ts";

let world: World;
let red: string;
let blue: string;
let offers: string[];
let games: string[];
let vault: string;
let depositId: string;
let fence: number;
const sender = `0x${"77".repeat(20)}`;

beforeAll(async () => {
  world = await createWorld();
  const { pool } = world.context;
  red = await world.addPlayer("red");
  blue = await world.addPlayer("blue");
  const stakes = { proposerStake: 2n, takerStake: 1n };
  games = [
    await startGame(world, { red, blue, ...stakes }),
    await startGame(world, { red, blue, ...stakes }),
  ];
  offers = [];
  for (let index = 0; index < 2; index += 1)
    offers.push(value(await proposals.propose(world.context, offerBy(red, stakes))).id);
  await ensureSpareWallets(world.context, "escrow", 2);
  vault = (await readSingleWallet(pool, "vault"))?.id ?? "";
  const block = { number: 1n, hash: hashOf(1), parentHash: hashOf(0), stampedAt: new Date(0) };
  await transaction(pool, (tx) => beginCursor(tx, { chainId: 8453, block }));
  depositId = await strayDeposit(0, "final");
  await strayDeposit(1, "seen");
  await world.rows("INSERT INTO player_wallet (address, player_id) VALUES ($1, $2)", [sender, red]);
  await world.rows(
    `INSERT INTO instruction (kind, source_wallet_id, token, destination, amount, cause)
     VALUES ('refund', $1, $2, $3, 5, 'test'), ('payout', $1, $2, $3, 6, 'test of a payout')`,
    [vault, usdc, sender],
  );
  fence = (await takeLease(pool, { name: "chain", holder: "test", forMs: -1_000 })) ?? -1;
});
afterAll(() => world.end());

const hashOf = (number: number): string => `0x${number.toString(16).padStart(64, "0")}`;

/** Money in the vault, of somebody whom nobody knows. */
async function strayDeposit(ordinal: number, state: "seen" | "final"): Promise<string> {
  const [row] = await world.rows(
    `WITH log AS (
       INSERT INTO chain_log (tx_hash, token, ordinal, sender, recipient, amount, block_number, block_hash, log_index, stamped_at, kind, recipient_wallet_id)
       SELECT $1, $2, $5, $3, address, 5, 1, $1, 0, now(), 'deposit', id FROM wallet WHERE id = $4 RETURNING id, token, amount)
     INSERT INTO deposit (chain_log_id, token, amount, wallet_id, suspense_cause, suspense_state, state, credited)
     SELECT id, token, amount, $4, 'unknown_sender', 'open', $6::text, $6::text = 'final' FROM log RETURNING id`,
    [hashOf(1), usdc, sender, vault, ordinal, state],
  );
  return String(row?.id);
}

/**
 * What the second of two transactions gets while the first is at it, "waits" when it gets nothing before the first has
 * ended; and what it gets in the end.
 */
async function askedWhile<First, Second = First>(
  held: (tx: Tx) => Promise<First>,
  asked: (tx: Tx) => Promise<First | Second> = held,
  end: "COMMIT" | "ROLLBACK" = "ROLLBACK",
): Promise<{ first: First; second: First | Second | "waits"; afterwards: First | Second }> {
  const [holder, other] = [await world.context.pool.connect(), await world.other.pool.connect()];
  try {
    for (const client of [holder, other]) await client.query("BEGIN");
    const first = await held(holder as unknown as Tx);
    const { rows } = await other.query("SELECT pg_backend_pid() AS pid");
    let second: First | Second | "waits" = "waits";
    const asking = asked(other as unknown as Tx).then((answer) => (second = answer));
    const isWaiting = async (): Promise<boolean> => {
      const [row] = await world.rows("SELECT cardinality(pg_blocking_pids($1)) AS blockers", [rows[0].pid]);
      return Number(row?.blockers) > 0;
    };
    await waitFor(async () => second !== "waits" || (await isWaiting()), { what: "the second transaction" });
    const got = second;
    const [afterwards] = await Promise.all([asking, holder.query(end)]);
    return { first, second: got, afterwards };
  } finally {
    await Promise.all([holder, other].map((client) => client.query("ROLLBACK")));
    for (const client of [holder, other]) client.release();
  }
}

describe("the second transaction waits for", () => {
  const accountOf = (playerId: string) => ({
    ...{ kind: "player.available", token: usdc, playerId, gameId: null, walletId: null },
  });
  const locks: [string, (tx: Tx) => Promise<unknown>][] = [
    [
      "an offer that is answered (SAFETY 15)",
      (tx) => lockProposal(tx, { id: offers[0] ?? "", withRoot: false }),
    ],
    ["a game that something is done to (SAFETY 15)", (tx) => lockGame(tx, games[0] ?? "")],
    ["an account that is read (SAFETY 14)", (tx) => lockAccounts(tx, [accountOf(red)])],
    ["a wallet whose nonces are spent (SAFETY 21)", (tx) => lockWallet(tx, vault)],
    ["a wallet whose nonces are given back", (tx) => giveNoncesBack(tx, { walletId: vault, fromNonce: 0 })],
    ["the cursor (SAFETY 2)", lockCursor],
    ["a stray deposit that is claimed (SAFETY 4)", (tx) => lockClaimable(tx, { sender, limit: 10 })],
    [
      "a stray deposit that was claimed before a restore (SAFETY 43)",
      (tx) => lockProven(tx, { walletId: vault, token: usdc, playerId: red }),
    ],
    ["a stray deposit that is sent back", (tx) => lockSuspense(tx, depositId)],
    ["a deposit that is credited (SAFETY 2)", (tx) => lockUncredited(tx, 10)],
    ["a deposit that is taken back (SAFETY 10)", (tx) => lockDepositsAbove(tx, 0n)],
    [
      "offers that hold what is taken back (SAFETY 11)",
      (tx) => lockHoldingOffers(tx, { playerId: red, token: usdc }),
    ],
    [
      "an instruction that a transaction is found for (SAFETY 43)",
      (tx) => lockMatching(tx, { walletId: vault, token: usdc, destination: sender, amount: 5n }),
    ],
    [
      "a payout that was taken into the pool before a restore (SAFETY 43)",
      (tx) => lockUnpaidPayout(tx, { walletId: vault, token: usdc, amount: 6n }),
    ],
    [
      "a wallet that becomes a player's first",
      (tx) => setPrimaryWallet(tx, { playerId: red, address: sender }),
    ],
    ["a frozen wallet that is looked at", (tx) => lockSuspect(tx, vault)],
    ["ether that is on its way to a wallet", (tx) => insertTopups(tx, { walletAddress: sender, wei: [1n] })],
    ["the executor's one deployment", (tx) => insertDeployment(tx, sender)],
  ];
  it.each(locks)("%s", async (_what, lock) => {
    const { first, second } = await askedWhile(lock);
    expect(first).not.toBeNull();
    expect(second).toBe("waits");
  });

  it("the work of who holds the lease, before it takes the lease itself", async () => {
    const { second } = await askedWhile(
      (tx) => holdFence(tx, { name: "chain", fence }),
      (tx) => takeLease(tx, { name: "chain", holder: "another", forMs: 1_000 }),
    );
    expect(second).toBe("waits");
  });
});

describe("the second transaction takes the next", () => {
  const due = () => ({ now: new Date(world.time.nowMs + 365 * 24 * 3_600_000), except: [] });
  const skipping: [string, (tx: Tx) => Promise<unknown>][] = [
    ["offer that lapses", async (tx) => (await lockDueProposal(tx, due()))?.id],
    ["game whose clock has run out", (tx) => lockDueGame(tx, due())],
    [
      "spare wallet",
      async (tx) => (await claimSpareWallet(tx, { purpose: "escrow", gameId: randomUUID() }))?.id,
    ],
  ];
  it.each(skipping)("%s", async (_what, lock) => {
    const { first, second } = await askedWhile(lock);
    expect([first, second]).toEqual([expect.any(String), expect.any(String)]);
    expect(second).not.toBe(first);
    expect(second).not.toBe("waits");
  });
});

it("more deposits than are looked at in one go leave everybody a turn", async () => {
  await transaction(
    world.context.pool,
    async (tx) => {
      await tx.query(
        `WITH log AS (
           INSERT INTO chain_log (tx_hash, token, ordinal, sender, recipient, amount, block_number, block_hash, log_index, stamped_at, kind, recipient_wallet_id)
           SELECT $1, $2, ordinal, $3, address, 5, 1, $1, 0, now(), 'deposit', id FROM wallet, generate_series(10, 13) AS ordinal WHERE id = $4
           RETURNING id, token, amount, ordinal)
         INSERT INTO deposit (chain_log_id, token, amount, wallet_id, player_id, state)
         SELECT id, token, amount, $4, CASE WHEN ordinal < 13 THEN $5::bigint ELSE $6::bigint END, 'seen' FROM log ORDER BY ordinal`,
        [hashOf(1), usdc, sender, vault, red, blue],
      );
      const found = await lockUncredited(tx, 3);
      expect(found.map((row) => row.player_id)).toEqual([null, red, blue]);
      expect(await lockUncredited(tx, 10)).toHaveLength(5);
      // One token's many, of however many players, leave the others their share.
      await tx.query("UPDATE deposit SET token = $1 WHERE player_id = $2", [openwork, blue]);
      const shared = await lockUncredited(tx, 2);
      expect(shared.map((row) => row.token).sort()).toEqual([openwork, usdc].sort());
    },
    { keep: () => false },
  );
});

describe("the second transaction doesn't wait to drop", () => {
  const past = new Date(0);
  it("sessions that ran out, while another drops them", async () => {
    const session = { idHash: randomBytes(32), playerId: red, address: sender };
    await transaction(world.context.pool, (tx) =>
      insertSession(tx, { ...session, createdAt: past, expiresAt: past }),
    );
    const { second } = await askedWhile((tx) => trimSessions(tx, new Date()));
    expect(second).not.toBe("waits");
  });

  it("sign-ins that ran out, while another drops them", async () => {
    const challenge = { nonce: "n".repeat(43), address: sender, message: "test", linkPlayerId: null };
    await insertChallenge(world.context.pool, {
      ...challenge,
      browserHash: randomBytes(32),
      createdAt: past,
      expiresAt: past,
    });
    const { second } = await askedWhile((tx) => trimChallenges(tx, new Date()));
    expect(second).not.toBe("waits");
  });
});

describe("the second transaction waits, and goes by what the first has done:", () => {
  const reserve = (tx: Tx) => reserveWallet(tx, "deposit");
  const before: [string, (tx: Tx) => Promise<unknown>][] = [
    ["that reserved one", reserve],
    ["that took many out of use", (tx) => retireAhead(tx, "deposit")],
  ];
  it.each(before)("a wallet has an index of its own after another %s", async (_what, held) => {
    const { second, afterwards } = await askedWhile(held, reserve, "COMMIT");
    expect(second).toBe("waits");
    const next = await readNextIndex(world.context.pool, "deposit");
    expect(afterwards).toMatchObject({ derivation_index: next });
  });

  it("a link to a room takes the place of the one that was made meanwhile", async () => {
    const [one, another] = [randomBytes(32), randomBytes(32)];
    const link = (tokenHash: Buffer) => (tx: Tx) =>
      replaceOverlayLink(tx, { playerId: red, tokenHash, createdAt: new Date() });
    const { first, second, afterwards } = await askedWhile(link(one), link(another), "COMMIT");
    expect([first, second, afterwards]).toEqual([null, "waits", one]);
  });

  it("a game whose result was reported meanwhile has the whole of its report window again", async () => {
    const gameId = games[0] ?? "";
    const atMs = world.time.nowMs + 2 * 3_600_000;
    const read = async (tx: Tx) => {
      const [game] = await readGames(tx, [gameId]);
      if (game === undefined) throw new Error("no such game");
      return game.state;
    };
    const report = async (tx: Tx): Promise<void> => {
      await lockGame(tx, gameId);
      const state = await read(tx);
      const reports = { red: "red", blue: null } as const;
      const now = new Date(atMs - state.reportWindowMs / 2);
      const reportDueAtMs = now.getTime() + state.reportWindowMs;
      await updateGame(tx, { state: { ...state, status: "reported", reports, reportDueAtMs }, now });
    };
    const putLater = async (tx: Tx) => {
      await putGamesLater(tx, { at: new Date(atMs), since: new Date(atMs), share: 1 });
      return read(tx);
    };
    const { second, afterwards } = await askedWhile(report, putLater, "COMMIT");
    expect(second).toBe("waits");
    expect(afterwards).toMatchObject({ reportDueAtMs: atMs + settings.clocks.reportWindowMs });
  });

  it("an offer that was declined meanwhile isn't put later", async () => {
    const [declined = "", open] = offers;
    const decline = async (tx: Tx): Promise<void> => {
      const locked = await lockProposal(tx, { id: declined, withRoot: false });
      if (locked === null) throw new Error("no such offer");
      await updateProposal(tx, { state: { ...locked.state, status: "declined" }, decidedAt: new Date() });
    };
    const { second, afterwards } = await askedWhile(
      decline,
      (tx) => putOffersLater(tx, { byMs: 1_000 }),
      "COMMIT",
    );
    expect([second, afterwards]).toEqual(["waits", [open]]);
  });
});

it("nobody migrates a database while a copy is brought back into it", async () => {
  const database = await createTestDatabase();
  const pool = createPool({ url: database.ownerUrl });
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  try {
    const migrations: Promise<unknown>[] = [];
    await restoring(owner, async () => {
      const migrating = migrate(database.ownerUrl).then(() => "migrates");
      migrations.push(migrating);
      const query = async (text: string) => (await pool.query(text)).rows;
      const waiting = untilLocked(query, "whoever migrates").then(() => "waits");
      expect(await Promise.race([migrating, waiting])).toBe("waits");
    });
    await Promise.all(migrations);
  } finally {
    await owner.end();
    await pool.end();
    await database.drop();
  }
});
