import fc from "fast-check";
import { expect, test } from "vitest";
import { readOrder } from "../../engine/services/payloads.ts";
import { paymentsCall } from "../../wallets/executor.ts";

const address = fc.stringMatching(/^0x[0-9a-f]{40}$/);
const amount = fc.oneof(fc.bigInt(1n, 255n), fc.bigInt(1n, 2n ** 64n), fc.bigInt(1n, 2n ** 256n - 1n));
const payments = fc.array(fc.record({ destination: address, amount }), { minLength: 1, maxLength: 20 });
const sent = {
  ...{ hash: "0x", raw: "0x", nonce: 0n, value: 0n, authorisations: [] },
  ...{ gasLimit: 0n, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n },
};

test("the payments of a batch are read from its bytes as they were packed", () => {
  fc.assert(
    fc.property(address, address, address, payments, (from, to, token, paid) => {
      const order = readOrder({ ...sent, from, to, data: paymentsCall(token, paid) }, from);
      expect(order).toEqual({
        source: to,
        payments: paid.map((payment) => ({ token, ...payment })),
        authorises: null,
      });
    }),
  );
});

test("bytes that aren't packed just so are of no batch of ours", () => {
  const from = `0x${"aa".repeat(20)}`;
  const token = `0x${"cc".repeat(20)}`;
  const destination = "bb".repeat(20);
  const call = paymentsCall(token, [{ destination: `0x${destination}`, amount: 513n }]);
  const read = (data: string) => readOrder({ ...sent, from, to: from, data }, from);
  expect(read(call)).not.toBeNull();
  const modeAt = 2 + 8;
  const packedAt = modeAt + 3 * 64;
  const withPacked = (packed: string) => {
    const length = (packed.length / 2).toString(16).padStart(64, "0");
    return `${call.slice(0, packedAt - 64)}${length}${packed.padEnd(128, "0")}`;
  };
  const head = token.slice(2) + destination;
  expect(read(withPacked(`02${head}0201`))).not.toBeNull();
  for (const packed of [
    `03${head}000201`,
    `03${head}0201`,
    `01${head}0201`,
    `00${head}`,
    `02${token.slice(2)}`,
    "02",
    "",
  ])
    expect(read(withPacked(packed))).toBeNull();
  expect(read(withPacked(`21${head}01${"00".repeat(32)}`))).toBeNull();
  expect(read(call.slice(0, -2))).toBeNull();
  expect(read(`${call}00`)).toBeNull();
  expect(read(`${call.slice(0, -2)}01`)).toBeNull();
  const standardMode = `01${"0".repeat(62)}`;
  expect(read(`${call.slice(0, modeAt)}${standardMode}${call.slice(modeAt + 64)}`)).toBeNull();
});

test("a payment to something else than an address isn't packed, nor one of more than a word holds", () => {
  const token = `0x${"cc".repeat(20)}`;
  const packing = (destination: string, amount: bigint) => () =>
    paymentsCall(token, [{ destination, amount }]);
  const recipient = `0x${"bb".repeat(20)}`;
  expect(packing(recipient, 2n ** 256n - 1n)).not.toThrow();
  for (const bytes of [0, 19, 21, 32])
    expect(packing(`0x${"bb".repeat(bytes)}`, 1n)).toThrow("invalid address");
  expect(packing(recipient, 2n ** 256n)).toThrow("exceeds width");
  expect(packing(recipient, -1n)).toThrow();
});
