/** Transactions as the chain holds them, rebuilt to the very bytes that were signed. */
import {
  type Hex,
  keccak256,
  recoverTransactionAddress,
  serializeTransaction,
  type TransactionSerializableEIP1559,
  type TransactionSerializableEIP7702,
} from "viem";
import { recoverAuthorizationAddress } from "viem/utils";
import { z } from "zod";
import { readNonce } from "./balances.ts";
import type { Chain, Shape } from "./client.ts";
import { InconsistentAnswerError, NotThereError } from "./errors.ts";
import { bytes, hash, hex, quantity } from "./shapes.ts";

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text.toLowerCase());
const authorization = z.object({
  chainId: quantity,
  address,
  nonce: quantity,
  r: quantity,
  s: quantity,
  yParity: quantity,
});
const anyType = z.object({
  hash,
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
const answered = z.discriminatedUnion("type", [
  anyType.extend({ type: z.literal("0x2") }),
  anyType.extend({ type: z.literal("0x4"), authorizationList: z.array(authorization) }),
]);

/** What an account has signed so that it runs a contract's code (EIP-7702). It spends a nonce of that account. */
export interface Authorisation {
  /** Who signed it. */
  authority: string;
  chainId: bigint;
  contract: string;
  nonce: bigint;
}

/** One of ours is of the ordinary type or takes an authorisation along, with an empty access list; addresses and data are lower case. */
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
  authorisations: Authorisation[];
}

const listed = z
  .object({ hash, from: address, nonce: quantity, authorizationList: z.array(authorization).optional() })
  .loose();
const listing = z.object({ number: quantity, transactions: z.array(listed) });

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
  const authorizationList = rest.type === "0x4" ? rest.authorizationList : [];
  const common = {
    ...{ chainId: Number(chainId), nonce: Number(nonce), to: to as Hex, gas },
    ...{ value: rest.value, data: input as Hex, accessList: [] },
    ...{ maxFeePerGas: rest.maxFeePerGas, maxPriorityFeePerGas: rest.maxPriorityFeePerGas },
  };
  const raw = serializeTransaction(
    rest.type === "0x4"
      ? ({
          ...{ ...common, type: "eip7702", authorizationList: authorizationList.map(signedAuthorization) },
        } satisfies TransactionSerializableEIP7702)
      : ({ ...common, type: "eip1559" } satisfies TransactionSerializableEIP1559),
    { r: word(r), s: word(s), yParity: Number(yParity ?? v ?? 0n) },
  );
  const signer = await recoverTransactionAddress({ serializedTransaction: raw });
  if (keccak256(raw) !== wanted || signer.toLowerCase() !== rest.from)
    throw new InconsistentAnswerError(`a node answered something else for the transaction ${wanted}`);
  return {
    ...{ hash: wanted, raw, from: rest.from, to, nonce, value: rest.value, data: input.toLowerCase() },
    ...{ gasLimit: gas, maxFeePerGas: rest.maxFeePerGas, maxPriorityFeePerGas: rest.maxPriorityFeePerGas },
    authorisations: await Promise.all(authorizationList.map(authorisationOf)),
  };
}

type Listed = z.output<typeof authorization>;
const signedAuthorization = ({ chainId, address: contract, nonce, r, s, yParity }: Listed) => ({
  ...{ chainId: Number(chainId), address: contract as Hex, nonce: Number(nonce) },
  ...{ r: word(r), s: word(s), yParity: Number(yParity) },
});

/** Anybody may take a malformed one along: it authorises nothing, and its authority is nobody. */
async function authorisationOf(one: Listed): Promise<Authorisation> {
  const { chainId, address: contract, nonce } = one;
  const authority = await recoverAuthorizationAddress({ authorization: signedAuthorization(one) }).catch(
    () => "",
  );
  return { authority: authority.toLowerCase(), chainId, contract, nonce };
}

const anything = z.looseObject({});
/** A node that doesn't have it (yet) is passed over. */
const there: Shape<object> = {
  parse(answer) {
    if (answer === null) throw new NotThereError("no such transaction");
    return anything.parse(answer);
  },
};

const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, "0")}`;

/**
 * The hash of the transaction with which an address spent a nonce: by sending it, or by an authorisation that somebody
 * took along. The block is found by halving the range, between whose ends the nonce was spent; null when none in it did.
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
  const { transactions } = await chain.ask("eth_getBlockByNumber", [hex(high), true], listing);
  for (const one of transactions) {
    if (one.from === from && one.nonce === nonce) return one.hash;
    const candidates = (one.authorizationList ?? []).filter((each) => each.nonce === nonce);
    const authorities = await Promise.all(candidates.map(authorisationOf));
    if (authorities.some(({ authority }) => authority === from)) return one.hash;
  }
  return null;
}

/** The next nonce of an address with what waits in the mempools, by the node that knows most of it; all must answer. */
export async function readPendingNonce(chain: Chain, from: string): Promise<bigint> {
  const said = await Promise.all(
    chain.providers.map((provider) => provider.ask("eth_getTransactionCount", [from, "pending"], quantity)),
  );
  return said.reduce((most, each) => (each > most ? each : most), 0n);
}
