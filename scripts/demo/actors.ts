/** The people of the demo: each with a wallet on the chain, a session over HTTP and a socket that listens. */
import { type Address, createPublicClient, createWalletClient, erc20Abi, type Hex, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { ApiClient } from "../client/api.ts";
import { LiveRoomClient } from "../client/live.ts";
import { developmentAccounts } from "../local/accounts.ts";
import { localBase } from "../local/chain-definition.ts";
import { minedReceipt } from "../local/mined.ts";

export interface Actor {
  name: string;
  address: Address;
  playerId: string;
  handle: string;
  api: ApiClient;
  live: LiveRoomClient;
  /** Sends an ERC-20 transfer from the actor's own wallet; answers its hash once it is in a block. */
  pay(input: { token: Address; to: Address; amount: bigint }): Promise<Hex>;
}

/** Signs in with a development account and listens to the player's own room. */
export async function enter(input: {
  origin: string;
  rpcUrl: string;
  accountIndex: number;
  handle: string;
}): Promise<Actor> {
  const development = developmentAccounts[input.accountIndex];
  if (development === undefined) throw new Error(`there is no development account ${input.accountIndex}`);
  const account = privateKeyToAccount(development.privateKey);
  const api = new ApiClient(input.origin);
  await api.signIn(account);
  const me = await api.call("changeMe", { body: { handle: input.handle } });
  const live = new LiveRoomClient({ origin: input.origin, namespace: "/", cookieHeader: api.cookieHeader });
  const subscribed = await live.subscribe(`player:${me.id}`);
  if (!subscribed.ok) throw new Error(`${input.handle} can't listen: ${subscribed.message}`);

  const transport = http(input.rpcUrl);
  const wallet = createWalletClient({ account, chain: localBase, transport });
  const reader = createPublicClient({ chain: localBase, transport, pollingInterval: 100 });
  const pay: Actor["pay"] = async ({ token, to, amount }) => {
    const hash = await wallet.writeContract({
      address: token,
      abi: erc20Abi,
      functionName: "transfer",
      args: [to, amount],
      // An estimate would fall short when the deposit before is collected meanwhile: filling an empty balance is dearer.
      gas: 100_000n,
    });
    const { status } = await minedReceipt(reader, hash);
    if (status !== "success") throw new Error(`the transfer ${hash} failed`);
    return hash;
  };
  return {
    name: input.handle,
    address: development.address,
    playerId: me.id,
    handle: me.handle,
    api,
    live,
    pay,
  };
}
