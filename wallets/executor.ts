/** The batch executor (contracts/BatchExecutor.sol): where it stands, how it is deployed, and what it is called with. */
import {
  AbiCoder,
  concat,
  dataLength,
  getAddress,
  getCreate2Address,
  keccak256,
  stripZerosLeft,
  toBeHex,
  ZeroHash,
} from "ethers";
import { executorCreationCode } from "./executor-code.ts";

/** The deployer that stands at this address on every chain, Base included: the same code has the same address everywhere. */
export const deploymentProxy = "0x4e59b44847b379578588920ca78fbf26c0b4956c";
const salt = ZeroHash;
const coder = AbiCoder.defaultAbiCoder();

const creationOf = (gasWallet: string): string =>
  concat([executorCreationCode, coder.encode(["address"], [gasWallet])]);

/** Where the executor stands that obeys this gas wallet and nobody else; lower case. */
export const executorOf = (gasWallet: string): string =>
  getCreate2Address(deploymentProxy, salt, keccak256(creationOf(gasWallet))).toLowerCase();

/** What the deployment proxy is called with to put it there. */
export const deploymentData = (gasWallet: string): `0x${string}` =>
  concat([salt, creationOf(gasWallet)]) as `0x${string}`;

/** ERC-7821's `execute(bytes32,bytes)`. */
const executeSelector = "0xe9ae5c53";
/** `PAYMENTS_MODE` of the contract; another layout of what it reads needs another mode, which this contract refuses. */
const paymentsMode = `0x01000000000070617973${"0".repeat(44)}`;

export interface Payment {
  destination: string;
  /** Base units. */
  amount: bigint;
}

/**
 * The call that has a wallet pay one token to each of these, in this order, or to none: the size of an amount in bytes, the
 * token, and each recipient with its amount, as short as the largest of them allows.
 * @throws for what isn't an address, which would move all that follows out of its place, and for an amount above a word
 */
export function paymentsCall(token: string, payments: readonly Payment[]): `0x${string}` {
  const amountSize = Math.max(
    1,
    ...payments.map(({ amount }) => dataLength(stripZerosLeft(toBeHex(amount, 32)))),
  );
  const packed = payments.flatMap(({ destination, amount }) => [
    getAddress(destination),
    toBeHex(amount, amountSize),
  ]);
  const data = concat([toBeHex(amountSize), getAddress(token), ...packed]);
  return concat([executeSelector, coder.encode(["bytes32", "bytes"], [paymentsMode, data])]) as `0x${string}`;
}

/** The code of an account that has authorised an executor (EIP-7702). */
export const delegationTo = (executor: string): string => `0xef0100${executor.slice(2)}`;
