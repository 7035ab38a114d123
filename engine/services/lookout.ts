/** What can be known of a block, read while the block is on its way. */
import type { Sighting } from "../chain/types.ts";
import type { Pool } from "../db/pool.ts";
import { type Foresight, readForesight } from "./foresight.ts";

/** Of one block; what is beyond is read when the block is here. */
const mostSightings = 1_000;
const mostReads = 8;
/** What was read longer ago counts no more. */
const freshForMs = 5_000;

interface Read {
  atMs: number;
  sightings: ReadonlySet<string>;
  foresight: Promise<Foresight | null>;
}

/**
 * A WebSocket tells of a block's transfers about when it announces the block. What was read for a sighting is used only
 * for a transfer that says the same, and only for the next block: a hint that is wrong or missing costs time, no more.
 * One reading at a time, so that many hints don't take the database from others.
 */
export class Lookout {
  readonly #pool: Pool;
  #sightings: Sighting[] = [];
  #reads: Read[] = [];
  #count = 0;
  #isReading = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Those that come together, or while others are read, are read together. */
  note(sighting: Sighting): void {
    this.#count += 1;
    if (this.#count > mostSightings) return;
    this.#sightings.push(sighting);
    if (this.#sightings.length === 1) process.nextTick(() => this.#read());
  }

  /** For the next block, whatever it is; null when something of it wasn't read ahead. */
  async take(transfers: readonly Sighting[]): Promise<Foresight | null> {
    const reads = this.#reads.filter(({ atMs }) => performance.now() - atMs < freshForMs);
    [this.#reads, this.#sightings, this.#count] = [[], [], 0];
    const wanted = new Set<Read>();
    for (const transfer of transfers) {
      const read = reads.find(({ sightings }) => sightings.has(textOf(transfer)));
      if (read === undefined) return null;
      wanted.add(read);
    }
    if (wanted.size === 0) return null;
    const found = await Promise.all(
      reads.filter((read) => wanted.has(read)).map(({ foresight }) => foresight),
    );
    return found.reduce(merge);
  }

  #read(): void {
    if (this.#isReading || this.#sightings.length === 0 || this.#reads.length >= mostReads) return;
    const sightings = this.#sightings.splice(0);
    this.#isReading = true;
    const foresight = readForesight(this.#pool, sightings)
      .catch(() => null) // It is read again with the block, and fails there.
      .finally(() => {
        this.#isReading = false;
        this.#read();
      });
    this.#reads.push({ atMs: performance.now(), sightings: new Set(sightings.map(textOf)), foresight });
  }
}

const textOf = ({ from, to, txHash }: Sighting): string => `${from} ${to} ${txHash}`;

/** The later outlook counts. */
const merge = (one: Foresight | null, other: Foresight | null): Foresight | null =>
  one === null || other === null
    ? null
    : {
        parties: {
          wallets: new Map([...one.parties.wallets, ...other.parties.wallets]),
          owners: new Map([...one.parties.owners, ...other.parties.owners]),
          attempts: new Map([...one.parties.attempts, ...other.parties.attempts]),
        },
        outlook: { ...other.outlook, ids: [...one.outlook.ids, ...other.outlook.ids] },
      };
