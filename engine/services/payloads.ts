/** What a transaction of a form that we sign does, read from its bytes. */
import { decodeFunctionData, erc20Abi, type Hex, hexToBigInt, parseAbi, slice } from "viem";
import { deploymentData, deploymentProxy, executorOf, paymentsCall } from "../../wallets/executor.ts";
import { baseChainId } from "../../wallets/policy.ts";
import type { SignedTransaction } from "../chain/transactions.ts";
import type { Payload } from "../db/adopting.ts";

export interface Order {
  /** Whose tokens, or ether, are moved. */
  source: string;
  /** In the order in which they are paid. */
  payments: Payload[];
  /** The executor that the source authorises with it, and the nonce that this spends. */
  authorises: { executor: string; nonce: bigint } | null;
}

/** @returns null for a transaction of a form that we never sign */
export function readOrder(found: SignedTransaction, gasWallet: string): Order | null {
  const { from, to, data, value, authorisations } = found;
  const alone = (payment: Payload): Order => ({ source: from, payments: [payment], authorises: null });
  if (authorisations.length === 0) {
    if (data === "0x") return alone({ token: null, destination: to, amount: value });
    if (value !== 0n) return null;
    const transfer = readTransfer(found);
    if (transfer !== null) return alone(transfer);
    if (from === gasWallet && to === deploymentProxy && data === deploymentData(gasWallet))
      return alone({ token: null, destination: executorOf(gasWallet), amount: 0n });
  }
  return from === gasWallet && value === 0n ? readBatch(found) : null;
}

function readTransfer({ to, data }: SignedTransaction): Payload | null {
  if (data.length !== 138) return null;
  try {
    const { functionName, args } = decodeFunctionData({ abi: erc20Abi, data: data as Hex });
    if (functionName !== "transfer") return null;
    return { token: to, destination: args[0].toLowerCase(), amount: args[1] };
  } catch {
    return null;
  }
}

/** Only what encodes to the same bytes again counts. */
function readBatch({ from, to, data, authorisations }: SignedTransaction): Order | null {
  const batch = unpack(data);
  if (batch === null || paymentsCall(batch.token, batch.payments) !== data) return null;
  const [authorisation, ...others] = authorisations;
  if (others.length > 0) return null;
  const executor = executorOf(from);
  const isOurs =
    authorisation === undefined ||
    (authorisation.authority === to &&
      authorisation.contract === executor &&
      authorisation.chainId === BigInt(baseChainId));
  if (!isOurs) return null;
  return {
    source: to,
    payments: batch.payments.map((payment) => ({ token: batch.token, ...payment })),
    authorises: authorisation === undefined ? null : { executor, nonce: authorisation.nonce },
  };
}

const executorAbi = parseAbi(["function execute(bytes32 mode, bytes executionData)"]);

/** The token's word, then two words for each payment. */
function unpack(data: string) {
  try {
    const { args } = decodeFunctionData({ abi: executorAbi, data: data as Hex });
    const words = (args[1].slice(2).match(/.{64}/g) ?? []).map((word): Hex => `0x${word}`);
    const [token, ...rest] = words;
    if (token === undefined || rest.length === 0 || rest.length % 2 !== 0) return null;
    const payments = Array.from({ length: rest.length / 2 }, (_, index) => ({
      destination: addressIn(rest[2 * index] ?? "0x"),
      amount: hexToBigInt(rest[2 * index + 1] ?? "0x"),
    }));
    return { token: addressIn(token), payments };
  } catch {
    return null;
  }
}

const addressIn = (word: Hex): string => slice(word, 12);
