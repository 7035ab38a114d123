/** People with wallets of their own: what they send comes from keys of the seed, nonce by nonce. */
import { type Address, encodeFunctionData, erc20Abi, type Hex, keccak256, parseAbi, toHex } from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";

export interface SentTransaction {
  hash: Hex;
  raw: Hex;
  nonce: number;
  /** Not before this tick is it sent again, when the chain has lost it. */
  againAt: number;
}

export class Wallet {
  readonly name: string;
  readonly address: Address;
  /** Everything ever sent, by nonce; the last of each nonce is the one that counts. */
  readonly sent = new Map<number, SentTransaction>();
  readonly #account: PrivateKeyAccount;
  #nextNonce = 0;

  constructor(seed: number, name: string) {
    this.name = name;
    this.#account = privateKeyToAccount(keccak256(toHex(`simulation ${seed} ${name}`)));
    this.address = this.#account.address.toLowerCase() as Address;
  }

  transfer({ token, to, amount }: { token: string; to: string; amount: bigint }): Promise<SentTransaction> {
    const args = [to as Address, amount] as const;
    const data = encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args });
    return this.#sign({ to: token as Address, data, nonce: this.#nextNonce++ });
  }

  mint({ token, amount }: { token: string; amount: bigint }): Promise<SentTransaction> {
    const args = [this.address, amount] as const;
    const data = encodeFunctionData({ abi: mintAbi, functionName: "mint", args });
    return this.#sign({ to: token as Address, data, nonce: this.#nextNonce++ });
  }

  /** Spends the nonce of a transaction that the chain has lost on nothing. */
  replace({ nonce }: SentTransaction): Promise<SentTransaction> {
    return this.#sign({ to: this.address, data: "0x", nonce });
  }

  async #sign({ to, data, nonce }: { to: Address; data: Hex; nonce: number }): Promise<SentTransaction> {
    const raw = await this.#account.signTransaction({
      chainId: 8453,
      type: "eip1559",
      to,
      data,
      nonce,
      gas: 200_000n,
      maxFeePerGas: this.sent.has(nonce) ? 10n ** 11n : 10n ** 10n,
      maxPriorityFeePerGas: this.sent.has(nonce) ? 10n ** 9n : 10n ** 6n,
    });
    const transaction = { hash: keccak256(raw), raw, nonce, againAt: 0 };
    this.sent.set(nonce, transaction);
    return transaction;
  }
}

const mintAbi = parseAbi(["function mint(address to, uint256 amount)"]);

export interface Player extends Wallet {
  id: string;
  depositAddress: string;
}
