/** The signer's eyes: what it may read of the database. */
import DataLoader from "dataloader";
import type { SignerOptions } from "../../wallets/signer.ts";
import type { Pool } from "../db/pool.ts";
import { readCommittedInstructions, readSignedSince } from "../db/signing.ts";
import { findWallets } from "../db/wallets.ts";

const hourMs = 3_600_000;

/** Ports of the signer over a database. */
export function signerPorts(
  pool: Pool,
  clock: () => number,
): Pick<SignerOptions, "readInstruction" | "findWallet" | "readSigned"> {
  // Those of a batch are asked for at the same moment: one statement answers them all, and nothing is remembered.
  const instructions = new DataLoader(
    async (ids: readonly string[]) => {
      const committed = await readCommittedInstructions(pool, ids);
      return ids.map((id) => committed.get(id) ?? null);
    },
    { cache: false },
  );
  const wallets = new DataLoader(
    async (addresses: readonly string[]) => {
      const found = await findWallets(pool, [...new Set(addresses)]);
      return addresses.map((address) => found.get(address) ?? null);
    },
    { cache: false },
  );
  return {
    readInstruction: (instructionId) => instructions.load(instructionId),
    findWallet: async (address) => {
      const wallet = await wallets.load(address);
      return wallet === null ? null : { purpose: wallet.purpose, index: wallet.derivation_index };
    },
    readSigned: () => readSignedSince(pool, new Date(clock() - hourMs)),
  };
}
