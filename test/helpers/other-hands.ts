/** What other people do on the chain: the issuer of USDC, and somebody who has our keys. */
import { type Address, encodeFunctionData, type Hex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { derivePrivateKey, type WalletPurpose } from "../../wallets/derivation.ts";
import { developmentMnemonic, Seed } from "../../wallets/seed.ts";
import { usdcAbi } from "./contracts.ts";
import type { MoneyWorld } from "./money-world.ts";

type IssuerAct =
  | { functionName: "pause" | "unpause"; args?: never }
  | { functionName: "blacklist" | "unBlacklist"; args: [Address] };

/** Sends what USDC's issuer may do, at such a price that it comes first in its block; doesn't wait for the block. */
export async function actAsIssuer(
  world: MoneyWorld,
  { functionName, args = [] as never }: IssuerAct,
): Promise<void> {
  const account = privateKeyToAccount(generatePrivateKey());
  await world.base.setEther(account.address, 10n ** 18n);
  const serializedTransaction = await account.signTransaction({
    chainId: 8453,
    type: "eip1559",
    to: world.base.usdc,
    data: encodeFunctionData({ abi: usdcAbi, functionName, args } as Parameters<
      typeof encodeFunctionData
    >[0]),
    nonce: 0,
    gas: 200_000n,
    maxFeePerGas: 10n ** 11n,
    maxPriorityFeePerGas: 10n ** 10n,
  });
  await world.base.testClient.sendRawTransaction({ serializedTransaction });
}

/** Signs with the vault's key past the engine, and sends. */
export const actAsThiefOfTheVault = (
  world: MoneyWorld,
  act: { to: Address; data?: Hex; nonce: number },
): Promise<Hex> => actAsThief(world, { ...act, address: world.vault });

/** Signs with the key of one of our wallets past the engine, and sends. */
export async function actAsThief(
  world: MoneyWorld,
  { address, to, data, nonce }: { address: Address; to: Address; data?: Hex; nonce: number },
): Promise<Hex> {
  const [row] = await world.query<{ purpose: WalletPurpose; derivation_index: number }>(
    "SELECT purpose, derivation_index FROM wallet WHERE address = $1",
    [address],
  );
  if (row === undefined) throw new Error(`${address} is no wallet of ours`);
  const seed = new Seed(developmentMnemonic);
  const wallet = { purpose: row.purpose, index: Number(row.derivation_index) };
  const { signingKey } = derivePrivateKey({ seed, wallet });
  const serializedTransaction = await privateKeyToAccount(signingKey.privateKey as Hex).signTransaction({
    chainId: 8453,
    type: "eip1559",
    to,
    ...(data === undefined ? {} : { data }),
    nonce,
    gas: 200_000n,
    maxFeePerGas: 10n ** 11n,
    maxPriorityFeePerGas: 10n ** 10n,
  });
  return world.base.testClient.sendRawTransaction({ serializedTransaction });
}
