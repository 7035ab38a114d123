/** What the signer remembers of what it signed: the sliding hour of outflows, and one payload per instruction. */
import type { CommittedInstruction } from "./instruction.ts";
import { outflowWindowMs } from "./limits.ts";

/** One instruction that was signed, with the nonce of its newest bytes. */
export interface SignedPayload {
  instructionId: string;
  kind: CommittedInstruction["kind"];
  sourceAddress: string;
  token: string | null;
  destination: string;
  amount: bigint;
  /** Whose nonce it is: the source's own, or the gas wallet's when that has the source pay. */
  sender: string;
  nonce: number;
  /** The ids of all that the same transaction pays, in order. */
  together: readonly string[];
  /** Milliseconds since the epoch, of the first signature with this nonce. */
  signedAt: number;
}

/**
 * Counts an outflow once for each nonce that it is signed with, however often a higher fee has it signed again: bytes of
 * one nonce are one payment at most, which was allowed already. Whoever says that an earlier nonce has failed may be
 * wrong, so another nonce counts anew. What is older than the window is forgotten oldest
 * first, and only when `capacity` is reached.
 */
export class SigningHistory {
  readonly #capacity: number;
  readonly #payloads = new Map<string, SignedPayload>();
  readonly #window = new Map<string, SignedPayload>();
  readonly #leftByToken = new Map<string, bigint>();

  constructor({ capacity }: { capacity: number }) {
    this.#capacity = capacity;
  }

  /** What was signed for this instruction before, or null. */
  find(instructionId: string): SignedPayload | null {
    return this.#payloads.get(instructionId) ?? null;
  }

  /** Whether bytes with this nonce were signed for this instruction before: more of them take nothing more out. */
  isCounted({
    instructionId,
    sender,
    nonce,
  }: Pick<SignedPayload, "instructionId" | "sender" | "nonce">): boolean {
    const before = this.#payloads.get(instructionId);
    return before?.sender === sender && before.nonce === nonce;
  }

  /** Base units of a token that left within the window that ends at `now`. */
  leftWithinWindow({ token, now }: { token: string; now: number }): bigint {
    this.#forgetOutflows(now);
    return this.#leftByToken.get(token) ?? 0n;
  }

  /** True when so many more instructions would push one of the current window out of memory: then nothing new is signed. */
  isFull(now: number, more = 1): boolean {
    this.#forgetOutflows(now);
    let left = this.#payloads.size + more - this.#capacity;
    if (left <= 0) return false;
    for (const payload of this.#payloads.values()) {
      left -= 1;
      if (left === 0) return isWithinWindow(payload, now);
    }
    return true;
  }

  /**
   * Remembers a signature; one with the same nonce changes nothing. `leaves` says whether it takes money out of our
   * wallets.
   */
  record({ payload, leaves }: { payload: SignedPayload; leaves: boolean }): void {
    if (this.isCounted(payload)) return;
    const kept = { ...payload };
    // The newest last, also when it was signed before with another nonce: entries are forgotten by their age.
    this.#payloads.delete(kept.instructionId);
    this.#payloads.set(kept.instructionId, kept);
    if (this.#payloads.size > this.#capacity) {
      const oldest = firstOf(this.#payloads);
      if (oldest !== undefined) this.#payloads.delete(oldest.instructionId);
    }
    if (!leaves || kept.token === null) return;
    this.#window.set(`${kept.instructionId} ${kept.sender} ${kept.nonce}`, kept);
    this.#leftByToken.set(kept.token, (this.#leftByToken.get(kept.token) ?? 0n) + kept.amount);
  }

  /** Entries are in order of their time, so this stops at the first that still counts. */
  #forgetOutflows(now: number): void {
    for (const [id, outflow] of this.#window) {
      if (isWithinWindow(outflow, now)) return;
      this.#window.delete(id);
      const token = outflow.token ?? "";
      this.#leftByToken.set(token, (this.#leftByToken.get(token) ?? 0n) - outflow.amount);
    }
  }
}

function isWithinWindow(payload: SignedPayload, now: number): boolean {
  return payload.signedAt > now - outflowWindowMs;
}

function firstOf(payloads: ReadonlyMap<string, SignedPayload>): SignedPayload | undefined {
  for (const payload of payloads.values()) return payload;
  return undefined;
}
