import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import * as proposals from "../../engine/services/proposals.ts";
import { withdraw } from "../../engine/services/withdrawals.ts";
import { codeOf, createWorld, keyFor, offerBy, usdc, type World } from "./wager-world.ts";

let world: World;
let red: string;
let serial = 0;
const head = 100;

const setRecovery = (untilBlock: number | null) =>
  world.rows("UPDATE recovery SET until_block = $1 WHERE ended_at IS NULL", [untilBlock]);
/** As if a copy had just been brought back, and no process had started on it yet. */
const bringBack = () => world.rows("INSERT INTO recovery (cause, from_block) VALUES ('a restore', 0)");
const end = () =>
  world.rows(
    "UPDATE recovery SET ended_at = now(), ended_by = 'test', end_reason = 'test' WHERE ended_at IS NULL",
  );

beforeAll(async () => {
  world = await createWorld();
  await world.rows(
    `INSERT INTO chain_cursor (chain_id, head_number, head_hash, head_stamped_at, safe_number, finalized_number)
     VALUES (8453, $1, $2, now(), $1, $1)`,
    [head, `0x${"1".repeat(64)}`],
  );
});
afterEach(async () => {
  await end();
  await world.expectBooksToBalance();
});
afterAll(() => world.end());

describe("while the books may be older than the world", () => {
  test("a pool is neither withdrawn from before the chain is read again, nor played with at all", async () => {
    serial += 1;
    red = await world.addPlayer(`red_${serial}`);
    const address = `0x${String(serial).padStart(40, "0")}`;
    await world.rows("INSERT INTO player_wallet (address, player_id, is_primary) VALUES ($1, $2, true)", [
      address,
      red,
    ]);
    const ask = () =>
      withdraw(world.context, { by: red, token: usdc, amount: 60n, address, idempotency: keyFor(red) });
    await bringBack();
    expect(await ask()).toMatchObject({
      rejection: { code: "switched_off", message: expect.stringContaining("read again") },
    });
    await setRecovery(head + 1);
    expect(codeOf(await ask())).toBe("switched_off");
    await setRecovery(head);
    expect(codeOf(await ask())).toBe("ok");
    expect(codeOf(await proposals.propose(world.context, offerBy(red)))).toBe("switched_off");
    await end();
    expect(codeOf(await ask())).toBe("ok");
  });
});
