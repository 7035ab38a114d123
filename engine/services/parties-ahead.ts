/** Whom a block's transfers concern, read while the block is on its way. */
import type { Sighting } from "../chain/types.ts";
import type { Pool } from "../db/pool.ts";
import { findParties, type Parties } from "./parties.ts";

/** Of one block; what is beyond is read when the block is here. */
const mostSightings = 1_000;

/**
 * A WebSocket tells of a block's transfers about when it announces the block. What was read for a sighting is used only
 * for a transfer that says the same, and only for the next block: a hint that is wrong or missing costs time, no more.
 */
export class PartiesAhead {
  readonly #pool: Pool;
  #sightings: Sighting[] = [];
  #reads: { sightings: ReadonlySet<string>; parties: Promise<Parties | null> }[] = [];
  #count = 0;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Those that come together are read together. */
  note(sighting: Sighting): void {
    this.#count += 1;
    if (this.#count > mostSightings) return;
    this.#sightings.push(sighting);
    if (this.#sightings.length === 1) setImmediate(() => this.#read());
  }

  /** For the next block, whatever it is; null when something of it wasn't read ahead. */
  async take(transfers: readonly Sighting[]): Promise<Parties | null> {
    const reads = this.#reads;
    [this.#reads, this.#sightings, this.#count] = [[], [], 0];
    const isRead = (transfer: Sighting): boolean =>
      reads.some(({ sightings }) => sightings.has(textOf(transfer)));
    if (transfers.length === 0 || !transfers.every(isRead)) return null;
    const found = await Promise.all(reads.map(({ parties }) => parties));
    return found.reduce(merge);
  }

  #read(): void {
    const sightings = this.#sightings.splice(0);
    if (sightings.length === 0) return;
    const parties = findParties(this.#pool, sightings).catch(() => null); // It is read again, and fails there.
    this.#reads.push({ sightings: new Set(sightings.map(textOf)), parties });
  }
}

const textOf = ({ from, to, txHash }: Sighting): string => `${from} ${to} ${txHash}`;

const merge = (one: Parties | null, other: Parties | null): Parties | null =>
  one === null || other === null
    ? null
    : {
        wallets: new Map([...one.wallets, ...other.wallets]),
        owners: new Map([...one.owners, ...other.owners]),
        attempts: new Map([...one.attempts, ...other.attempts]),
      };
