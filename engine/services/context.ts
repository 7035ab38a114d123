/** What every use case is given. `main` makes one per process; tests make one per test. */
import type { Logger } from "pino";
import type { Signer } from "../../wallets/signer.ts";
import type { Chain } from "../chain/client.ts";
import type { GameClocks } from "../core/game.ts";
import type { ConfirmationTier, ExposureCaps } from "../core/tiers.ts";
import type { Pool } from "../db/pool.ts";

/** The rules that configuration sets. Amounts are base units, addresses lower case. */
export interface Settings {
  chainId: 8453;
  chainIsLocal: boolean;
  explorerUrl: string;
  /** Where the browser finds us, such as `https://rail.example`; sign-in messages name it. */
  publicOrigin: string;
  houseAddress: string;
  /** The house's cut of a pot, in hundredths of a percent. */
  rakeBps: number;
  clocks: GameClocks;
  /** Per token: from which amount on a deposit waits how long. */
  tiers: ReadonlyMap<string, readonly ConfirmationTier[]>;
  /** Per token: how much may be played with before it is final. */
  exposureCaps: ReadonlyMap<string, ExposureCaps>;
  /** Per token: a collection waits until it holds as much, unless the vault runs short. */
  collectMinimum: ReadonlyMap<string, bigint>;
  /** Per token: the most that the signer lets out in one payment. */
  withdrawalLimit: ReadonlyMap<string, bigint>;
  /** Per token: an operator's act above it needs a second operator. */
  approvalLimit: ReadonlyMap<string, bigint>;
  /** Wallets whose players are operators. */
  operatorAddresses: ReadonlySet<string>;
  /** Whether one transaction of the gas wallet pays all that a wallet owes at the same time, or each wallet pays by itself. */
  payouts: "batch" | "plain";
  /** The highest gas price that we pay, wei. */
  maxFeePerGasWei: bigint;
  /** How often the chain is polled, and how soon what was sent is looked at, sent again and given a higher fee. */
  pollIntervalMs: number;
  sendIntervalMs: number;
  confirmAfterMs: number;
  resendAfterMs: number;
  stuckAfterMs: number;
  termsVersion: string;
  /** Factories whose smart wallets may sign in before they are deployed; absent: those in `wallet-factories.ts`. */
  walletFactories?: readonly string[];
}

/** Between two writes, or a write and an act: where a process that dies leaves the most to its successor. */
export type Step =
  /** A game is settled because its clock ran out; nothing of it is prepared. */
  | "settled"
  /** Nonces are spent; nothing is signed. */
  | "prepared"
  /** Bytes are signed; they aren't stored. */
  | "signed"
  /** Bytes are stored; no node has them. */
  | "stored"
  /** A node was given them; that isn't written down. */
  | "given"
  /** A receipt was read; that isn't written down. */
  | "found";

export interface Context {
  pool: Pool;
  chain: Chain;
  signer: Signer;
  settings: Settings;
  log: Logger;
  /** Milliseconds since 1970. Rules take the time from here, never from the database. */
  clock: () => number;
  /** Says that events were committed, so that the relay needn't wait for its next look. Never throws. */
  nudge: () => void;
  /** Called where a step ends. Does nothing, but for tests that let the process die there. */
  reached: (step: Step) => void;
}

/** The newest lease's number; work under an older one is refused. */
export interface Leadership {
  fence: number;
}
