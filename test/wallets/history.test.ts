import { expect, test } from "vitest";
import { type SignedPayload, SigningHistory } from "../../wallets/history.ts";
import { outflowWindowMs } from "../../wallets/limits.ts";
import { outsider, usdc } from "./fixtures.ts";

const start = 1_800_000_000_000;

function payloadOf(id: number, changes: Partial<SignedPayload> = {}): SignedPayload {
  return {
    instructionId: String(id),
    kind: "payout",
    sourceAddress: outsider,
    token: usdc,
    destination: outsider,
    amount: 10n,
    sender: outsider,
    nonce: id,
    together: [String(id)],
    signedAt: start,
    ...changes,
  };
}

test("an outflow counts once, however often it is signed again, and for one hour to the millisecond", () => {
  const history = new SigningHistory({ capacity: 100 });
  for (let attempt = 0; attempt < 5; attempt += 1) history.record({ payload: payloadOf(1), leaves: true });
  history.record({ payload: payloadOf(2, { signedAt: start + 10 }), leaves: true });
  history.record({ payload: payloadOf(3), leaves: false });
  expect(history.leftWithinWindow({ token: usdc, now: start + 10 })).toBe(20n);
  expect(history.leftWithinWindow({ token: usdc, now: start + outflowWindowMs - 1 })).toBe(20n);
  expect(history.leftWithinWindow({ token: usdc, now: start + outflowWindowMs })).toBe(10n);
  expect(history.leftWithinWindow({ token: usdc, now: start + outflowWindowMs + 10 })).toBe(0n);
  expect(history.find("1")).toMatchObject({ nonce: 1, amount: 10n });
});

test("memory is bounded, and what still counts is never forgotten to make room", () => {
  const history = new SigningHistory({ capacity: 3 });
  for (const id of [1, 2, 3]) history.record({ payload: payloadOf(id), leaves: true });
  expect(history.isFull(start)).toBe(true);
  const later = start + outflowWindowMs;
  expect(history.isFull(later)).toBe(false);
  history.record({ payload: payloadOf(4, { signedAt: later }), leaves: true });
  expect(history.find("1")).toBeNull();
  expect(history.find("4")).not.toBeNull();
});
