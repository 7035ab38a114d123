import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type CommittedInstruction,
  type InstructionKind,
  instructionKinds,
  type SignRequest,
} from "../../wallets/instruction.ts";
import { checkPolicy, type PolicyContext } from "../../wallets/policy.ts";
import {
  addressOf,
  contextOf,
  houseWallet,
  instructionOf,
  requestOf,
  tokens,
  unlisted,
  usdc,
  wallets,
  ways,
} from "./fixtures.ts";

interface Asked {
  request: SignRequest;
  instruction: CommittedInstruction;
  context: PolicyContext;
}

const addresses = wallets.map(addressOf);
const isSpecial = (address: string): boolean =>
  addresses.includes(address) || tokens.some((rule) => rule.address === address) || address === houseWallet;
const anyAddress = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`)
  .filter((address) => !isSpecial(address) && !/^0x0+$/.test(address));
const ownKinds: readonly InstructionKind[] = ["collect", "fund", "settle", "sweep", "topup"];

/** A request that may be signed, whatever its numbers. */
const allowed: fc.Arbitrary<Asked> = fc
  .record({
    kind: fc.constantFrom(...instructionKinds.filter((kind) => kind !== "deploy")),
    amount: fc.bigInt({ min: 1n, max: 1_000_000_000n }),
    token: fc.constantFrom(...tokens.map((rule) => rule.address)),
    outside: anyAddress,
    nonce: fc.nat(),
    gasLimit: fc.bigInt({ min: 21_000n, max: 200_000n }),
    maxFeePerGas: fc.bigInt({ min: 1n, max: 10_000_000_000n }),
    isQueued: fc.boolean(),
  })
  .map((drawn) => {
    const destination = ownKinds.includes(drawn.kind) ? ways[drawn.kind].to : drawn.outside;
    const instruction = instructionOf(drawn.kind, {
      amount: drawn.amount,
      token: drawn.kind === "topup" ? null : drawn.token,
      destination,
      state: drawn.isQueued ? "queued" : "sending",
    });
    const request = requestOf(instruction, {
      nonce: drawn.nonce,
      gasLimit: drawn.gasLimit,
      maxFeePerGas: drawn.maxFeePerGas,
      maxPriorityFeePerGas: drawn.maxFeePerGas,
    });
    return { request, instruction, context: contextOf(instruction) };
  });

/** The same question after the instruction was signed once as it stood. */
function afterFirstSignature({ request, instruction, context }: Asked): Asked {
  const { id: instructionId, kind, sourceAddress, token, destination, amount } = instruction;
  const signedBefore = {
    instructionId,
    kind,
    sourceAddress,
    token,
    destination,
    amount,
    sender: sourceAddress,
    nonce: request.nonce,
    together: [instructionId],
    signedAt: 0,
  };
  return { request, instruction, context: { ...context, signedBefore } };
}

const isAllowed = ({ request, instruction, context }: Asked): boolean =>
  checkPolicy(request, instruction, context).ok;

/** One field made wrong, each way that is wrong for every kind. */
const spoiled: fc.Arbitrary<Partial<CommittedInstruction>> = fc.oneof(
  anyAddress.map((sourceAddress) => ({ sourceAddress })),
  fc.constant({ token: unlisted }),
  fc.constantFrom(usdc, `0x${"0".repeat(40)}`).map((destination) => ({ destination })),
  fc.bigInt({ min: -(10n ** 30n), max: 0n }).map((amount) => ({ amount })),
  fc
    .string()
    .filter((state) => state !== "queued" && state !== "sending")
    .map((state) => ({ state })),
  fc
    .string()
    .filter((id) => !/^[0-9]+$/.test(id))
    .map((id) => ({ id })),
);

test("any instruction with one wrong field is refused, and passes without it", () => {
  fc.assert(
    fc.property(allowed, spoiled, (asked, wrong) => {
      expect(isAllowed(asked)).toBe(true);
      expect(isAllowed({ ...asked, instruction: { ...asked.instruction, ...wrong } })).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test("money that must stay in the house never goes to an address outside it", () => {
  fc.assert(
    fc.property(allowed, anyAddress, (asked, destination) => {
      fc.pre(ownKinds.includes(asked.instruction.kind));
      const context: PolicyContext = { ...asked.context, destinationOwner: { kind: "outside" } };
      expect(isAllowed({ ...asked, instruction: { ...asked.instruction, destination }, context })).toBe(
        false,
      );
    }),
  );
});

/** Every single field of a payload, changed to another value that would be fine on its own. */
const changed: fc.Arbitrary<(asked: Asked) => Asked> = fc.oneof(
  fc.bigInt({ min: 1n, max: 1_000n }).map((more) => (asked: Asked) => ({
    ...asked,
    instruction: { ...asked.instruction, amount: asked.instruction.amount + more },
  })),
  anyAddress.map((destination) => (asked: Asked) => ({
    ...asked,
    instruction: { ...asked.instruction, destination },
  })),
  fc.constant((asked: Asked) => ({
    ...asked,
    instruction: {
      ...asked.instruction,
      token: asked.instruction.token === usdc ? (tokens[1]?.address ?? null) : usdc,
    },
  })),
  fc.constant((asked: Asked) => ({
    ...asked,
    instruction: {
      ...asked.instruction,
      kind: asked.instruction.kind === "refund" ? "payout" : "refund",
    } as const,
  })),
  fc.integer({ min: 1, max: 1_000 }).map((more) => (asked: Asked) => ({
    ...asked,
    request: { ...asked.request, nonce: asked.request.nonce + more },
  })),
);

test("after its first signature an instruction can be signed again as it was, and in no other way", () => {
  fc.assert(
    fc.property(allowed, changed, (asked, change) => {
      const again = afterFirstSignature(asked);
      expect(isAllowed({ ...again, request: { ...again.request, maxPriorityFeePerGas: 0n } })).toBe(true);
      expect(isAllowed(change(again))).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test("a later nonce is allowed exactly when the one before it failed for good", () => {
  fc.assert(
    fc.property(
      allowed,
      fc.integer({ min: -5, max: 5 }),
      fc.integer({ min: -5, max: 5 }),
      (asked, step, off) => {
        const { nonce } = asked.request;
        fc.pre(nonce > 10);
        const again = afterFirstSignature(asked);
        const request = { ...again.request, nonce: nonce + step };
        const failed = { sender: again.context.senderAddress, nonce: nonce + off };
        const instruction = { ...again.instruction, failed };
        expect(isAllowed({ ...again, request, instruction })).toBe(step === 0 || (step > 0 && off === 0));
      },
    ),
  );
});
