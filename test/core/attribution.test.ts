import { describe, expect, test } from "vitest";
import { zeroAddress } from "../../engine/core/address.ts";
import { type AttributionFacts, attribute, type CustodyWallet } from "../../engine/core/attribution.ts";
import { ada, ben, token } from "./sample.ts";

const log = { token, from: `0x${"11".repeat(20)}`, to: `0x${"22".repeat(20)}`, amount: 1n };
const wallet = (purpose: CustodyWallet["purpose"], change: Partial<CustodyWallet> = {}): CustodyWallet => ({
  id: purpose,
  purpose,
  playerId: purpose === "deposit" ? ada : null,
  gameId: purpose === "escrow" ? "g" : null,
  ...change,
});
const purposes = ["vault", "gas", "deposit", "escrow"] as const;
const facts = (change: Partial<AttributionFacts> = {}): AttributionFacts => ({
  recipientWallet: null,
  senderWallet: null,
  senderOwnerPlayerId: null,
  sentByUs: false,
  ...change,
});

describe("a transfer to a player's deposit address", () => {
  test.each([
    ["a stranger, such as an exchange", null, log.from],
    ["another player", ben, log.from],
    ["a mint", null, zeroAddress],
  ])("from %s is that player's", (_, senderOwnerPlayerId, from) => {
    expect(
      attribute({ ...log, from }, facts({ recipientWallet: wallet("deposit"), senderOwnerPlayerId })),
    ).toEqual({
      to: "player",
      playerId: ada,
      via: "deposit_address",
    });
  });

  test("that nobody has yet is kept in suspense", () => {
    const recipientWallet = wallet("deposit", { playerId: null });
    expect(attribute(log, facts({ recipientWallet, senderOwnerPlayerId: ben }))).toEqual({
      to: "suspense",
      cause: "unassigned_deposit_address",
    });
  });
});

describe("a transfer to the vault", () => {
  const recipientWallet = wallet("vault");
  test("from a verified wallet is its owner's, whoever paid for the transaction", () => {
    expect(attribute(log, facts({ recipientWallet, senderOwnerPlayerId: ben }))).toEqual({
      to: "player",
      playerId: ben,
      via: "vault",
    });
  });

  test("from anybody else waits for whoever can prove the sender", () => {
    expect(attribute(log, facts({ recipientWallet }))).toEqual({ to: "suspense", cause: "unknown_sender" });
  });

  test("out of a mint is nobody's, even if somebody should pass for the zero address", () => {
    const minted = { ...log, from: zeroAddress };
    for (const senderOwnerPlayerId of [null, ben]) {
      expect(attribute(minted, facts({ recipientWallet, senderOwnerPlayerId }))).toEqual({
        to: "suspense",
        cause: "minted",
      });
    }
  });
});

test.each([
  ["escrow", "escrow"],
  ["gas", "gas_wallet"],
] as const)("a player's transfer to the %s wallet is in sight and in no pot", (purpose, cause) => {
  expect(attribute(log, facts({ recipientWallet: wallet(purpose), senderOwnerPlayerId: ben }))).toEqual({
    to: "suspense",
    cause,
  });
});

describe("between our own wallets", () => {
  const pairs = purposes.flatMap((from) => purposes.map((to) => [from, to] as const));
  test.each(pairs)("%s to %s is a move and never a deposit", (from, to) => {
    const ends = { senderWallet: wallet(from), recipientWallet: wallet(to), senderOwnerPlayerId: ben };
    expect(attribute(log, facts({ ...ends, sentByUs: true }))).toEqual({ to: "move" });
    expect(attribute(log, facts({ ...ends, sentByUs: false }))).toEqual({ to: "stray" });
  });
});

test.each(purposes)("a transfer out of the %s wallet is ours or an alarm", (purpose) => {
  const senderWallet = wallet(purpose);
  expect(attribute(log, facts({ senderWallet, sentByUs: true }))).toEqual({ to: "outgoing" });
  expect(attribute(log, facts({ senderWallet, sentByUs: false }))).toEqual({ to: "stray" });
});

describe.each([null, ...purposes])("what anybody can forge, to %s", (to) => {
  const recipientWallet = to === null ? null : wallet(to);
  test.each([null, ...purposes])("from %s is dropped: no credit and no alarm", (from) => {
    const ends = {
      recipientWallet,
      senderWallet: from === null ? null : wallet(from),
      senderOwnerPlayerId: ben,
    };
    expect(attribute({ ...log, amount: 0n }, facts(ends))).toEqual({ to: "ignored", cause: "zero_value" });
  });
});

test("a transfer between strangers isn't ours", () => {
  expect(attribute(log, facts({ senderOwnerPlayerId: ben }))).toEqual({ to: "ignored", cause: "not_ours" });
});
