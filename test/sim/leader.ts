/** The process that does the chain's work, let work piece by piece; it dies, stands still and is followed by others. */

import { runReconciliation } from "../../engine/services/books.ts";
import { confirmRound } from "../../engine/services/confirming.ts";
import { runDueDeadlines } from "../../engine/services/deadlines.ts";
import { checkNonces } from "../../engine/services/foreign-nonces.ts";
import { noteProviders } from "../../engine/services/providers.ts";
import { recoverRound } from "../../engine/services/recovery.ts";
import { sendRound } from "../../engine/services/sending.ts";
import { claimOwnedSuspense } from "../../engine/services/suspense.ts";
import { watchTokens } from "../../engine/services/token-watch.ts";
import { ensureSpareWallets } from "../../engine/services/wallets.ts";
import type { Death, SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

const pieces: Record<string, (process: SimProcess) => Promise<unknown>> = {
  watch: (process) => process.watch(),
  agree: (process) => process.agree(),
  deadlines: ({ context }) => runDueDeadlines(context, { limit: 100 }),
  send: ({ context, fence }) => sendRound(context, { fence }),
  confirm: ({ context }) => confirmRound(context),
  nonces: ({ context }) => checkNonces(context),
  wallets: async ({ context }) => {
    await ensureSpareWallets(context, "escrow", 3);
    await ensureSpareWallets(context, "deposit", 1);
  },
  suspense: ({ context }) => claimOwnedSuspense(context),
  tokens: ({ context }) => watchTokens(context),
  providers: ({ context }) => noteProviders(context),
  recovery: ({ context }) => recoverRound(context),
};
type Piece = keyof typeof pieces;
/** Not done with each block, nor is the check of the books, which reads all of them. */
const seldom: Piece[] = ["nonces", "wallets", "suspense", "tokens", "providers", "recovery"];
const order: Piece[] = ["watch", "agree", "deadlines", "send", "confirm", ...seldom];
const ticksPerSeldom = 5;
const ticksPerCheck = 15;
/** The number of the invariant. */
const payoutsAreOurs = 5;
/** How it says of a transfer, by amount and transaction, that nothing asked for it. */
const leftWallet = /(\d+) of 0x[0-9a-f]{40} left wallet 0x[0-9a-f]{40} in (0x[0-9a-f]{64})/g;

export class Leader {
  readonly #world: World;
  #process: SimProcess;

  private constructor(world: World, process: SimProcess) {
    this.#world = world;
    this.#process = process;
  }

  static async begin(world: World): Promise<Leader> {
    return new Leader(world, await world.startLeader());
  }

  get process(): SimProcess {
    return this.#process;
  }

  /** One block's work, with what the seed has in store for it. */
  async work(): Promise<void> {
    const { dice, rates, isRough } = this.#world;
    const dies = isRough && dice.chance(rates.restarts);
    const stalls = isRough && dice.chance(rates.stalls);
    const at = dice.int(0, order.length - 1);
    const isTurnOfAll = this.#world.tick % ticksPerSeldom === 0;
    for (const [index, piece] of order.entries()) {
      if (index !== at && !isTurnOfAll && seldom.includes(piece)) continue;
      if (stalls && index === at) await this.#overtaken(piece);
      else await this.#do(piece, dies && index === at ? this.#drawDeath() : null);
    }
    if (dies && !this.#process.isDead) await this.#replace("between its pieces of work");
    if (this.#world.tick % ticksPerCheck === 0) await this.#checkBooks();
  }

  #drawDeath(): Death {
    const { dice } = this.#world;
    return {
      at: dice.pick(["commit", "broadcast"]),
      when: dice.pick(["before", "after"]),
      nth: dice.int(1, 3),
    };
  }

  async #do(piece: Piece, death: Death | null): Promise<void> {
    const process = this.#process;
    process.arm(death);
    await this.#attempt(process, piece);
    process.arm(null);
    if (process.isDead && death !== null)
      await this.#replace(`in ${piece}, ${death.when} ${death.at} ${death.nth}`);
  }

  /** What goes wrong is left for the next round, as the loops of the workers do. */
  async #attempt(process: SimProcess, piece: Piece): Promise<void> {
    this.#world.turn += 1;
    this.#world.nowMs += 1;
    const work = pieces[piece];
    try {
      await work?.(process);
    } catch (error) {
      if (!process.isDead) this.#world.say(`${piece} fails: ${nameOf(error)}`);
    }
    await process.quiet();
  }

  async #replace(where: string): Promise<void> {
    const world = this.#world;
    world.say(`the leader dies ${where}`);
    world.counts.restarts += 1;
    await this.#process.die();
    await world.endProcess(this.#process);
    // Nobody leads for a while.
    for (let blocks = world.dice.pick([0, 0, 1, 4]); blocks > 0; blocks -= 1) await world.mine();
    this.#process = await world.startLeader();
  }

  /** It stands still in its work until another has taken the lead and done the same, and then goes on. */
  async #overtaken(piece: Piece): Promise<void> {
    const world = this.#world;
    const old = this.#process;
    let goOn: () => void = () => undefined;
    const reached = old.standStill(
      new Promise((resolve) => {
        goOn = resolve;
      }),
    );
    old.arm(null);
    const done = this.#attempt(old, piece);
    const isStanding = await Promise.race([reached.then(() => true), done.then(() => false)]);
    world.say(`the leader ${isStanding ? "stands still" : "is overtaken"} in ${piece}`);
    world.counts.stalls += 1;
    this.#process = await world.startLeader();
    for (const each of order) await this.#do(each, null);
    goOn();
    await done;
    await this.#attempt(old, "send");
    await world.endProcess(old);
  }

  async #checkBooks(): Promise<void> {
    this.#process.arm(null);
    this.#world.turn += 1;
    const broken = (await runReconciliation(this.#process.context)).filter(({ ok }) => !ok);
    await this.#process.quiet();
    for (const { number, name, detail } of broken) {
      if (number === payoutsAreOurs && (await this.#isMadeUp(detail))) continue;
      this.#world.say(`the books are wrong: ${number}. ${name}`);
      throw new Error(`invariant ${number} doesn't hold (${name}): ${detail}`);
    }
  }

  /**
   * What one node told is in the books until its block would be final: of a transaction that nobody ever sent, or another
   * amount than one of ours has moved.
   */
  async #isMadeUp(detail: string | null): Promise<boolean> {
    const { chain, counts } = this.#world;
    const hashes = detail?.match(/0x[0-9a-f]{64}/g) ?? [];
    const sent = hashes.filter((hash) => chain.wasSent(hash));
    // Without a liar, or beyond reorg, another amount is our own mistake.
    if (sent.length > 0 && (counts.spells === 0 || (await this.#isAnyFinal(sent)))) return false;
    const told = [...(detail ?? "").matchAll(leftWallet)];
    for (const hash of sent) {
      const amounts = await chain.amountsMovedIn(hash);
      const ofIt = told.filter((one) => one[2] === hash);
      if (amounts.length === 0 || ofIt.length === 0) return false;
      if (ofIt.some(([, amount]) => amounts.includes(BigInt(amount ?? 0)))) return false;
    }
    return hashes.length > 0;
  }

  async #isAnyFinal(hashes: string[]): Promise<boolean> {
    const final = await this.#world.rows(
      "SELECT FROM chain_log, chain_cursor WHERE canonical AND tx_hash = ANY($1) AND block_number <= finalized_number",
      [hashes],
    );
    return final.length > 0;
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error));
