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
  const call = paymentsCall(token, [{ destination: `0x${"bb".repeat(20)}`, amount: 513n }]);
  const read = (data: string) => readOrder({ ...sent, from, to: from, data }, from);
  expect(read(call)).not.toBeNull();
  const sizeAt = 2 + 8 + 3 * 64;
  const withSize = (size: string) => `${call.slice(0, sizeAt)}${size}${call.slice(sizeAt + 2)}`;
  for (const size of ["00", "01", "03", "21", "ff"]) expect(read(withSize(size))).toBeNull();
  expect(read(call.slice(0, -2))).toBeNull();
  expect(read(`${call}00`)).toBeNull();
  expect(read(`${call.slice(0, -2)}01`)).toBeNull();
});

test("a payment to something else than an address isn't packed", () => {
  const token = `0x${"cc".repeat(20)}`;
  const packing = (destination: string) => () => paymentsCall(token, [{ destination, amount: 1n }]);
  expect(packing(`0x${"bb".repeat(20)}`)).not.toThrow();
  for (const bytes of [0, 19, 21, 32]) expect(packing(`0x${"bb".repeat(bytes)}`)).toThrow("invalid address");
});
