/** The signer over a keyring. It reads the committed instruction itself and asks nobody what to pay to whom. */
import { inspect } from "node:util";
import type { Transaction } from "ethers";
import { assertBatchBytes, authorizationOf, batchOf, buildBatchTransaction } from "./batch-transaction.ts";
import type { WalletRef } from "./derivation.ts";
import { executorOf } from "./executor.ts";
import { type SignedPayload, SigningHistory } from "./history.ts";
import {
  type BatchSignRequest,
  batchRequestSchema,
  type CommittedInstruction,
  committedInstructionSchema,
  type SignRequest,
  signRequestSchema,
  walletRefSchema,
} from "./instruction.ts";
import { Keyring } from "./keyring.ts";
import { defaultMaxFeeWei, defaultMaxTopupWei, limitsOf, type TokenLimits } from "./limits.ts";
import { checkPolicy, type DestinationOwner } from "./policy.ts";
import { type PolicyCode, type PolicyRejection, SigningRefusedError } from "./policy-codes.ts";
import { leavesOurWallets } from "./routes.ts";
import type { Signer, SignerOptions } from "./signer.ts";
import { assertSender, assertSignedBytes, buildTransaction, type SignedTransaction } from "./transaction.ts";

interface ReadInstruction {
  instruction: CommittedInstruction;
  destinationOwner: DestinationOwner;
}

/** One transaction: a request and its instruction for each that it pays, in order. */
interface Asked {
  requests: readonly SignRequest[];
  read: readonly ReadInstruction[];
  sourceAddress: string;
  senderAddress: string;
}

const keyringCapacity = 1000;
const historyCapacity = 50_000;
const longestRestMs = 5_000;

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
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #recalled: Promise<void> = Promise.resolve();

  constructor(options: SignerOptions) {
    this.#options = options;
    this.#keyring = new Keyring({ seed: options.seed, capacity: keyringCapacity });
    this.#limits = new Map(options.tokens.map((rule) => [rule.address, limitsOf(rule)]));
  }

  async addressOf(wallet: WalletRef): Promise<string> {
    return this.#keyring.addressOf(walletRefSchema.parse(wallet));
  }

  async sign(untrusted: SignRequest): Promise<SignedTransaction> {
    // The parsed copy is ours: the caller can't change it while the instruction is being read.
    const parsed = signRequestSchema.safeParse(untrusted);
    if (!parsed.success) throw refused("malformed_request", "The request has a wrong or an unknown field.");
    const request = parsed.data;
    const [read] = await Promise.all([this.#read(request.instructionId), this.#recall()]);
    // Nothing is awaited from here on, so that two requests can't both pass a limit that has room for one.
    const sourceAddress = this.#keyring.addressOf(request.wallet);
    this.#check({ requests: [request], read: [read], sourceAddress, senderAddress: sourceAddress });
    return this.#produce(request.wallet, buildTransaction(request, read.instruction), (signed) =>
      assertSignedBytes(signed, request, read.instruction),
    );
  }

  async signBatch(untrusted: BatchSignRequest): Promise<SignedTransaction> {
    const parsed = batchRequestSchema.safeParse(untrusted);
    if (!parsed.success) throw refused("malformed_request", "The request has a wrong or an unknown field.");
    const { instructionIds, gasWallet, executor, ...shared } = parsed.data;
    const [read] = await Promise.all([
      Promise.all(instructionIds.map((id) => this.#read(id))),
      this.#recall(),
    ]);
    // As above: nothing is awaited from here on.
    const sourceAddress = this.#keyring.addressOf(shared.wallet);
    const senderAddress = this.#keyring.addressOf(gasWallet);
    const own = executorOf(senderAddress);
    const batch = batchOf(
      read.map(({ instruction }) => instruction),
      { sourceAddress, executor: own },
    );
    if (gasWallet.purpose !== "gas" || senderAddress === sourceAddress)
      throw refused("purpose_not_allowed", "Only the gas wallet has another wallet pay.");
    if (executor !== own)
      throw refused(
        "other_executor",
        "The wallet runs another executor than the one that this version calls.",
      );
    const requests = instructionIds.map((instructionId) => ({ ...shared, instructionId }));
    this.#check({ requests, read, sourceAddress, senderAddress });
    const authorization = authorizationOf(parsed.data, batch);
    const authorizations =
      authorization === null
        ? []
        : [
            {
              ...authorization,
              signature: this.#keyring.signAuthorization(shared.wallet, authorization),
            },
          ];
    return this.#produce(gasWallet, buildBatchTransaction(parsed.data, batch, authorizations), (signed) =>
      assertBatchBytes(signed, parsed.data, batch),
    );
  }

  pause(reason: string): void {
    this.#pauseReason = reason;
  }

  resume(): void {
    this.#pauseReason = null;
  }

  /** After a rest another process may have been the one that signs: what it signed counts here, too. */
  #recall(): Promise<void> {
    const now = this.#now();
    if (now - this.#askedAtMs > longestRestMs) this.#recalled = this.#readSigned();
    this.#askedAtMs = now;
    return this.#recalled;
  }

  async #readSigned(): Promise<void> {
    try {
      for (const payload of (await this.#options.readSigned?.()) ?? [])
        this.#history.recall({ payload, leaves: leavesOurWallets(payload.kind) });
    } catch (error) {
      this.#askedAtMs = Number.NEGATIVE_INFINITY; // The next one asks again.
      throw error;
    }
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  async #read(instructionId: string): Promise<ReadInstruction> {
    const read = await this.#options.readInstruction(instructionId);
    if (read === null)
      throw refused("instruction_unknown", "There is no committed instruction with this id.", instructionId);
    const parsed = committedInstructionSchema.safeParse(read);
    if (!parsed.success)
      throw refused("malformed_instruction", "The instruction has a wrong field.", instructionId);
    const instruction = parsed.data;
    return { instruction, destinationOwner: await this.#ownerOf(instruction.destination) };
  }

  /** The engine says which wallet an address is; the seed has the last word. */
  async #ownerOf(address: string): Promise<DestinationOwner> {
    const found = await this.#options.findWallet(address);
    if (found === null) return { kind: "outside" };
    const wallet = walletRefSchema.parse(found);
    return this.#keyring.addressOf(wallet) === address ? { kind: "ours", wallet } : { kind: "unproven" };
  }

  /** The policy for each instruction of one transaction; all of them are counted when all may be signed. */
  #check({ requests, read, sourceAddress, senderAddress }: Asked): void {
    const now = this.#now();
    const together = requests.map(({ instructionId }) => instructionId);
    const isHistoryFull = this.#history.isFull(now, requests.length);
    const executor = executorOf(senderAddress);
    const payloads: SignedPayload[] = [];
    let leavesTogether = 0n;
    let noRoom: PolicyRejection | null = null;
    const withoutRoom: string[] = [];
    for (const [index, { instruction, destinationOwner }] of read.entries()) {
      const request = requests[index];
      if (request === undefined) throw new Error("a request without its instruction");
      const { id: instructionId, kind, token, destination, amount } = instruction;
      const signedBefore = this.#history.find(instructionId);
      const payment = { instructionId, token, sender: senderAddress, nonce: request.nonce };
      const isCounted = this.#history.isCounted(payment);
      const left = this.#history.leftWithinWindow({ token: token ?? "", now });
      const recalled = this.#history.recalled(payment);
      const verdict = checkPolicy(request, instruction, {
        chainId: this.#options.chainId,
        pauseReason: this.#pauseReason,
        sourceAddress,
        senderAddress,
        together,
        executor,
        destinationOwner,
        houseWallet: this.#options.houseWallet,
        limits: this.#limits,
        leftWithinHour: left - recalled + leavesTogether,
        signedBefore,
        isCounted,
        isHistoryFull,
        maxFeeWei: this.#options.maxFeeWei ?? defaultMaxFeeWei,
        maxTopupWei: this.#options.maxTopupWei ?? defaultMaxTopupWei,
      });
      if (!verdict.ok) {
        if (verdict.rejection.code !== "over_hour_limit")
          throw new SigningRefusedError(verdict.rejection, instructionId);
        noRoom ??= verdict.rejection;
        withoutRoom.push(instructionId);
        continue;
      }
      if (!isCounted && leavesOurWallets(kind)) leavesTogether += amount - recalled;
      payloads.push({
        ...payment,
        kind,
        sourceAddress,
        destination,
        amount,
        together,
        signedAt: now,
      });
    }
    if (noRoom !== null) throw new SigningRefusedError(noRoom, withoutRoom[0] ?? null, withoutRoom);
    // Counted before the bytes exist: should signing fail half-way, the limit errs on the safe side.
    for (const payload of payloads) this.#history.record({ payload, leaves: leavesOurWallets(payload.kind) });
  }

  #produce(
    sender: WalletRef,
    transaction: Transaction,
    assertBytes: (signed: SignedTransaction) => void,
  ): SignedTransaction {
    const { isProven } = this.#keyring.signTransaction(sender, transaction);
    const signed = { raw: transaction.serialized, hash: transaction.hash } as SignedTransaction;
    assertBytes(signed);
    // Recovery costs more than all the rest. Once per key proves that key and address belong together; a later wrong
    // signature could only come from an account that isn't ours, and moves nothing.
    if (!isProven) {
      assertSender(signed, this.#keyring.addressOf(sender));
      this.#keyring.markProven(sender);
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

function refused(
  code: PolicyCode,
  message: string,
  instructionId: string | null = null,
): SigningRefusedError {
  return new SigningRefusedError({ code, message }, instructionId);
}
