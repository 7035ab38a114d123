/** Signing in and out: the wallet proves an address, the engine starts a session. */
import type { Me } from "../../../engine/contract/account.ts";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import { meQuery } from "../api/queries.ts";
import { loadWallets } from "./store.ts";

/** What is going on, for the dialog: which of the two prompts is open, or the engine checking. */
export type SignInStep = "connecting" | "signing" | "checking";

/**
 * Two prompts: which account, and its signature under the engine's own message. No transaction, no gas.
 *
 * @param onStep is told which prompt is open.
 */
export async function signIn(walletId: string, onStep: (step: SignInStep) => void): Promise<Me> {
  const answer = await proveAddress(walletId, "createChallenge", onStep);
  onStep("checking");
  const me = await call("verifyChallenge", { body: answer });
  forget();
  queryClient.setQueryData(meQuery.queryKey, me);
  return me;
}

/** Links one more wallet to the player who is signed in, by its own signature. */
export async function linkWallet(walletId: string, onStep: (step: SignInStep) => void): Promise<Me> {
  const answer = await proveAddress(walletId, "createLinkChallenge", onStep);
  onStep("checking");
  const me = await call("linkWallet", { body: answer });
  queryClient.setQueryData(meQuery.queryKey, me);
  return me;
}

export async function signOut(): Promise<void> {
  await call("logout");
  forget();
  queryClient.setQueryData(meQuery.queryKey, null);
}

async function proveAddress(
  walletId: string,
  ask: "createChallenge" | "createLinkChallenge",
  onStep: (step: SignInStep) => void,
): Promise<{ message: string; signature: string }> {
  const wallets = await loadWallets();
  onStep("connecting");
  const address = await wallets.connect(walletId);
  const { message } = await call(ask, { body: { address } });
  onStep("signing");
  return { message, signature: await wallets.sign(address, message) };
}

/** Nothing of one player may be shown to the next. */
function forget(): void {
  queryClient.removeQueries({ queryKey: ["own"] });
  queryClient.removeQueries({ queryKey: ["operator"] });
}
