/** The signer's eyes: what it may read of the database. */
import type { SignerOptions } from "../../wallets/signer.ts";
import type { Pool } from "../db/pool.ts";
import { readCommittedInstruction, readSignedSince } from "../db/signing.ts";
import { findWallets } from "../db/wallets.ts";

const hourMs = 3_600_000;

/** Ports of the signer over a database; `signedBefore` is read now. */
export async function signerPorts(
  pool: Pool,
  nowMs: number,
): Promise<Pick<SignerOptions, "readInstruction" | "findWallet" | "signedBefore">> {
  return {
    readInstruction: (instructionId) => readCommittedInstruction(pool, instructionId),
    findWallet: async (address) => {
      const wallet = (await findWallets(pool, [address])).get(address);
      return wallet === undefined ? null : { purpose: wallet.purpose, index: wallet.derivation_index };
    },
    signedBefore: await readSignedSince(pool, new Date(nowMs - hourMs)),
  };
}
