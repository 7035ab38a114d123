import fc from "fast-check";
import { parseTransaction, recoverTransactionAddress } from "viem";
import { expect, test } from "vitest";
import type { CommittedInstruction, SignRequest } from "../../wallets/instruction.ts";
import { Keyring } from "../../wallets/keyring.ts";
import {
  assertSender,
  assertSignedBytes,
  buildTransaction,
  SignedBytesError,
  type SignedTransaction,
} from "../../wallets/transaction.ts";
import {
  addressOf,
  escrow,
  instructionOf,
  openwork,
  outsider,
  requestOf,
  seed,
  usdc,
  vault,
} from "./fixtures.ts";

const keyring = new Keyring({ seed, capacity: 10 });

function signAsWritten(request: SignRequest, instruction: CommittedInstruction): SignedTransaction {
  const transaction = buildTransaction(request, instruction);
  keyring.signTransaction(request.wallet, transaction);
  return { raw: transaction.serialized, hash: transaction.hash } as SignedTransaction;
}

test("the bytes are a plain ERC-20 transfer on Base, as another library reads them", async () => {
  const instruction = instructionOf("payout", { amount: 12_345_678n });
  const signed = signAsWritten(requestOf(instruction, { nonce: 9 }), instruction);
  const raw = signed.raw as `0x02${string}`;
  expect(parseTransaction(raw)).toMatchObject({
    type: "eip1559",
    chainId: 8453,
    nonce: 9,
    to: usdc,
    data: `0xa9059cbb${"0".repeat(24)}${outsider.slice(2)}${"bc614e".padStart(64, "0")}`,
  });
  expect(parseTransaction(raw).value ?? 0n).toBe(0n);
  const sender = await recoverTransactionAddress({ serializedTransaction: raw });
  expect(sender.toLowerCase()).toBe(addressOf(escrow));
});

test("amounts from one unit to 2^256 - 1 arrive in the bytes exactly", () => {
  for (const amount of [1n, 2n ** 128n - 1n, 2n ** 256n - 1n]) {
    const instruction = instructionOf("collect", { amount });
    const request = requestOf(instruction);
    expect(() => assertSignedBytes(signAsWritten(request, instruction), request, instruction)).not.toThrow();
  }
});

const differences: ReadonlyArray<
  [string, (change: bigint) => [Partial<SignRequest>, Partial<CommittedInstruction>]]
> = [
  ["nonce", (change) => [{ nonce: Number(change) }, {}]],
  ["gas", (change) => [{ gasLimit: 80_000n + change }, {}]],
  ["maxFeePerGas", (change) => [{ maxFeePerGas: 2_000_000_000n + change }, {}]],
  ["maxPriorityFeePerGas", (change) => [{ maxPriorityFeePerGas: 1_000_000n + change }, {}]],
  ["to", () => [{}, { token: openwork }]],
  ["data", (change) => [{}, { amount: 50_000_000n + change }]],
  ["data", (change) => [{}, { destination: `0x${change.toString(16).padStart(40, "0")}` }]],
];

test("signed bytes that differ in one field are thrown away, and the field is named", () => {
  const instruction = instructionOf("payout");
  const request = requestOf(instruction);
  const change = fc.bigInt({ min: 1n, max: 1_000_000n });
  fc.assert(
    fc.property(fc.constantFrom(...differences), change, ([field, differ], by) => {
      const [otherRequest, otherInstruction] = differ(by);
      const signed = signAsWritten({ ...request, ...otherRequest }, { ...instruction, ...otherInstruction });
      expect(() => assertSignedBytes(signed, request, instruction)).toThrow(new SignedBytesError(field));
    }),
  );
});

test("another chain, an approval, ETH beside the call and an access list are noticed in the bytes", () => {
  const instruction = instructionOf("payout");
  const request = requestOf(instruction);
  const approval = `0x095ea7b3${buildTransaction(request, instruction).data.slice(10)}`;
  const accessList = [{ address: usdc, storageKeys: [] }];
  for (const [field, change] of [
    ["chainId", { chainId: 1n }],
    ["value", { value: 1n }],
    ["data", { data: approval }],
    ["accessListLength", { accessList }],
    [
      "type",
      { type: 1, accessList: [], maxFeePerGas: null, maxPriorityFeePerGas: null, gasPrice: 2_000_000_000n },
    ],
  ] as const) {
    const transaction = buildTransaction(request, instruction);
    Object.assign(transaction, change);
    keyring.signTransaction(request.wallet, transaction);
    const signed = { raw: transaction.serialized, hash: transaction.hash } as SignedTransaction;
    expect(() => assertSignedBytes(signed, request, instruction)).toThrow(new SignedBytesError(field));
  }
});

test("another hash and another sender are noticed", () => {
  const instruction = instructionOf("payout");
  const request = requestOf(instruction);
  const signed = signAsWritten(request, instruction);
  expect(() => assertSender(signed, addressOf(escrow))).not.toThrow();
  expect(() => assertSender(signed, addressOf(vault))).toThrow(new SignedBytesError("sender"));
  const forged = { ...signed, hash: `0x${"1".repeat(64)}` as const };
  expect(() => assertSignedBytes(forged, request, instruction)).toThrow(new SignedBytesError("hash"));
});
