/** The last guard: when all code is wrong, the database itself refuses the second of what there may be one of. */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { report } from "../../engine/services/games.ts";
import { accept, propose } from "../../engine/services/proposals.ts";
import type { MoneyPlayer, MoneyWorld } from "../helpers/money-world.ts";
import { createWatchedWorld } from "../helpers/money-world.ts";
import { ask } from "../helpers/sender.ts";
import { finalize, funded } from "../helpers/treasury.ts";

let world: MoneyWorld;
let owner: pg.Client;

/** A world in which each table has rows: two games, a payout that is final, one that waits, a deposit that isn't final. */
beforeAll(async () => {
  world = await createWatchedWorld();
  const [red, blue] = [await funded(world, 1_000n), await funded(world, 1_000n)];
  await finalize(world);
  const games = [await duel(red, blue), await duel(blue, red)];
  for (const player of [red, blue])
    await report(world.context, {
      by: player.id,
      idempotency: keyOf(player),
      gameId: games[0] ?? "",
      outcome: "red",
    });
  await ask(world, red, 10n);
  await world.settle();
  await funded(world, 50n);
  await ask(world, red, 11n);
  owner = new pg.Client({ connectionString: world.database.ownerUrl });
  await owner.connect();
  await owner.query(`INSERT INTO sign_in_challenge (nonce, address, message, browser_hash, expires_at)
    VALUES (repeat('n', 43), '0x' || repeat('1', 40), 'message', '\\x00', now())`);
  await owner.query("INSERT INTO breach (invariant, detail) VALUES ('test', 'test')");
  await owner.query("INSERT INTO recovery (cause, from_block) VALUES ('test', 1)");
  await owner.query(
    "INSERT INTO approval (action, subject, payload_hash, operator_id) VALUES ('test', 'test', '\\x00', $1)",
    [red.id],
  );
  await owner.query("INSERT INTO session (id_hash, data, expires_at) VALUES ('\\x00', '{}', now())");
  await owner.query("INSERT INTO overlay_link (token_hash, player_id) VALUES ('\\x00', $1)", [red.id]);
  await owner.query("INSERT INTO room_sequence (room, sequence) VALUES ('test', 1)");
  await owner.query(
    "INSERT INTO books_check (checked_at, result) VALUES (now(), '[]') ON CONFLICT DO NOTHING",
  );
  await owner.query(
    "INSERT INTO provider (position, url, ok, agrees, behind_blocks) VALUES (0, 'test', true, true, 0) ON CONFLICT DO NOTHING",
  );
});
afterAll(async () => {
  await owner.end();
  await world.stop();
});

const keyOf = ({ id }: MoneyPlayer) => ({ playerId: id, key: randomUUID(), request: "test" });

async function duel(red: MoneyPlayer, blue: MoneyPlayer): Promise<string> {
  const offered = await propose(world.context, {
    by: red.id,
    idempotency: keyOf(red),
    opponent: null,
    token: world.base.usdc,
    proposerStake: 100n,
    takerStake: 50n,
    terms: "First to 21.",
    lapseSeconds: 600,
    expectedMinutes: 60,
  });
  if (!offered.ok) throw new Error(offered.rejection.code);
  const taken = await accept(world.context, {
    by: blue.id,
    idempotency: keyOf(blue),
    proposalId: offered.value.id,
  });
  if (!taken.ok) throw new Error(taken.rejection.code);
  return taken.value.gameId;
}

interface Copy {
  table: string;
  /** The constraint that must refuse it. */
  key: string;
  /** What differs from the row that is copied, as SQL; without it the copy is exact. */
  changes?: Record<string, string>;
  where?: string;
  /** The trigger that rests meanwhile. */
  resting?: string;
}

/** Without its trigger, as when a backup comes back, the ledger takes the numbers that it is given. */
const restored = (changes: Record<string, string>): Pick<Copy, "changes" | "resting"> => ({
  changes: { business_key: "business_key || ':again'", ...changes },
  resting: "transfer_applied",
});

const newAddress = "'0x' || repeat('ab', 20)";
const copies: Copy[] = [
  { table: "transfer", key: "transfer_business_key_key", where: "reason = 'deposit'" },
  {
    table: "transfer",
    key: "transfer_debit_key",
    ...restored({ credit_sequence: "credit_sequence + 1000" }),
  },
  {
    table: "transfer",
    key: "transfer_credit_key",
    ...restored({ debit_sequence: "debit_sequence + 1000" }),
  },
  { table: "chain_log", key: "chain_log_tx_hash_token_ordinal_key" },
  { table: "deposit", key: "deposit_chain_log_id_key" },
  { table: "exposure", key: "exposure_business_key_key" },
  { table: "instruction", key: "instruction_merge_key", where: "state = 'queued'" },
  { table: "instruction_leg", key: "instruction_leg_pkey" },
  { table: "chain_tx", key: "chain_tx_wallet_id_nonce_key" },
  { table: "chain_tx_instruction", key: "chain_tx_instruction_pkey" },
  {
    table: "chain_tx_instruction",
    key: "chain_tx_instruction_key",
    changes: { ordinal: "ordinal + 1000" },
  },
  { table: "authorisation", key: "authorisation_pkey", changes: { chain_tx_id: "chain_tx_id + 1000" } },
  { table: "authorisation", key: "authorisation_chain_tx_id_key", changes: { nonce: "nonce + 1000" } },
  { table: "attempt", key: "attempt_pkey" },
  { table: "attempt", key: "attempt_chain_tx_id_number_key", changes: { hash: "'0x' || repeat('ab', 32)" } },
  { table: "withdrawal", key: "withdrawal_instruction_key", changes: { id: "gen_random_uuid()" } },
  { table: "withdrawal", key: "withdrawal_pkey", changes: { instruction_id: "NULL::bigint" } },
  {
    table: "game",
    key: "game_proposal_id_key",
    changes: {
      id: "gen_random_uuid()",
      escrow_wallet_id: "(SELECT id FROM wallet WHERE purpose = 'vault')",
    },
  },
  {
    table: "game",
    key: "game_escrow_wallet_id_key",
    changes: {
      id: "gen_random_uuid()",
      proposal_id: "gen_random_uuid()",
    },
  },
  { table: "settlement", key: "settlement_standing_key" },
  { table: "idempotency_key", key: "idempotency_key_pkey" },
  { table: "wallet", key: "wallet_address_key", changes: { derivation_index: "derivation_index + 1000" } },
  {
    table: "wallet",
    key: "wallet_purpose_derivation_index_key",
    changes: { address: newAddress, game_id: "NULL::uuid" },
    where: "purpose = 'escrow'",
  },
  {
    table: "wallet",
    key: "wallet_single_key",
    changes: { address: newAddress, derivation_index: "derivation_index + 1000" },
    where: "purpose = 'vault'",
  },
  {
    table: "wallet",
    key: "wallet_game_id_key",
    changes: { address: newAddress, derivation_index: "derivation_index + 1000" },
    where: "game_id IS NOT NULL",
  },
  {
    table: "wallet",
    key: "wallet_player_id_key",
    changes: { address: newAddress, derivation_index: "derivation_index + 1000" },
    where: "player_id IS NOT NULL",
  },
  { table: "player_wallet", key: "player_wallet_pkey" },
  {
    table: "player_wallet",
    key: "player_wallet_primary_key",
    changes: { address: newAddress },
    where: "is_primary",
  },
  { table: "player", key: "player_handle_key", changes: { handle: "upper(handle)" } },
  { table: "approval", key: "approval_pkey" },
  { table: "recovery", key: "recovery_standing_key" },
  { table: "account", key: "account_kind_token_wallet_id_player_id_game_id_key" },
  { table: "sign_in_challenge", key: "sign_in_challenge_pkey" },
  { table: "breach", key: "breach_standing_key" },
  { table: "lease", key: "lease_pkey" },
  { table: "chain_cursor", key: "chain_cursor_pkey" },
  { table: "block", key: "block_pkey" },
  { table: "session", key: "session_pkey" },
  { table: "overlay_link", key: "overlay_link_pkey" },
  { table: "overlay_link", key: "overlay_link_standing_key", changes: { token_hash: "sha256(token_hash)" } },
  { table: "room_sequence", key: "room_sequence_pkey" },
  { table: "switch", key: "switch_pkey" },
  { table: "books_check", key: "books_check_pkey" },
  { table: "provider", key: "provider_pkey" },
];

describe("a second row like one that is there", () => {
  it.each(copies)("is refused in $table by $key", async (copy) => {
    const { table, key, changes = {}, where = "true", resting } = copy;
    const { rows } = await owner.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns
       WHERE table_schema = 'public' AND table_name = $1 AND is_identity = 'NO'`,
      [table],
    );
    const columns = rows.map(({ name }) => name);
    const values = columns.map((name) => changes[name] ?? name);
    await owner.query("BEGIN");
    try {
      if (resting !== undefined) await owner.query(`ALTER TABLE ${table} DISABLE TRIGGER ${resting}`);
      const copying = owner.query(
        `INSERT INTO ${table} (${columns.join(", ")}) SELECT ${values.join(", ")} FROM ${table} WHERE ${where} LIMIT 1`,
      );
      await expect(copying).rejects.toMatchObject({ code: "23505", constraint: key });
    } finally {
      await owner.query("ROLLBACK");
    }
  });
});
