import { useQuery } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import type { PoolBalance } from "../../../engine/contract/account.ts";
import { balancesQuery, configQuery, meQuery } from "../api/queries.ts";
import type { ClientConfig } from "../api/shapes.ts";
import { isZero } from "../money/show.ts";

/** The signed-in player; null when nobody is; undefined until it is known. */
export const useMe = () => useQuery(meQuery).data;
export const useConfig = (): ClientConfig | undefined => useQuery(configQuery).data;

export type Token = ClientConfig["tokens"][number];

const storageKey = "otr-token";
const listeners = new Set<() => void>();
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function chooseToken(address: string): void {
  localStorage.setItem(storageKey, address);
  for (const listener of listeners) listener();
}
const chosenToken = (): string | null => localStorage.getItem(storageKey);

/** The token that this browser plays for: the one chosen last, else USDC, else the first on the list. */
export function tokenOf(tokens: readonly Token[], chosen: string | null = chosenToken()): Token | undefined {
  return (
    tokens.find(({ address }) => address === chosen) ??
    tokens.find(({ symbol }) => symbol === "USDC") ??
    tokens[0]
  );
}

/** Those that new offers are made in. */
export const listedOf = (config: ClientConfig | null | undefined): Token[] =>
  (config?.tokens ?? []).filter(({ listed }) => listed);

/** Those that are listed, and of the others each that the player still has something of. */
export function useOwnTokens(): Token[] {
  const me = useMe();
  const balances = useQuery({ ...balancesQuery, enabled: me !== null && me !== undefined }).data ?? [];
  const isHeld = (token: string): boolean =>
    balances.some(
      ({ free, locked, onItsWay }) =>
        free.token === token && ![free, locked, onItsWay].every((money) => isZero(money)),
    );
  return (useConfig()?.tokens ?? []).filter(({ listed, address }) => listed || isHeld(address));
}

/** The chosen one of these tokens; undefined until the list of them is there. */
export function useToken(tokens: readonly Token[]): Token | undefined {
  return tokenOf(tokens, useSyncExternalStore(subscribe, chosenToken));
}

/**
 * Chooses the token that a link names. Amounts of the link are meant in it, so that without it they mean nothing.
 * `said`: why it isn't played with; null while that isn't known.
 */
export function useLinkedToken(address: string | undefined): { isPlayed: boolean; said: string | null } {
  const config = useConfig();
  const token = config?.tokens.find((known) => known.address === address);
  const isPlayed = address === undefined || token?.listed === true;
  useEffect(() => {
    if (address !== undefined && isPlayed) chooseToken(address);
  }, [address, isPlayed]);
  if (isPlayed || config === undefined) return { isPlayed, said: null };
  const said =
    token === undefined
      ? "The token of this link isn't known here."
      : `${token.symbol} was taken out of play.`;
  return { isPlayed, said };
}

/** The player's numbers in one token; undefined until they are known or while nobody is signed in. */
export function useBalance(token: string | undefined): PoolBalance | undefined {
  const me = useMe();
  const balances = useQuery({ ...balancesQuery, enabled: me !== null && me !== undefined }).data;
  return balances?.find(({ free }) => free.token === token);
}
