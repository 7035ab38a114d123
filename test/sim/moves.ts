/** What people do, one thing after the other; each request goes to the engine's API process, which may die of it. */
import type { Result } from "../../engine/contract/problems.ts";
import type { Context } from "../../engine/services/context.ts";
import * as games from "../../engine/services/games.ts";
import { retryInstruction } from "../../engine/services/instruction-list.ts";
import { liftBreach } from "../../engine/services/overview.ts";
import { changeMe } from "../../engine/services/players.ts";
import { accept, cancel, counter, decline, propose } from "../../engine/services/proposals.ts";
import { listSuspense, refundSuspense } from "../../engine/services/suspense.ts";
import { sweep } from "../../engine/services/sweep.ts";
import { thaw } from "../../engine/services/thawing.ts";
import type { Idempotency } from "../../engine/services/transaction.ts";
import { withdraw } from "../../engine/services/withdrawals.ts";
import type { Player, Wallet } from "./players.ts";
import { ProcessDiedError, type SimProcess } from "./sim-process.ts";
import { tokens, unitOf, type World } from "./world.ts";

type Outcome = "red" | "blue" | "draw" | "no_contest";

interface Offer {
  id: string;
  number: number;
  by: Player;
  to: Player | null;
}
interface Duel {
  id: string;
  number: number;
  red: Player;
  blue: Player;
  escrow: string;
  /** How it really ended: honest players report this. */
  truth: Outcome;
}

/** Breaches that a node alone can raise by a lie; any other stands until the end, and is found there. */
const ofLies = ["transfer denied", "stray transfer", "5. Every payout is ours and paid once"];
/** At first people bring money. */
const startingTicks = 12;

export class Moves {
  readonly #world: World;
  #api: SimProcess;
  #keys = 0;
  readonly #offers: Offer[] = [];
  readonly #duels: Duel[] = [];

  private constructor(world: World, api: SimProcess) {
    this.#world = world;
    this.#api = api;
  }

  static async begin(world: World): Promise<Moves> {
    return new Moves(world, await world.startProcess("api"));
  }

  get context(): Context {
    return this.#api.context;
  }

  async one(): Promise<void> {
    const move = this.#world.dice.weighted<() => Promise<void>>([
      [() => this.#deposit(), this.#world.tick < startingTicks ? 60 : 16],
      [() => this.#propose(), 18],
      [() => this.#answer(), 30],
      [() => this.#report(), 24],
      [() => this.#argue(), 2],
      [() => this.#judge(), 4],
      [() => this.withdrawSome(), 8],
      [() => this.#changeWinningsTo(), 2],
      [() => this.sweep(), 2],
      [() => this.#undo(), 1],
      [() => this.refundStrays(), 1],
    ]);
    this.#world.counts.moves += 1;
    await move();
  }

  /** A request, asked again with the same key when the process dies of it. */
  async #ask<Value>(
    what: string,
    request: (context: Context, key: (playerId: string) => Idempotency) => Promise<Result<Value>>,
  ): Promise<Value | null> {
    const world = this.#world;
    this.#keys += 1;
    const keyText = `simulation-${this.#keys}`;
    const key = (playerId: string): Idempotency => ({ playerId, key: keyText, request: what });
    world.turn += 1;
    // Apart, so that no two things are of the same moment.
    world.nowMs += 1;
    if (world.isRough && world.dice.chance(world.rates.requestDeaths)) {
      const when = world.dice.pick(["before", "after"] as const);
      this.#api.arm({ at: "commit", when, nth: 1 });
    }
    for (;;) {
      const result = await request(this.#api.context, key).catch((error: unknown) => {
        if (this.#api.isDead) return new ProcessDiedError();
        throw error;
      });
      await this.#api.quiet();
      if (!(result instanceof ProcessDiedError)) {
        world.say(`${what}: ${result.ok ? "ok" : result.rejection.code}`);
        return result.ok ? result.value : null;
      }
      world.say(`${what}: the API dies, and is asked again`);
      await world.endProcess(this.#api);
      this.#api = await world.startProcess("api");
      world.counts.restarts += 1;
    }
  }

  async #deposit(): Promise<void> {
    const { dice, players, stranger } = this.#world;
    const player = dice.pick(players);
    const [vault] = await this.#world.rows<{ address: string }>(
      "SELECT address FROM wallet WHERE purpose = 'vault'",
    );
    const escrow = this.#duels.length === 0 ? player.depositAddress : dice.pick(this.#duels).escrow;
    const to = dice.weighted([
      [player.depositAddress, 12],
      [vault?.address ?? "", 3],
      [escrow, 1],
    ]);
    const from: Wallet = dice.chance(0.9) ? player : stranger;
    const { address: token, symbol } = dice.pick(tokens);
    const most = await this.#world.chain.balanceOf(token, from.address);
    if (most === 0n) return;
    const amount = this.#some({ upTo: most < 150n * unitOf(token) ? most : 150n * unitOf(token) });
    const sent = await from.transfer({ token, to, amount });
    await this.#world.chain.send(sent.raw);
    this.#world.counts.deposits += 1;
    this.#world.say(`${from.name} sends ${amount} ${symbol} to ${to}`);
  }

  /** Odd amounts, and now and then a single unit or all there is. */
  #some({ upTo }: { upTo: bigint }): bigint {
    const { dice } = this.#world;
    return dice.weighted([
      [dice.amount(1n, upTo), 18],
      [1n, 1],
      [upTo, 1],
    ]);
  }

  async #propose(): Promise<void> {
    const { dice, players } = this.#world;
    const by = dice.pick(players);
    const to = dice.chance(0.5) ? dice.pick(players.filter((player) => player !== by)) : null;
    const { address: token, symbol } = dice.pick(tokens);
    const [, takerStake] = this.#stakes(token);
    const free = await this.#freeOf(by, token);
    const proposerStake = free > 0n && dice.chance(0.9) ? this.#some({ upTo: free }) : takerStake;
    const others = players.filter((player) => player !== by && player !== to);
    const referee = dice.chance(0.3) && to !== null ? dice.pick(others) : null;
    const offer = {
      opponent: to === null ? null : { address: to.address },
      token,
      proposerStake,
      takerStake,
      terms: "First to 21.",
      lapseSeconds: dice.int(60, 7_200),
      expectedMinutes: dice.int(1, 120),
      ...(referee === null ? {} : { referee: referee.name.replace("-", "_") }),
    };
    const made = await this.#ask(
      `${by.name} offers ${proposerStake} to ${takerStake} ${symbol} to ${to?.name ?? "anybody"}`,
      (context, key) => propose(context, { ...offer, by: by.id, idempotency: key(by.id) }),
    );
    if (made !== null) this.#remember(made.id, by, to);
  }

  #stakes(token: string): [bigint, bigint] {
    const unit = unitOf(token);
    return [this.#some({ upTo: 40n * unit }), this.#some({ upTo: 40n * unit })];
  }

  /** Mostly one of those that the books call open, now and then any. */
  async #mostlyOpen<Item extends { id: string }>(items: readonly Item[], open: string): Promise<Item> {
    const ids = new Set((await this.#world.rows<{ id: string }>(open)).map(({ id }) => id));
    const standing = items.filter(({ id }) => ids.has(id));
    const { dice } = this.#world;
    return dice.pick(standing.length > 0 && dice.chance(0.9) ? standing : items);
  }

  #remember(id: string, by: Player, to: Player | null): void {
    this.#offers.push({ id, by, to, number: this.#offers.length + 1 });
  }

  async #answer(): Promise<void> {
    const { dice, players } = this.#world;
    if (this.#offers.length === 0) return;
    const offer = await this.#mostlyOpen(this.#offers, "SELECT id FROM proposal WHERE state = 'pending'");
    const by = dice.chance(0.9)
      ? (offer.to ?? dice.pick(players.filter((player) => player !== offer.by)))
      : dice.pick(players);
    const what = dice.weighted<"accept" | "counter" | "decline" | "cancel">([
      ["accept", 12],
      ["counter", 4],
      ["decline", 2],
      ["cancel", 2],
    ]);
    if (what === "accept") return this.#accept(offer, by);
    if (what === "counter") return this.#counter(offer, by);
    if (what === "decline") return this.#end(offer, by, { name: "declines", request: decline });
    return this.#end(offer, offer.by, { name: "cancels", request: cancel });
  }

  async #end(
    offer: Offer,
    by: Player,
    { name, request }: { name: string; request: typeof decline },
  ): Promise<void> {
    await this.#ask(`${by.name} ${name} offer ${offer.number}`, (context, key) =>
      request(context, { by: by.id, idempotency: key(by.id), proposalId: offer.id }),
    );
  }

  async #accept(offer: Offer, by: Player): Promise<void> {
    const taken = await this.#ask(`${by.name} takes offer ${offer.number}`, (context, key) =>
      accept(context, { by: by.id, idempotency: key(by.id), proposalId: offer.id }),
    );
    if (taken === null) return;
    const [escrow] = await this.#world.rows<{ address: string }>(
      "SELECT address FROM wallet WHERE game_id = $1",
      [taken.gameId],
    );
    this.#duels.push({
      id: taken.gameId,
      number: this.#duels.length + 1,
      red: offer.by,
      blue: by,
      escrow: escrow?.address ?? "",
      truth: this.#world.dice.weighted<Outcome>([
        ["red", 5],
        ["blue", 5],
        ["draw", 1],
        ["no_contest", 1],
      ]),
    });
    this.#world.counts.games += 1;
  }

  async #counter(offer: Offer, by: Player): Promise<void> {
    const [row] = await this.#world.rows<{ token: string }>("SELECT token FROM proposal WHERE id = $1", [
      offer.id,
    ]);
    const [proposerStake, takerStake] = this.#stakes(row?.token ?? "");
    const terms = { proposerStake, takerStake, terms: "First to 11.", lapseSeconds: 600 };
    const made = await this.#ask(
      `${by.name} counters offer ${offer.number} with ${proposerStake} to ${takerStake}`,
      (context, key) =>
        counter(context, { ...terms, by: by.id, idempotency: key(by.id), proposalId: offer.id }),
    );
    if (made !== null) this.#remember(made.id, by, offer.by);
  }

  async #report(): Promise<void> {
    const { dice } = this.#world;
    if (this.#duels.length === 0) return;
    const duel = await this.#mostlyOpen(this.#duels, "SELECT id FROM game WHERE deadline_at IS NOT NULL");
    const by = dice.pick([duel.red, duel.blue]);
    const own = by === duel.red ? "red" : "blue";
    const outcome = dice.chance(0.85) ? duel.truth : own;
    await this.#ask(`${by.name} reports ${outcome} of game ${duel.number}`, (context, key) =>
      games.report(context, { by: by.id, idempotency: key(by.id), gameId: duel.id, outcome }),
    );
  }

  async #argue(): Promise<void> {
    const { dice } = this.#world;
    if (this.#duels.length === 0) return;
    const duel = dice.pick(this.#duels);
    const by = dice.pick([duel.red, duel.blue]);
    await this.#ask(`${by.name} says something about game ${duel.number}`, (context) =>
      games.addEvidence(context, { by: by.id, gameId: duel.id, text: "I have it on film." }),
    );
  }

  /** The referee where there is one, else an operator; above the limit a second one. */
  async #judge(): Promise<void> {
    const { dice, operators } = this.#world;
    const disputed = await this.#world.rows<{ id: string; referee_id: string | null }>(
      "SELECT id, referee_id FROM game WHERE state = 'disputed' ORDER BY started_at",
    );
    if (disputed.length === 0) return;
    const { id: gameId, referee_id: refereeId } = dice.pick(disputed);
    const duel = this.#duels.find(({ id }) => id === gameId);
    const outcome = duel?.truth ?? "draw";
    const verdict = { gameId, outcome, reason: "As the film shows." };
    if (refereeId !== null) {
      await this.#ask(`the referee decides game ${duel?.number}: ${outcome}`, (context, key) =>
        games.decide(context, { ...verdict, by: refereeId, idempotency: key(refereeId) }),
      );
      return;
    }
    for (const operator of operators) {
      await this.#ask(`${operator.name} decides game ${duel?.number}: ${outcome}`, (context) =>
        games.decideAsOperator(context, { ...verdict, by: operator.id }),
      );
    }
  }

  async #undo(): Promise<void> {
    const { dice, operators } = this.#world;
    if (this.#duels.length === 0) return;
    const duel = dice.pick(this.#duels.slice(-3));
    for (const operator of operators) {
      await this.#ask(`${operator.name} takes back the settlement of game ${duel.number}`, (context) =>
        games.undo(context, { by: operator.id, gameId: duel.id, reason: "It was a mistake." }),
      );
    }
  }

  async #changeWinningsTo(): Promise<void> {
    const player = this.#world.dice.pick(this.#world.players);
    const winningsTo = this.#world.dice.pick(["pool", "wallet"] as const);
    await this.#ask(`${player.name} wants winnings in the ${winningsTo}`, (context) =>
      changeMe(context, player.id, { winningsTo }),
    );
  }

  async withdrawSome(): Promise<void> {
    const { dice, players } = this.#world;
    const player = dice.pick(players);
    const { address: token } = dice.pick(tokens);
    const free = await this.#freeOf(player, token);
    if (free > 0n) await this.#withdraw(player, token, this.#some({ upTo: free }));
  }

  /** Everybody takes out all that is free. */
  async withdrawAll(): Promise<void> {
    for (const player of [...this.#world.players, ...this.#world.operators])
      for (const { address: token } of tokens) {
        const free = await this.#freeOf(player, token);
        if (free > 0n) await this.#withdraw(player, token, free);
      }
  }

  async #freeOf(player: Player, token: string): Promise<bigint> {
    const [row] = await this.#world.rows<{ balance: string }>(
      "SELECT balance FROM account WHERE kind = 'player.available' AND player_id = $1 AND token = $2",
      [player.id, token],
    );
    return BigInt(row?.balance ?? 0);
  }

  async #withdraw(player: Player, token: string, amount: bigint): Promise<void> {
    const { address } = player;
    await this.#ask(`${player.name} withdraws ${amount}`, (context, key) =>
      withdraw(context, { by: player.id, token, amount, address, idempotency: key(player.id) }),
    );
  }

  async sweep(): Promise<void> {
    const [operator] = this.#world.operators;
    if (operator === undefined) return;
    const by = { playerId: operator.id, handle: operator.name };
    for (const { address: token, symbol } of tokens) {
      const plan = await this.#ask(`${operator.name} looks what ${symbol} can be swept`, (context) =>
        sweep(context, { by, token, dryRun: true }),
      );
      const confirmTotal = BigInt(plan?.total.amount ?? 0);
      if (confirmTotal === 0n) continue;
      await this.#ask(`${operator.name} sweeps ${confirmTotal} ${symbol}`, (context) =>
        sweep(context, { by, token, dryRun: false, confirmTotal }),
      );
    }
  }

  /** Has parked transfers tried again: a reorg may have put a payout before the collection that it was to be paid from. */
  async retryParked(): Promise<void> {
    const [operator] = this.#world.operators;
    if (operator === undefined) return;
    const by = { playerId: operator.id, handle: operator.name };
    const parked = await this.#world.rows<{ id: string; note: string }>(
      "SELECT id, note FROM instruction WHERE state = 'parked' AND note IS NOT NULL ORDER BY id",
    );
    for (const { id: instructionId, note } of parked) {
      this.#world.counts.parked += 1;
      await this.#ask(`${operator.name} has ${instructionId} tried again, parked as ${note}`, (context) =>
        retryInstruction(context, { by, instructionId, reason: "It was the chain's doing." }),
      );
    }
  }

  /** A lie of a node may have stopped what leaves: when the node is mended, an operator looks, and lets it go on. */
  async afterLies(): Promise<void> {
    const [operator] = this.#world.operators;
    if (operator === undefined || this.#world.counts.spells === 0 || this.#world.spell !== null) return;
    const by = { playerId: operator.id, handle: operator.name };
    const reason = "A node had told wrongly, and is mended.";
    const breaches = await this.#world.rows<{ id: string; invariant: string; detail: string }>(
      "SELECT id, invariant, detail FROM breach WHERE lifted_at IS NULL AND invariant = ANY($1) ORDER BY id",
      [ofLies],
    );
    for (const { id: breachId, invariant, detail } of breaches) {
      this.#world.counts.lifted += 1;
      await this.#ask(`${operator.name} lifts a breach: ${invariant}: ${detail}`, (context) =>
        liftBreach(context, { by, breachId, reason }),
      );
    }
    const frozen = await this.#world.rows<{ id: string; address: string }>(
      "SELECT id, address FROM wallet WHERE frozen_reason IS NOT NULL ORDER BY id",
    );
    for (const { id: walletId, address } of frozen)
      await this.#ask(`${operator.name} thaws ${address}`, (context) =>
        thaw(context, { by, walletId, reason }),
      );
  }

  /** Sends back what nobody can be credited for. */
  async refundStrays(): Promise<void> {
    const listed = await listSuspense(this.#api.context);
    if (!listed.ok) return;
    for (const { id, state } of listed.value.items) {
      if (state !== "open") continue;
      for (const operator of this.#world.operators)
        await this.#ask(`${operator.name} sends stray deposit ${id} back`, (context) =>
          refundSuspense(context, {
            by: { playerId: operator.id, handle: operator.name },
            depositId: id,
            reason: "Nobody's.",
          }),
        );
    }
  }
}
