/**
 * The wallet of this browser, as the screens see it. "Connected" (the wallet answers this page) and "signed in" (the
 * engine knows whose session this is) are two things: this file knows only of the first. Everything heavy is behind
 * `loadWallets`, which is called when somebody opens a dialog or page that needs a wallet.
 */
import { useEffect, useSyncExternalStore } from "react";
import { call } from "../api/call.ts";

/** A wallet that announced itself to this page (EIP-6963). */
export interface FoundWallet {
  id: string;
  name: string;
  /** A picture as data URL, or null: pictures from other hosts aren't loaded. */
  icon: string | null;
}
export interface WalletState {
  status: "not_loaded" | "loading" | "ready" | "failed";
  found: readonly FoundWallet[];
  /** The account that the wallet shows to this page, lower case. */
  connected: { address: string; walletId: string; walletName: string } | null;
}

/** What the lazily loaded part can do. */
export interface WalletActions {
  /** Asks the wallet for an account. The first of the two prompts; none when the page was allowed before. */
  connect: (walletId: string) => Promise<string>;
  /** `personal_sign` of the whole text. The second prompt. */
  sign: (address: string, message: string) => Promise<string>;
  /** Sends an ERC-20 `transfer` on Base and answers its hash. */
  payToken: (payment: { from: string; token: string; to: string; amount: bigint }) => Promise<string>;
  /** What an address holds of a token, in base units, read through the wallet; throws while the wallet is on another chain. */
  readBalance: (of: { owner: string; token: string }) => Promise<bigint>;
  disconnect: () => Promise<void>;
}

let state: WalletState = { status: "not_loaded", found: [], connected: null };
const listeners = new Set<() => void>();

export function setWalletState(change: Partial<WalletState>): void {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

let loading: Promise<WalletActions> | null = null;

/** Loads the wallet part once; a failed load can be tried again. */
export function loadWallets(): Promise<WalletActions> {
  loading ??= load().catch((error: unknown) => {
    loading = null;
    setWalletState({ status: "failed" });
    throw error;
  });
  return loading;
}

async function load(): Promise<WalletActions> {
  setWalletState({ status: "loading" });
  const [{ chainIsLocal }, { startWallets }] = await Promise.all([call("readConfig"), import("./wagmi.ts")]);
  if (chainIsLocal) {
    const { announceDevelopmentWallets } = await import("./development.ts");
    announceDevelopmentWallets();
  }
  return startWallets();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The wallet's state; loads the wallet part when the component that asks is shown. */
export function useWallet(): WalletState {
  useEffect(() => {
    loadWallets().catch(() => undefined);
  }, []);
  return useSyncExternalStore(subscribe, () => state);
}
