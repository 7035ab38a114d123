/** The signer over a keyring. It reads the committed instruction itself and asks nobody what to pay to whom. */
import { inspect } from "node:util";
import type { WalletRef } from "./derivation.ts";
import { SigningHistory } from "./history.ts";
import {
  type CommittedInstruction,
  committedInstructionSchema,
  type SignRequest,
  signRequestSchema,
  walletRefSchema,
} from "./instruction.ts";
import { Keyring } from "./keyring.ts";
import { defaultMaxFeeWei, defaultMaxTopupWei, limitsOf, type TokenLimits } from "./limits.ts";
import { checkPolicy, type DestinationOwner } from "./policy.ts";
import { type PolicyCode, SigningRefusedError } from "./policy-codes.ts";
import { leavesOurWallets } from "./routes.ts";
import type { Signer, SignerOptions } from "./signer.ts";
import { assertSender, assertSignedBytes, buildTransaction, type SignedTransaction } from "./transaction.ts";

const keyringCapacity = 1000;
const historyCapacity = 50_000;

/** @internal made by `createSigner`, which checks the seed first */
export class KeyringSigner implements Signer {
  get holdsKeys(): boolean {
    return true;
  }

  readonly #options: SignerOptions;
  readonly #keyring: Keyring;
  readonly #history = new SigningHistory({ capacity: historyCapacity });
  readonly #limits: ReadonlyMap<string, TokenLimits>;
  #pauseReason: string | null = null;

  constructor(options: SignerOptions) {
    this.#options = options;
    this.#keyring = new Keyring({ seed: options.seed, capacity: keyringCapacity });
    this.#limits = new Map(options.tokens.map((rule) => [rule.address, limitsOf(rule)]));
    for (const payload of options.signedBefore ?? []) {
      this.#history.record({ payload, leaves: leavesOurWallets(payload.kind) });
    }
  }

  async addressOf(wallet: WalletRef): Promise<string> {
    return this.#keyring.addressOf(walletRefSchema.parse(wallet));
  }

  async sign(untrusted: SignRequest): Promise<SignedTransaction> {
    // The parsed copy is ours: the caller can't change it while the instruction is being read.
    const parsed = signRequestSchema.safeParse(untrusted);
    if (!parsed.success) throw refused("malformed_request", "The request has a wrong or an unknown field.");
    const instruction = await this.#read(parsed.data.instructionId);
    const destinationOwner = await this.#ownerOf(instruction.destination);
    // Nothing is awaited from here on, so that two requests can't both pass a limit that has room for one.
    return this.#signChecked({ request: parsed.data, instruction, destinationOwner });
  }

  pause(reason: string): void {
    this.#pauseReason = reason;
  }

  resume(): void {
    this.#pauseReason = null;
  }

  async #read(instructionId: string): Promise<CommittedInstruction> {
    const read = await this.#options.readInstruction(instructionId);
    if (read === null)
      throw refused("instruction_unknown", "There is no committed instruction with this id.");
    const parsed = committedInstructionSchema.safeParse(read);
    if (!parsed.success) throw refused("malformed_instruction", "The instruction has a wrong field.");
    return parsed.data;
  }

  /** The engine says which wallet an address is; the seed has the last word. */
  async #ownerOf(address: string): Promise<DestinationOwner> {
    const found = await this.#options.findWallet(address);
    if (found === null) return { kind: "outside" };
    const wallet = walletRefSchema.parse(found);
    return this.#keyring.addressOf(wallet) === address ? { kind: "ours", wallet } : { kind: "unproven" };
  }

  #signChecked(checked: {
    request: SignRequest;
    instruction: CommittedInstruction;
    destinationOwner: DestinationOwner;
  }): SignedTransaction {
    const { request, instruction, destinationOwner } = checked;
    const now = (this.#options.now ?? Date.now)();
    const sourceAddress = this.#keyring.addressOf(request.wallet);
    const verdict = checkPolicy(request, instruction, {
      chainId: this.#options.chainId,
      pauseReason: this.#pauseReason,
      sourceAddress,
      destinationOwner,
      houseWallet: this.#options.houseWallet,
      limits: this.#limits,
      leftWithinHour: this.#history.leftWithinWindow({ token: instruction.token ?? "", now }),
      signedBefore: this.#history.find(instruction.id),
      isHistoryFull: this.#history.isFull(now),
      maxFeeWei: this.#options.maxFeeWei ?? defaultMaxFeeWei,
      maxTopupWei: this.#options.maxTopupWei ?? defaultMaxTopupWei,
    });
    if (!verdict.ok) throw new SigningRefusedError(verdict.rejection);
    // Counted before the bytes exist: should signing fail half-way, the limit errs on the safe side.
    const { id: instructionId, kind, token, destination, amount } = instruction;
    this.#history.record({
      payload: {
        instructionId,
        kind,
        sourceAddress,
        token,
        destination,
        amount,
        nonce: request.nonce,
        signedAt: now,
      },
      leaves: leavesOurWallets(kind),
    });
    return this.#produce({ request, instruction, sourceAddress });
  }

  #produce(checked: {
    request: SignRequest;
    instruction: CommittedInstruction;
    sourceAddress: string;
  }): SignedTransaction {
    const { request, instruction, sourceAddress } = checked;
    const transaction = buildTransaction(request, instruction);
    const { isProven } = this.#keyring.signTransaction(request.wallet, transaction);
    const signed = { raw: transaction.serialized, hash: transaction.hash } as SignedTransaction;
    assertSignedBytes(signed, request, instruction);
    // Recovery costs more than all the rest. Once per key proves that key and address belong together; a later wrong
    // signature could only come from an account that isn't ours, and moves nothing.
    if (!isProven) {
      assertSender(signed, sourceAddress);
      this.#keyring.markProven(request.wallet);
    }
    return signed;
  }

  toJSON(): string {
    return "[signer]";
  }

  [inspect.custom](): string {
    return "[signer]";
  }
}

function refused(code: PolicyCode, message: string): SigningRefusedError {
  return new SigningRefusedError({ code, message });
}
