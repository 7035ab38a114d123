/** What all sockets of one client's network may do together; it outlives each of them. */
import { networkOf } from "../services/client-network.ts";
import { Allowance } from "./allowance.ts";

export interface Visitor {
  open: number;
  /** What they may ask in all; connecting counts too, so that coming back doesn't renew it. */
  readonly allowance: Allowance;
}

/** With so many sockets as one network may have, each may ask once a second, and ten times at once. */
const burstPerSocket = 10;

export class Visitors {
  readonly #known = new Map<string, Visitor>();
  readonly #maxSockets: number;

  constructor(maxSockets: number) {
    this.#maxSockets = maxSockets;
  }

  /** Counts a new socket; null when its network has too many, or asks too much. */
  enter(address: string): Visitor | null {
    const network = networkOf(address);
    const visitor = this.#known.get(network) ?? this.#newVisitor();
    this.#known.set(network, visitor);
    if (visitor.open >= this.#maxSockets || !visitor.allowance.take()) return null;
    visitor.open += 1;
    return visitor;
  }

  leave(visitor: Visitor): void {
    visitor.open -= 1;
  }

  /** Drops those that left and whose allowance is whole again. */
  forget(): void {
    for (const [network, { open, allowance }] of this.#known)
      if (open === 0 && allowance.isWhole()) this.#known.delete(network);
  }

  #newVisitor(): Visitor {
    const allowance = new Allowance({
      perSecond: this.#maxSockets,
      burst: this.#maxSockets * burstPerSocket,
    });
    return { open: 0, allowance };
  }
}
