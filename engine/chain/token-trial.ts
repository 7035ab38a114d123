/**
 * Tries a token's transfers without sending anything: one `eth_call`, in which the multicall contract holds some of the
 * token because the slot of its balance is overridden, and pays a stranger.
 */
import { encodeFunctionData, erc20Abi, getAddress, keccak256, pad, toHex } from "viem";
import { z } from "zod";
import { balanceCall } from "./balances.ts";
import type { Chain } from "./client.ts";
import { ChainError, RpcRefusedError } from "./errors.ts";
import { callTogether, multicall, type StorageOverrides } from "./multicall.ts";
import { bytes, hash } from "./shapes.ts";

export type TokenFault =
  /** Transfers don't move exactly what they are told to. */
  | "inexact"
  /** Balances are worked out of something else, which can change them without a transfer. */
  | "computed"
  /** Transfers fail for now: the token may be paused. */
  | "failing"
  /** Nothing could be found out. */
  | "untried";
/** `why` is a sentence without its subject, such as "takes a fee: …". */
export type TokenTrial = { fit: true } | { fit: false; fault: TokenFault; why: string };

/** Nobody holds its key. */
const stranger = getAddress(`0x${keccak256(toHex("a stranger to every token")).slice(-40)}`);
const mostSlots = 64;
/** Where Solidity keeps mappings that are declared first, for nodes that don't tell which slots a call reads. */
const usualPlaces = 16;
/** ERC-7201 `openzeppelin.storage.ERC20`: balances of OpenZeppelin's upgradeable token. */
const namespacedPlace = "0x52c63247e1f47db19d5ce0460030c497f067ca4cebf71ba98eeadabe20bace00";

const accessList = z.object({
  accessList: z.array(z.object({ address: z.string(), storageKeys: z.array(hash) })),
});
interface Slot {
  address: string;
  key: string;
}

/** @param decimals the token's own */
export async function tryToken(
  chain: Chain,
  { address, decimals }: { address: string; decimals: number },
): Promise<TokenTrial> {
  const hundred = 100n * 10n ** BigInt(decimals);
  // A fee must show in it also where a token has no decimals.
  const amount = hundred > 1_000_000n ? hundred : 1_000_000n;
  const slots = await readSlots(chain, address);
  const found = await findBalance(chain, { token: address, slots, amount });
  if (found === null)
    return unfit("untried", "couldn't be tried: no node finds where it keeps balances, or overrides storage");
  if (found.shown !== amount)
    return unfit(
      "computed",
      `works its balances out (${amount} stored is shown as ${found.shown}), so they may change by themselves`,
    );
  return tryTransfers(chain, { token: address, amount, overrides: found.overrides });
}

const unfit = (fault: TokenFault, why: string): TokenTrial => ({ fit: false, fault, why });

/** The slots that a look at the balance reads, and those where it usually lies. */
async function readSlots(chain: Chain, token: string): Promise<Slot[]> {
  const call = { to: token, data: balanceCall(multicall) };
  const read = await chain.ask("eth_createAccessList", [call, "latest"], accessList).catch((error) => {
    if (error instanceof ChainError) return { accessList: [] }; // Not every node takes this question.
    throw error;
  });
  const seen = read.accessList.flatMap(({ address, storageKeys }) =>
    storageKeys.map((key) => ({ address, key })),
  );
  const places = [
    ...Array.from({ length: usualPlaces }, (_, place) => toHex(place)),
    namespacedPlace,
  ] as const;
  const usual = places.map((place) => ({
    address: token,
    key: keccak256(`${pad(multicall)}${pad(place as `0x${string}`).slice(2)}`),
  }));
  return [...seen, ...usual].slice(0, mostSlots);
}

/** The first slot that makes the multicall contract a holder; the one that shows exactly what was stored before any other. */
async function findBalance(
  chain: Chain,
  { token, slots, amount }: { token: string; slots: Slot[]; amount: bigint },
): Promise<{ overrides: StorageOverrides; shown: bigint } | null> {
  const call = { to: token, data: balanceCall(multicall) };
  let inexact: { overrides: StorageOverrides; shown: bigint } | null = null;
  for (const { address, key } of slots) {
    const overrides = { [address]: { stateDiff: { [key]: pad(toHex(amount)) } } };
    const shown = amountIn(
      await chain.ask("eth_call", [call, "latest", overrides], bytes).catch((error) => {
        // Some slots mean something else, and no token works with this in them.
        if (error instanceof RpcRefusedError) return "0x";
        throw error;
      }),
    );
    if (shown === amount) return { overrides, shown };
    if (shown > 0n) inexact ??= { overrides, shown };
  }
  return inexact;
}

const amountIn = (answer = "0x"): bigint => (answer.length < 66 ? 0n : BigInt(answer.slice(0, 66)));

/** One unit and then the rest, as a batch pays several. */
async function tryTransfers(
  chain: Chain,
  { token, amount, overrides }: { token: string; amount: bigint; overrides: StorageOverrides },
): Promise<TokenTrial> {
  const look = [multicall, stranger].map((holder) => ({ to: token, data: balanceCall(holder) }));
  const pay = (part: bigint) => ({
    to: token,
    data: encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [stranger, part] }),
  });
  const parts = [1n, amount - 1n];
  const calls = [...look, ...parts.flatMap((part) => [pay(part), ...look])];
  const answers = await callTogether(chain, calls, { at: "latest", mayFail: true, overrides });
  const balance = (index: number): bigint => amountIn(answers[index]?.returnData);
  for (const [index, part] of parts.entries()) {
    const place = 2 + 3 * index;
    const answer = answers[place];
    if (answer?.success !== true) return unfit("failing", `refuses a transfer of ${part} base units`);
    // Nothing said is said by many a token; only a plain no is one.
    if (answer.returnData !== "0x" && amountIn(answer.returnData) !== 1n)
      return unfit("failing", `answers false to a transfer of ${part} base units`);
    const left = balance(place - 2) - balance(place + 1);
    const arrived = balance(place + 2) - balance(place - 1);
    if (left !== part || arrived !== part)
      return unfit(
        "inexact",
        `moves other amounts than it is told to: of ${part} base units, ${left} left the sender and ${arrived} arrived`,
      );
  }
  return { fit: true };
}
