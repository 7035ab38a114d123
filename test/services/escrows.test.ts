/** An escrow comes to be in steps: its row, its address, its game. Whoever makes one may be killed at each of them. */
import pg from "pg";
import { afterEach, beforeEach, expect, it } from "vitest";
import * as proposals from "../../engine/services/proposals.ts";
import { prepareWallets } from "../../engine/services/wallets.ts";
import { deriveAddress } from "../../wallets/derivation.ts";
import { developmentMnemonic, Seed } from "../../wallets/seed.ts";
import { waitFor } from "../helpers/wait.ts";
import { createWorld, dollars, keyFor, offerBy, startGame, value, type World } from "./wager-world.ts";

const seed = new Seed(developmentMnemonic);
const one = { proposerStake: dollars(1), takerStake: dollars(1) };
let world: World;
let holder: pg.Client;
/** Each escrow's address that anybody was told by whoever holds the keys. */
let told: string[];
/** What happens to the first process around that. */
let moments: { before: () => Promise<unknown>; after: () => Promise<unknown> };
beforeEach(async () => {
  world = await createWorld();
  holder = new pg.Client({ connectionString: world.ownerUrl });
  await holder.connect();
  told = [];
  moments = { before: async () => undefined, after: async () => undefined };
  for (const { signer } of [world.context, world.other]) {
    const derive = signer.addressOf.bind(signer);
    signer.addressOf = async (wallet) => {
      const row = "SELECT FROM wallet WHERE purpose = $1 AND derivation_index = $2";
      // Whatever happens next, a backup has it.
      expect(await world.rows(row, [wallet.purpose, wallet.index])).toHaveLength(1);
      if (signer === world.context.signer) await moments.before();
      const address = await derive(wallet);
      if (wallet.purpose === "escrow") told.push(address);
      if (signer === world.context.signer) await moments.after();
      return address;
    };
  }
});
afterEach(async () => {
  await holder?.end();
  await world?.end();
});

/** Whoever needs the same waits from now on. */
async function hold(statement: string): Promise<void> {
  await holder.query("BEGIN");
  await holder.query(statement);
}
/** Kills whoever waits for what is held. */
async function kill(): Promise<void> {
  const ended = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await waitFor(async () => (await world.rows(ended)).length > 0, { what: "somebody to be at that step" });
  await holder.query("ROLLBACK");
}

type Taking = () => Promise<unknown>;
const deaths: [when: string, die: (take: Taking) => Promise<void>][] = [
  [
    "before its row is there",
    async (take) => {
      await hold("SELECT pg_advisory_xact_lock(hashtext('on_the_rail.wallet.escrow'))");
      await Promise.all([expect(take()).rejects.toThrow(), kill()]);
    },
  ],
  [
    "before its address is derived",
    async (take) => {
      moments.before = () => Promise.reject(new Error("killed"));
      await expect(take()).rejects.toThrow("killed");
    },
  ],
  [
    "before its address is written down",
    async (take) => {
      let killed = Promise.resolve();
      moments.after = async () => {
        await hold("SELECT FROM wallet WHERE purpose = 'escrow' FOR UPDATE");
        killed = kill();
      };
      await expect(take()).rejects.toThrow();
      await killed;
    },
  ],
  [
    "while it becomes a game's",
    async (take) => {
      await hold("LOCK TABLE game IN SHARE MODE");
      await Promise.all([expect(take()).rejects.toThrow(), kill()]);
    },
  ],
];

it.each(deaths)(
  "killed %s: the next process gives no address twice, and the seed signs for each (SAFETY 41)",
  async (_when, die) => {
    const [red, blue] = [await world.addPlayer("red"), await world.addPlayer("blue")];
    const { id: proposalId } = value(await proposals.propose(world.context, offerBy(red, one)));
    const acceptance = { by: blue, idempotency: keyFor(blue), proposalId };
    await die(() => proposals.accept(world.context, acceptance));
    expect(await world.rows("SELECT FROM game")).toEqual([]);

    await prepareWallets(world.other);
    const games = [value(await proposals.accept(world.other, acceptance)).gameId];
    for (let more = 0; more < 3; more += 1)
      games.push(await startGame({ context: world.other }, { red, blue, ...one }));
    const escrows = await world.rows(
      "SELECT derivation_index AS index, address, game_id FROM wallet WHERE purpose = 'escrow' ORDER BY 1",
    );
    expect(escrows.map(({ address }) => address)).toEqual(
      escrows.map(({ index }) =>
        deriveAddress({ seed, wallet: { purpose: "escrow", index: Number(index) } }),
      ),
    );
    expect(escrows.map(({ address }) => address)).toEqual(expect.arrayContaining(told));
    expect(escrows.flatMap(({ game_id }) => game_id ?? []).sort()).toEqual(games.sort());
    await world.expectBooksToBalance();
  },
);
