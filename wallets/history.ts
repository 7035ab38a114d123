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

/** Of one instruction with one nonce: however many bytes, one payment at most. */
type Payment = Pick<SignedPayload, "instructionId" | "token" | "sender" | "nonce">;

/** `isOwn`: signed here, and not only said to have been signed. */
type Remembered = SignedPayload & { isOwn: boolean };

/**
 * Counts an outflow once for each nonce that it is signed with, however often a higher fee has it signed again: bytes of
 * one nonce are one payment at most, which was allowed already. Whoever says that an earlier nonce has failed may be
 * wrong, so another nonce counts anew; and whoever says that something was signed elsewhere may have made it up, so that
 * takes room, and gives none. What is older than the window is forgotten oldest first, and only when `capacity` is
 * reached.
 */
export class SigningHistory {
  readonly #capacity: number;
  readonly #payloads = new Map<string, Remembered>();
  /** What was signed here by a key of its own: nothing that is said later takes its place. */
  readonly #window = new Map<string | symbol, SignedPayload>();
  readonly #leftByToken = new Map<string, bigint>();

  constructor({ capacity }: { capacity: number }) {
    this.#capacity = capacity;
  }

  /** What was signed for this instruction before, or null. */
  find(instructionId: string): SignedPayload | null {
    return this.#payloads.get(instructionId) ?? null;
  }

  /** Whether bytes with this nonce were signed here for this instruction before: more of them take nothing more out. */
  isCounted(payment: Payment): boolean {
    const before = this.#payloads.get(payment.instructionId);
    return before?.isOwn === true && isSamePayment(before, payment);
  }

  /** Base units of this very payment that count in the window though it wasn't signed here: signing it takes their place. */
  recalled(payment: Payment): bigint {
    return this.#window.get(keyOf(payment))?.amount ?? 0n;
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
    this.#drop(keyOf(payload));
    this.#remember({ ...payload, isOwn: true });
    if (leaves) this.#count(Symbol(), payload);
  }

  /** Remembers what is said to have been signed, by this process or another; what is known, or older than that, changes nothing. */
  recall({ payload, leaves }: { payload: SignedPayload; leaves: boolean }): void {
    const known = this.#payloads.get(payload.instructionId);
    if (known !== undefined && (isSamePayment(known, payload) || payload.signedAt < known.signedAt)) return;
    this.#remember({ ...payload, isOwn: false });
    if (leaves && !this.#window.has(keyOf(payload))) this.#count(keyOf(payload), payload);
  }

  /** The newest last, also when it was signed before with another nonce: entries are forgotten by their age. */
  #remember(payload: Remembered): void {
    this.#payloads.delete(payload.instructionId);
    this.#payloads.set(payload.instructionId, payload);
    if (this.#payloads.size <= this.#capacity) return;
    const oldest = firstOf(this.#payloads);
    if (oldest !== undefined) this.#payloads.delete(oldest.instructionId);
  }

  #count(key: string | symbol, outflow: SignedPayload): void {
    if (outflow.token === null) return;
    this.#window.set(key, { ...outflow });
    this.#leftByToken.set(outflow.token, (this.#leftByToken.get(outflow.token) ?? 0n) + outflow.amount);
  }

  #drop(key: string | symbol): void {
    const { token = null, amount = 0n } = this.#window.get(key) ?? {};
    this.#window.delete(key);
    if (token !== null) this.#leftByToken.set(token, (this.#leftByToken.get(token) ?? 0n) - amount);
  }

  /** Entries are in order of their time, so this stops at the first that still counts. */
  #forgetOutflows(now: number): void {
    for (const [key, outflow] of this.#window) {
      if (isWithinWindow(outflow, now)) return;
      this.#drop(key);
    }
  }
}

const keyOf = ({ instructionId, token, sender, nonce }: Payment): string =>
  [instructionId, token, sender, nonce].join(" ");

const isSamePayment = (a: Payment, b: Payment): boolean => a.sender === b.sender && a.nonce === b.nonce;

function isWithinWindow(payload: SignedPayload, now: number): boolean {
  return payload.signedAt > now - outflowWindowMs;
}

function firstOf(payloads: ReadonlyMap<string, SignedPayload>): SignedPayload | undefined {
  for (const payload of payloads.values()) return payload;
  return undefined;
}
