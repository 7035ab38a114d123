/** Transactions as the chain holds them, rebuilt to the very bytes that were signed. */
import {
  type Hex,
  keccak256,
  recoverTransactionAddress,
  serializeTransaction,
  type TransactionSerializableEIP1559,
} from "viem";
import { z } from "zod";
import { readNonce } from "./balances.ts";
import type { Chain, Shape } from "./client.ts";
import { InconsistentAnswerError, NotThereError } from "./errors.ts";
import { bytes, hash, hex, quantity } from "./shapes.ts";

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text.toLowerCase());
const answered = z.object({
  hash,
  type: z.literal("0x2"),
  chainId: quantity,
  from: address,
  to: address,
  nonce: quantity,
  value: quantity,
  gas: quantity,
  maxFeePerGas: quantity,
  maxPriorityFeePerGas: quantity,
  input: bytes,
  accessList: z.array(z.unknown()).max(0),
  r: quantity,
  s: quantity,
  // For this type the two say the same; some nodes leave one out.
  yParity: quantity.optional(),
  v: quantity.optional(),
});

/** One of ours is of the ordinary type, with an empty access list; addresses and data are lower case. */
export interface SignedTransaction {
  hash: string;
  raw: string;
  from: string;
  to: string;
  nonce: bigint;
  value: bigint;
  data: string;
  gasLimit: bigint;
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
}

const listed = z.object({ hash, from: address, nonce: quantity }).loose();

/**
 * The signed transaction of a hash; null when it is none of the form that we sign. Its bytes hash to the hash, and its
 * signature is the sender's: a node can't make one up.
 * @throws NotThereError when no node has it; InconsistentAnswerError when one answers something else
 */
export async function readTransaction(chain: Chain, wanted: string): Promise<SignedTransaction | null> {
  const answer = await chain.ask("eth_getTransactionByHash", [wanted], there);
  const parsed = answered.safeParse(answer);
  if (!parsed.success) return null;
  const { r, s, yParity, v, input, gas, to, chainId, nonce, ...rest } = parsed.data;
  const raw = serializeTransaction(
    {
      ...{ type: "eip1559", chainId: Number(chainId), nonce: Number(nonce), to: to as Hex, gas },
      ...{ value: rest.value, data: input as Hex, accessList: [] },
      ...{ maxFeePerGas: rest.maxFeePerGas, maxPriorityFeePerGas: rest.maxPriorityFeePerGas },
    } satisfies TransactionSerializableEIP1559,
    { r: word(r), s: word(s), yParity: Number(yParity ?? v ?? 0n) },
  );
  const signer = await recoverTransactionAddress({ serializedTransaction: raw });
  if (keccak256(raw) !== wanted || signer.toLowerCase() !== rest.from)
    throw new InconsistentAnswerError(`a node answered something else for the transaction ${wanted}`);
  return {
    ...{ hash: wanted, raw, from: rest.from, to, nonce, value: rest.value, data: input.toLowerCase() },
    ...{ gasLimit: gas, maxFeePerGas: rest.maxFeePerGas, maxPriorityFeePerGas: rest.maxPriorityFeePerGas },
  };
}

/** A node that doesn't have it (yet) is passed over. */
const there: Shape<object> = {
  parse(answer) {
    if (answer === null) throw new NotThereError("no such transaction");
    return z.looseObject({}).parse(answer);
  },
};

const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, "0")}`;

/**
 * The hash of the transaction with which an address spent a nonce. The block is found by halving the range, between
 * whose ends the nonce was spent; null when none in it did (an authorisation spends a nonce as well).
 */
export async function findSpender(
  chain: Chain,
  { address: from, nonce, after, upTo }: { address: string; nonce: bigint; after: bigint; upTo: bigint },
): Promise<string | null> {
  let [low, high] = [after, upTo];
  if ((await readNonce(chain, from, high)) <= nonce) return null;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if ((await readNonce(chain, from, middle)) > nonce) high = middle;
    else low = middle;
  }
  const block = z.object({ number: quantity, transactions: z.array(listed) });
  const { transactions } = await chain.ask("eth_getBlockByNumber", [hex(high), true], block);
  return transactions.find((one) => one.from === from && one.nonce === nonce)?.hash ?? null;
}

/** The next nonce of an address with what waits in the mempools, by the node that knows most of it; all must answer. */
export async function readPendingNonce(chain: Chain, from: string): Promise<bigint> {
  const said = await Promise.all(
    chain.providers.map((provider) => provider.ask("eth_getTransactionCount", [from, "pending"], quantity)),
  );
  return said.reduce((most, each) => (each > most ? each : most), 0n);
}
