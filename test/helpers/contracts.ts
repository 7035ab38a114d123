import { type Abi, type Account, type Address, encodeDeployData, type Hex, parseAbi } from "viem";
import { compileContracts, contractNamed } from "../../scripts/local/contracts.ts";
import { minedReceipt } from "../../scripts/local/mined.ts";
import type { ChainClient } from "./chain.ts";

/** Every token of ours; the stand-ins and test tokens mint for anybody. */
export const tokenAbi = parseAbi([
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "function name() view returns (string)",
  "function symbol() view returns (string)",
  "function decimals() view returns (uint8)",
  "function totalSupply() view returns (uint256)",
  "function balanceOf(address account) view returns (uint256)",
  "function allowance(address owner, address spender) view returns (uint256)",
  "function approve(address spender, uint256 value) returns (bool)",
  "function transfer(address to, uint256 value) returns (bool)",
  "function transferFrom(address from, address to, uint256 value) returns (bool)",
  "function mint(address to, uint256 amount)",
]);

/** The issuer's powers over USDC, which anybody has on a test chain. */
export const usdcAbi = [
  ...tokenAbi,
  ...parseAbi([
    "function paused() view returns (bool)",
    "function isBlacklisted(address account) view returns (bool)",
    "function blacklist(address account)",
    "function unBlacklist(address account)",
    "function pause()",
    "function unpause()",
  ]),
] as const;

export const smartWalletAbi = parseAbi([
  "function owner() view returns (address)",
  "function nonce() view returns (uint256)",
  "function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)",
  "function execute(address target, uint256 value, bytes data) returns (bytes)",
  "function executeSigned(address target, uint256 value, bytes data, bytes signature) returns (bytes)",
  "function executionHash(address target, uint256 value, bytes data) view returns (bytes32)",
]);

export const smartWalletFactoryAbi = parseAbi([
  "function create(address owner, bytes32 salt) returns (address wallet)",
  "function addressOf(address owner, bytes32 salt) view returns (address)",
]);

type Deployment = { client: ChainClient; from: Account | Address };

/** An honest token with `decimals` places, which is on nobody's list. */
export async function deployToken(
  deployment: Deployment,
  token: { name: string; symbol: string; decimals: number },
): Promise<Address> {
  const abi = parseAbi(["constructor(string name, string symbol, uint8 places)"]);
  return deploy(deployment, { name: "TestToken", abi, args: [token.name, token.symbol, token.decimals] });
}

/** A token that burns `feeBps` of each transfer. */
export async function deployFeeOnTransferToken(deployment: Deployment, feeBps: bigint): Promise<Address> {
  const abi = parseAbi(["constructor(uint256 feeBps)"]);
  return deploy(deployment, { name: "FeeOnTransferToken", abi, args: [feeBps] });
}

/** A token that moves exactly what it is told to and answers nothing. */
export const deployNoReturnToken = (deployment: Deployment): Promise<Address> =>
  deploy(deployment, { name: "NoReturnToken", abi: [], args: [] });

/** A token whose balances change without transfers once it is told to; until then it looks honest. */
export const deployRebasingToken = (deployment: Deployment): Promise<Address> =>
  deploy(deployment, { name: "RebasingToken", abi: [], args: [] });

export const rebasingAbi = parseAbi(["function rebase(uint256 indexBps)"]);

/** A token that nobody can pay with: it reverts, or answers false. */
export async function deployRefusingToken(deployment: Deployment, answersFalse: boolean): Promise<Address> {
  const abi = parseAbi(["constructor(bool answersFalse)"]);
  return deploy(deployment, { name: "RefusingToken", abi, args: [answersFalse] });
}

/** A token with the code of another, which anybody may replace; its address lies in the given slot. */
export async function deployTokenProxy(
  deployment: Deployment,
  { slot, implementation }: { slot: Hex; implementation: Address },
): Promise<Address> {
  const abi = parseAbi(["constructor(bytes32 slot, address implementation)"]);
  return deploy(deployment, { name: "TokenProxy", abi, args: [slot, implementation] });
}

/** A token behind a beacon that its deployer owns; replacing the code is the beacon's `upgradeTo`. */
export async function deployTokenBeaconProxy(
  deployment: Deployment,
  implementation: Address,
): Promise<{ address: Address; beacon: Address }> {
  const abi = parseAbi(["constructor(address)"]);
  const beacon = await deploy(deployment, { name: "TokenBeacon", abi, args: [implementation] });
  return { address: await deploy(deployment, { name: "TokenBeaconProxy", abi, args: [beacon] }), beacon };
}

/** Of a proxy that holds its own implementation's address, and of a beacon. */
export const tokenProxyAbi = parseAbi(["function upgradeTo(address implementation)"]);

/** A wallet that is a contract, signed for by `owner` (ERC-1271). */
export async function deploySmartWallet(deployment: Deployment, owner: Address): Promise<Address> {
  const abi = parseAbi(["constructor(address owner)"]);
  return deploy(deployment, { name: "SmartWallet", abi, args: [owner] });
}

/** The factory that puts smart wallets at addresses known before (ERC-6492). */
export async function deploySmartWalletFactory(deployment: Deployment): Promise<Address> {
  return deploy(deployment, { name: "SmartWalletFactory", abi: [], args: [] });
}

async function deploy(
  { client, from }: Deployment,
  contract: { name: string; abi: Abi; args: readonly unknown[] },
): Promise<Address> {
  const { creationCode } = contractNamed(await compileContracts(), contract.name);
  const data: Hex =
    contract.args.length === 0
      ? creationCode
      : encodeDeployData({ abi: contract.abi, bytecode: creationCode, args: contract.args });
  const hash = await client.sendTransaction({ account: from, data, to: null, chain: client.chain });
  const receipt = await minedReceipt(client, hash);
  if (receipt.status !== "success" || !receipt.contractAddress)
    throw new Error(`${contract.name} wasn't deployed`);
  return receipt.contractAddress.toLowerCase() as Address;
}
