/** The only way to a signature: what the engine sees of the keys. */
import type { WalletRef } from "./derivation.ts";
import type { SignedPayload } from "./history.ts";
import type { BatchSignRequest, CommittedInstruction, SignRequest } from "./instruction.ts";
import { KeyringSigner } from "./keyring-signer.ts";
import type { TokenRule } from "./limits.ts";
import { assertSeedAllowed, type Seed } from "./seed.ts";
import type { SignedTransaction } from "./transaction.ts";

export type { BatchSignRequest, CommittedInstruction, SignedTransaction, SignRequest };

/** What the engine knows of the keys. Plain data in and out, so that the keys can live in another process. */
export interface Signer {
  /** False where nothing can be derived or signed. */
  readonly holdsKeys: boolean;
  /** The lower-case address of one of our wallets. Commit its row first: then the backup always covers it. */
  addressOf(wallet: WalletRef): Promise<string>;
  /**
   * Signs one attempt of a committed instruction.
   * @throws SigningRefusedError when the policy refuses; its `code` is stable, `retriable` says whether waiting helps
   */
  sign(request: SignRequest): Promise<SignedTransaction>;
  /**
   * Signs one attempt of the gas wallet's transaction that has a wallet pay several committed instructions of one token,
   * all or none, and with it, where asked, that wallet's authorisation of the executor.
   * @throws SigningRefusedError as `sign`; its `instructionId` says which of them is refused
   */
  signBatch(request: BatchSignRequest): Promise<SignedTransaction>;
  /** Refuses every signature from now on, those being prepared included. */
  pause(reason: string): void;
  resume(): void;
}

export interface SignerOptions {
  seed: Seed;
  /** The chain that the engine runs on; any but 8453 has every request refused. */
  chainId: number;
  /** True only for a chain on this machine: published seeds are refused elsewhere. */
  chainIsLocal: boolean;
  tokens: readonly TokenRule[];
  /** Where sweeps go, lower case. */
  houseWallet: string;
  /** Reads an instruction as committed, or null. */
  readInstruction(instructionId: string): Promise<CommittedInstruction | null>;
  /** Which of our wallets has this address, or null for none. An answer counts only when the seed derives it. */
  findWallet(address: string): Promise<WalletRef | null>;
  maxFeeWei?: bigint | undefined;
  maxTopupWei?: bigint | undefined;
  /**
   * What was signed within the last hour, by any process, oldest first: neither a restart nor a second process has limits
   * of its own. It is as true as whoever writes it: it takes room, and gives none.
   */
  readSigned?: (() => Promise<readonly SignedPayload[]>) | undefined;
  /** Milliseconds since the epoch. */
  now?: (() => number) | undefined;
}

/** @throws SeedError `published` when a known seed meets a chain that isn't local */
export function createSigner(options: SignerOptions): Signer {
  assertSeedAllowed(options);
  return new KeyringSigner(options);
}
