/** Everything that talks to wallets, over wagmi. A chunk of its own: nothing else of the page may import it statically. */
import { type Address, erc20Abi } from "viem";
import { base } from "viem/chains";
import { type Connector, createConfig, injected, unstable_connector } from "wagmi";
import {
  connect,
  disconnect,
  getConnection,
  getConnections,
  getConnectors,
  readContract,
  reconnect,
  signMessage,
  switchChain,
  switchConnection,
  watchConnection,
  watchConnectors,
  writeContract,
} from "wagmi/actions";
import { setWalletState, type WalletActions } from "./store.ts";

/** Every call goes through the wallet itself: this page may talk to no host but ours. */
const config = createConfig({
  chains: [base],
  transports: { [base.id]: unstable_connector(injected) },
  multiInjectedProviderDiscovery: true,
});

/** Wallets that announced themselves; wagmi's own fallback isn't one of them. */
const announced = (): readonly Connector[] =>
  getConnectors(config).filter(({ type, id }) => type === "injected" && id !== "injected");

export async function startWallets(): Promise<WalletActions> {
  watchConnectors(config, { onChange: publish });
  watchConnection(config, { onChange: publish });
  // The wallet of the last visit comes back without a prompt; whether anybody is signed in, only the engine knows.
  await reconnect(config).catch(() => undefined);
  publish();
  return { connect: connectTo, sign, payToken, readBalance, disconnect: () => disconnect(config) };
}

function publish(): void {
  const connection = getConnection(config);
  setWalletState({
    status: "ready",
    found: announced().map(({ uid, name, icon }) => ({
      id: uid,
      name,
      icon: icon?.trim().startsWith("data:image/") ? icon.trim() : null,
    })),
    connected:
      connection.status === "connected"
        ? {
            address: connection.address.toLowerCase(),
            walletId: connection.connector.uid,
            walletName: connection.connector.name,
          }
        : null,
  });
}

async function connectTo(walletId: string): Promise<string> {
  const current = getConnection(config);
  if (current.status === "connected" && current.connector.uid === walletId) return current.address;
  const connector = announced().find(({ uid }) => uid === walletId);
  if (connector === undefined) throw new Error("This wallet is gone. Open it and look again.");
  if (getConnections(config).some((known) => known.connector.uid === walletId)) {
    return (await switchConnection(config, { connector })).accounts[0];
  }
  return (await connect(config, { connector })).accounts[0];
}

function sign(address: string, message: string): Promise<string> {
  return signMessage(config, { account: address as Address, message });
}

async function payToken(payment: {
  from: string;
  token: string;
  to: string;
  amount: bigint;
}): Promise<string> {
  const connection = getConnection(config);
  if (connection.chainId !== base.id) await switchChain(config, { chainId: base.id });
  return writeContract(config, {
    chainId: base.id,
    account: payment.from as Address,
    address: payment.token as Address,
    abi: erc20Abi,
    functionName: "transfer",
    args: [payment.to as Address, payment.amount],
  });
}

function readBalance({ owner, token }: { owner: string; token: string }): Promise<bigint> {
  return readContract(config, {
    chainId: base.id,
    address: token as Address,
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [owner as Address],
  });
}
