import { SigningKey, Transaction } from "ethers";
import { decodeFunctionData, parseAbi, parseTransaction, recoverTransactionAddress } from "viem";
import { recoverAuthorizationAddress } from "viem/utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { assertBatchBytes, type Batch } from "../../wallets/batch-transaction.ts";
import { paymentsCall } from "../../wallets/executor.ts";
import type { BatchSignRequest, CommittedInstruction } from "../../wallets/instruction.ts";
import { SignedBytesError, type SignedTransaction } from "../../wallets/transaction.ts";
import {
  addressOf,
  codeOf,
  deposit,
  escrow,
  executor,
  gas,
  type House,
  instructionOf,
  makeHouse,
  openwork,
  outsider,
  requestOf,
  signedOf,
  unlisted,
  usdc,
  vault,
} from "./fixtures.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const other = `0x${"cd".repeat(20)}`;
function payouts(house: House, ...changes: Partial<CommittedInstruction>[]): CommittedInstruction[] {
  return changes.map((change) => house.commit(instructionOf("payout", change)));
}
function batchRequest(
  instructions: CommittedInstruction[],
  changes: Partial<BatchSignRequest> = {},
): BatchSignRequest {
  return {
    instructionIds: instructions.map(({ id }) => id),
    wallet: escrow,
    authorisationNonce: 0,
    executor,
    gasWallet: gas,
    nonce: 7,
    gasLimit: 400_000n,
    maxFeePerGas: 2_000_000_000n,
    maxPriorityFeePerGas: 1_000_000n,
    ...changes,
  };
}
const batchOf = (instructions: CommittedInstruction[]): Batch => ({
  sourceAddress: addressOf(escrow),
  token: instructions[0]?.token ?? "",
  payments: instructions.map(({ destination, amount }) => ({ destination, amount })),
  executor,
});

describe("a batch", () => {
  test("is signed by the gas wallet and authorised by the escrow, for exactly what is committed (SAFETY 42)", async () => {
    const house = makeHouse();
    const paid = payouts(house, { amount: 10n }, { amount: 20n, destination: other }, { amount: 10n });
    const { raw, hash } = await house.signer.signBatch(batchRequest(paid));
    const decoded = parseTransaction(raw as `0x04${string}`);
    expect(decoded).toMatchObject({ type: "eip7702", chainId: 8453, nonce: 7, to: addressOf(escrow) });
    expect(decoded.value ?? 0n).toBe(0n);
    expect(decoded.data).toBe(paymentsCall(usdc, batchOf(paid).payments));
    const sender = await recoverTransactionAddress({ serializedTransaction: raw as `0x04${string}` });
    expect(sender.toLowerCase()).toBe(addressOf(gas));
    expect(decoded.authorizationList).toHaveLength(1);
    const [authorization] = decoded.authorizationList ?? [];
    if (authorization === undefined) throw new Error("no authorisation");
    expect(authorization).toMatchObject({ chainId: 8453, address: executor, nonce: 0 });
    const authority = await recoverAuthorizationAddress({
      authorization: authorization as Parameters<typeof recoverAuthorizationAddress>[0]["authorization"],
    });
    expect(authority.toLowerCase()).toBe(addressOf(escrow));
    expect(Transaction.from(raw).hash).toBe(hash);
  });

  test("of a wallet that has authorised the executor before carries no authorisation", async () => {
    const house = makeHouse();
    const signed = await house.signer.signBatch(
      batchRequest(payouts(house, {}), { authorisationNonce: null }),
    );
    expect(parseTransaction(signed.raw as `0x02${string}`).type).toBe("eip1559");
  });

  test.each([
    ["1", "01"],
    ["255 1 16", "01"],
    ["256 255", "02"],
    ["1 65536", "03"],
    ["1000000000000000000000000 1", "0a"],
  ])("of %s takes no more bytes for an amount than the largest needs", async (text, size) => {
    const house = makeHouse();
    const amounts = text.split(" ").map(BigInt);
    const paid = payouts(house, ...amounts.map((amount) => ({ amount, token: openwork })));
    const { raw } = await house.signer.signBatch(batchRequest(paid));
    const [, packed] = decodeFunctionData({
      abi: parseAbi(["function execute(bytes32 mode, bytes payments)"]),
      data: parseTransaction(raw as `0x04${string}`).data ?? "0x",
    }).args;
    const each = amounts.map(
      (amount) => outsider.slice(2) + amount.toString(16).padStart(2 * Number(`0x${size}`), "0"),
    );
    expect(packed).toBe(`0x${size}${openwork.slice(2)}${each.join("")}`);
  });

  test("with a higher fee has the same nonce and payload, and takes no more of the hour's limit", async () => {
    const house = makeHouse();
    const paid = payouts(house, ...Array.from({ length: 25 }, () => ({ amount: 100_000_000n })));
    const first = await house.signer.signBatch(batchRequest(paid));
    const dearer = await house.signer.signBatch(batchRequest(paid, { maxFeePerGas: 3_000_000_000n }));
    const [before, after] = [first, dearer].map(({ raw }) => parseTransaction(raw as `0x04${string}`));
    expect(after).toMatchObject({ nonce: before?.nonce, data: before?.data, to: before?.to });
    const onemore = payouts(house, { amount: 1n });
    expect(await codeOf(house.signer.signBatch(batchRequest(onemore, { nonce: 8 })))).toBe("over_hour_limit");
  });

  test("with a higher fee after a restart takes no more of it either", async () => {
    const paid = Array.from({ length: 25 }, () => instructionOf("payout", { amount: 100_000_000n }));
    const { nonce, instructionIds: together } = batchRequest(paid);
    const signed = paid.map((one) => signedOf(one, { sender: addressOf(gas), nonce, together }));
    const house = makeHouse({ readSigned: async () => signed });
    for (const one of paid) house.commit(one);
    expect(await codeOf(house.signer.signBatch(batchRequest(paid)))).toBe("signed");
    const onemore = payouts(house, { amount: 1n });
    expect(await codeOf(house.signer.signBatch(batchRequest(onemore, { nonce: 8 })))).toBe("over_hour_limit");
  });
});

describe("the signer refuses (SAFETY 42)", () => {
  test("a batch that names recipients, amounts, calldata, or anything else that isn't asked for", async () => {
    const house = makeHouse();
    const request = batchRequest(payouts(house, {}, {}));
    for (const extra of [
      { destination: outsider },
      { payments: [] },
      { data: "0x" },
      { to: outsider },
      { executor: "an address" },
      { chainId: 1 },
      { value: 1n },
      { instructionIds: [] },
      { instructionIds: [request.instructionIds[0], request.instructionIds[0]] },
      { instructionIds: Array.from({ length: 151 }, (_, id) => String(id)) },
      { authorisationNonce: -1 },
      { gasLimit: 16_000_001n },
    ]) {
      const asked = { ...request, ...extra } as BatchSignRequest;
      expect(await codeOf(house.signer.signBatch(asked)), JSON.stringify(Object.keys(extra))).toBe(
        "malformed_request",
      );
    }
    expect(await codeOf(house.signer.signBatch(request))).toBe("signed");
  });

  test("one that the policy wouldn't let be paid alone, and says which; nothing of the batch counts as signed", async () => {
    const wrong: [Partial<CommittedInstruction>, string][] = [
      [{ destination: usdc }, "destination_is_token"],
      [{ destination: addressOf(vault) }, "destination_not_allowed"],
      [{ amount: 0n }, "amount_not_positive"],
      [{ amount: 1_000_000_001n }, "over_transaction_limit"],
      [{ state: "final" }, "instruction_not_signable"],
      [{ sourceAddress: addressOf(deposit) }, "source_mismatch"],
      [{ kind: "withdrawal" }, "purpose_not_allowed"],
      [{ token: openwork }, "batch_mixed"],
      [{ token: null }, "batch_mixed"],
    ];
    for (const [change, code] of wrong) {
      const house = makeHouse();
      const paid = payouts(house, {}, change, {});
      const signing = house.signer.signBatch(batchRequest(paid));
      await expect(signing, code).rejects.toMatchObject({ code, instructionId: paid[1]?.id });
      // Its neighbours may go with another nonce, as nothing of them was signed.
      const rest = paid.filter((_, index) => index !== 1);
      expect(await codeOf(house.signer.signBatch(batchRequest(rest, { nonce: 8 })))).toBe("signed");
    }
  });

  test("a token off the list, a batch of nobody's, and a pause", async () => {
    const house = makeHouse();
    const off = payouts(house, { token: unlisted }, { token: unlisted });
    expect(await codeOf(house.signer.signBatch(batchRequest(off)))).toBe("token_not_allowed");
    const unknown = batchRequest([instructionOf("payout")]);
    expect(await codeOf(house.signer.signBatch(unknown))).toBe("instruction_unknown");
    house.signer.pause("a look");
    expect(await codeOf(house.signer.signBatch(batchRequest(payouts(house, {}))))).toBe("paused");
  });

  test("a sponsor that isn't the gas wallet, and the gas wallet's own money by the executor", async () => {
    const house = makeHouse();
    const paid = payouts(house, {});
    for (const gasWallet of [vault, escrow, deposit])
      expect(await codeOf(house.signer.signBatch(batchRequest(paid, { gasWallet })))).toBe(
        "purpose_not_allowed",
      );
    const own = house.commit(instructionOf("refund", { sourceAddress: addressOf(gas) }));
    expect(await codeOf(house.signer.signBatch(batchRequest([own], { wallet: gas })))).toBe(
      "purpose_not_allowed",
    );
  });

  test("a batch for another version's executor, with or without its authorisation", async () => {
    const house = makeHouse();
    const paid = payouts(house, {});
    for (const other of [outsider, null])
      for (const authorisationNonce of [0, null]) {
        const asked = batchRequest(paid, { executor: other, authorisationNonce });
        expect(await codeOf(house.signer.signBatch(asked))).toBe("other_executor");
      }
    // Nothing of it was signed: it may go with another nonce.
    expect(await codeOf(house.signer.signBatch(batchRequest(paid, { nonce: 8 })))).toBe("signed");
  });

  test("together more than the hour's limit, and names the one with which it is passed", async () => {
    const house = makeHouse();
    const paid = payouts(house, ...Array.from({ length: 26 }, () => ({ amount: 100_000_000n })));
    await expect(house.signer.signBatch(batchRequest(paid))).rejects.toMatchObject({
      code: "over_hour_limit",
      instructionId: paid[25]?.id,
    });
    expect(await codeOf(house.signer.signBatch(batchRequest(paid.slice(0, 25))))).toBe("signed");
  });

  test("another batch with one that was signed before: other neighbours, another order, alone, another nonce", async () => {
    const house = makeHouse();
    const [a, b, c] = payouts(house, {}, {}, {});
    if (a === undefined || b === undefined || c === undefined) throw new Error("three payouts");
    await house.signer.signBatch(batchRequest([a, b]));
    for (const again of [[a], [b, a], [a, b, c], [c, b]])
      expect(await codeOf(house.signer.signBatch(batchRequest(again)))).toBe("instruction_changed");
    expect(await codeOf(house.signer.signBatch(batchRequest([a, b], { nonce: 8 })))).toBe("nonce_changed");
    // The escrow's own nonce 7 is another nonce than the gas wallet's.
    expect(await codeOf(house.signer.sign(requestOf(a, { nonce: 7 })))).toBe("nonce_changed");
    expect(await codeOf(house.signer.signBatch(batchRequest([a, b])))).toBe("signed");
  });

  test("to pay together what was signed for its own wallet, until that has failed for good", async () => {
    const house = makeHouse();
    const [a] = payouts(house, {});
    if (a === undefined) throw new Error("a payout");
    await house.signer.sign(requestOf(a, { nonce: 7 }));
    const batch = batchRequest([a]);
    expect(await codeOf(house.signer.signBatch(batch))).toBe("nonce_changed");
    house.commit({ ...a, failed: { sender: addressOf(gas), nonce: 7 } });
    expect(await codeOf(house.signer.signBatch(batch))).toBe("nonce_changed");
    house.commit({ ...a, failed: { sender: a.sourceAddress, nonce: 7 } });
    expect(await codeOf(house.signer.signBatch(batch))).toBe("signed");
  });

  test("a fee above the cap for each payment", async () => {
    const house = makeHouse();
    const paid = payouts(house, {}, {});
    const fees = { gasLimit: 400_000n, maxPriorityFeePerGas: 1n };
    expect(
      await codeOf(house.signer.signBatch(batchRequest(paid, { ...fees, maxFeePerGas: 10_000_000_001n }))),
    ).toBe("over_fee_cap");
    expect(
      await codeOf(house.signer.signBatch(batchRequest(paid, { ...fees, maxFeePerGas: 10_000_000_000n }))),
    ).toBe("signed");
  });
});

describe("bytes that a broken library made", () => {
  test("never leave the signer, whichever field is wrong", async () => {
    const house = makeHouse();
    const paid = payouts(house, { amount: 10n }, { amount: 20n, destination: other });
    const request = batchRequest(paid);
    const batch = batchOf(paid);
    const signed = await house.signer.signBatch(request);
    assertBatchBytes(signed, request, batch);
    const differs = (
      changedRequest: BatchSignRequest,
      changedBatch: Batch,
      bytes: SignedTransaction = signed,
    ) => expect(() => assertBatchBytes(bytes, changedRequest, changedBatch)).toThrow(SignedBytesError);
    differs({ ...request, nonce: 8 }, batch);
    differs({ ...request, gasLimit: 1n }, batch);
    differs({ ...request, maxFeePerGas: 1n }, batch);
    differs({ ...request, maxPriorityFeePerGas: 1n }, batch);
    differs({ ...request, authorisationNonce: 1 }, batch);
    differs({ ...request, authorisationNonce: null }, batch);
    differs(request, { ...batch, sourceAddress: addressOf(vault) });
    differs(request, { ...batch, token: openwork });
    differs(request, { ...batch, executor: outsider });
    differs(request, { ...batch, payments: batch.payments.slice(1) });
    differs(request, { ...batch, payments: [...batch.payments].reverse() });
    differs(request, batch, { ...signed, hash: `0x${"00".repeat(32)}` });
  });

  test("with an authorisation by another key never leave it either", async () => {
    const house = makeHouse();
    const [first] = payouts(house, {});
    if (first === undefined) throw new Error("a payout");
    const stranger = new SigningKey(`0x${"11".repeat(32)}`);
    const sign = SigningKey.prototype.sign;
    vi.spyOn(SigningKey.prototype, "sign").mockImplementation((digest) => sign.call(stranger, digest));
    await expect(house.signer.signBatch(batchRequest([first]))).rejects.toThrow(SignedBytesError);
  });
});
