/** What a transaction of a form that we sign does, read from its bytes. */
import {
  decodeFunctionData,
  erc20Abi,
  type Hex,
  hexToBigInt,
  hexToNumber,
  parseAbi,
  size,
  slice,
} from "viem";
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

/** How many bytes an amount takes, the token, then recipient and amount of each payment. */
function unpack(data: string) {
  try {
    const { args } = decodeFunctionData({ abi: executorAbi, data: data as Hex });
    const [, packed] = args;
    const amountAt = 20;
    const amountSize = hexToNumber(slice(packed, 0, 1));
    const paymentSize = amountAt + amountSize;
    const body = slice(packed, 21);
    const count = size(body) / paymentSize;
    if (amountSize > 32 || !Number.isInteger(count)) return null;
    const payments = Array.from({ length: count }, (_, index) => {
      const payment = slice(body, index * paymentSize, (index + 1) * paymentSize);
      return { destination: slice(payment, 0, amountAt), amount: hexToBigInt(slice(payment, amountAt)) };
    });
    return { token: slice(packed, 1, 21), payments };
  } catch {
    return null;
  }
}
