/** What the signer remembers of what it signed: the sliding hour of outflows, and one payload per instruction. */
import type { CommittedInstruction } from "./instruction.ts";
import { outflowWindowMs } from "./limits.ts";

/** One instruction that was signed at least once. */
export interface SignedPayload {
  instructionId: string;
  kind: CommittedInstruction["kind"];
  sourceAddress: string;
  token: string | null;
  destination: string;
  amount: bigint;
  nonce: number;
  /** Milliseconds since the epoch, of the first signature. */
  signedAt: number;
}

/**
 * Counts an outflow once, at its first signature, however often a higher fee has it signed again: the old bytes stay
 * valid, so it is one payment at most and was allowed already. What is older than the window is forgotten oldest
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

  /** Base units of a token that left within the window that ends at `now`. */
  leftWithinWindow({ token, now }: { token: string; now: number }): bigint {
    this.#forgetOutflows(now);
    return this.#leftByToken.get(token) ?? 0n;
  }

  /** True when one more instruction would push one of the current window out of memory: then nothing new is signed. */
  isFull(now: number): boolean {
    this.#forgetOutflows(now);
    if (this.#payloads.size < this.#capacity) return false;
    const oldest = firstOf(this.#payloads);
    return oldest !== undefined && isWithinWindow(oldest, now);
  }

  /** Remembers a signature; a repeated one moves only the nonce. `leaves` says whether it takes money out of our wallets. */
  record({ payload, leaves }: { payload: SignedPayload; leaves: boolean }): void {
    const before = this.#payloads.get(payload.instructionId);
    if (before !== undefined) {
      before.nonce = payload.nonce;
      return;
    }
    const kept = { ...payload };
    this.#payloads.set(kept.instructionId, kept);
    if (this.#payloads.size > this.#capacity) {
      const oldest = firstOf(this.#payloads);
      if (oldest !== undefined) this.#payloads.delete(oldest.instructionId);
    }
    if (!leaves || kept.token === null) return;
    this.#window.set(kept.instructionId, kept);
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
