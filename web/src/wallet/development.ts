/**
 * Wallets for trying it out, on local chains only. They announce themselves like any wallet (EIP-6963), sign in the page
 * with the accounts that every development node knows, and reach the local chain through `/dev/rpc` of the engine.
 */
import { mnemonicToAccount } from "viem/accounts";
import { createDevelopmentProvider } from "./development-provider.ts";

/** Everybody knows it: accounts of it hold nothing on a chain that counts. */
const developmentMnemonic = "test test test test test test test test test test test junk";

/** The account that is the operator on a local chain. */
const operatorIndex = 9;
const wallets = [1, 2, 3, 4, operatorIndex].map((index) => ({
  index,
  name: index === operatorIndex ? "Dev wallet operator" : `Dev wallet ${index}`,
}));

let isAnnounced = false;

export function announceDevelopmentWallets(): void {
  if (isAnnounced) return;
  isAnnounced = true;
  const details = wallets.map(({ index, name }) =>
    Object.freeze({
      info: Object.freeze({
        // Stable, so that wagmi finds the wallet of the last visit again.
        uuid: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
        name,
        icon: iconOf(index),
        rdns: `local.on-the-rail.dev${index}`,
      }),
      provider: createDevelopmentProvider(
        () => mnemonicToAccount(developmentMnemonic, { addressIndex: index }),
        `otr-dev-wallet-${index}`,
      ),
    }),
  );
  const announce = (): void => {
    for (const detail of details)
      window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  };
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
}

function iconOf(index: number): string {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" fill="#17130F"/><text x="12" y="17" font-family="monospace" font-size="14" text-anchor="middle" fill="#FFB627">${index}</text></svg>`;
  return `data:image/svg+xml;base64,${btoa(svg)}`;
}
