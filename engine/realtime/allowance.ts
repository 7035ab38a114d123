/** A token bucket: so many a second, so many at once. */
export class Allowance {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #countedAtMs: number;

  constructor({ perSecond, burst }: { perSecond: number; burst: number }, nowMs = performance.now()) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
    this.#countedAtMs = nowMs;
  }

  /** Takes one; false when none is left. */
  take(nowMs = performance.now()): boolean {
    this.#refill(nowMs);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** True when nothing of it is missing. */
  isWhole(nowMs = performance.now()): boolean {
    this.#refill(nowMs);
    return this.#left === this.#burst;
  }

  #refill(nowMs: number): void {
    this.#left = Math.min(this.#burst, this.#left + ((nowMs - this.#countedAtMs) / 1_000) * this.#perSecond);
    this.#countedAtMs = nowMs;
  }
}
