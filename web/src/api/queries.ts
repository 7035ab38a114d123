/** What the screens read. Every query has one key; snapshots and events of the sockets write to the same keys. */
import { queryOptions } from "@tanstack/react-query";
import { call } from "./call.ts";
import { problemOf } from "./problem.ts";

/** Lists of the player's own things are read whole up to this; older ones are in the history. */
const ownLimit = 100;

/** Which tokens are listed may change while the page is open: the next look at it reads it again after a minute. */
export const configQuery = queryOptions({
  queryKey: ["config"],
  queryFn: () => call("readConfig"),
  staleTime: 60_000,
});

/** The signed-in player, or null. */
export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: async () => {
    try {
      return await call("readMe");
    } catch (error) {
      if (problemOf(error).status === 401) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

export const balancesQuery = queryOptions({
  queryKey: ["own", "balances"],
  queryFn: async () => (await call("readBalances")).balances,
});
export const ownProposalsQuery = queryOptions({
  queryKey: ["own", "proposals"],
  queryFn: async () => (await call("listProposals", { query: { box: "all", limit: ownLimit } })).items,
});
export const ownGamesQuery = queryOptions({
  queryKey: ["own", "games"],
  queryFn: async () => (await call("listGames", { query: { limit: ownLimit } })).items,
});
export const depositsQuery = queryOptions({
  queryKey: ["own", "deposits"],
  queryFn: async () => (await call("listDeposits", { query: { limit: ownLimit } })).items,
});
/** No event tells of these. */
export const ownSuspenseQuery = queryOptions({
  queryKey: ["own", "suspense"],
  queryFn: async () => (await call("listOwnSuspense")).items,
  refetchInterval: 10_000,
});
export const withdrawalsQuery = queryOptions({
  queryKey: ["own", "withdrawals"],
  queryFn: async () => (await call("listWithdrawals", { query: { limit: ownLimit } })).items,
});
export const depositAddressQuery = queryOptions({
  queryKey: ["own", "deposit-address"],
  queryFn: () => call("readDepositAddress"),
  staleTime: Number.POSITIVE_INFINITY,
});

export const listingsQuery = queryOptions({
  queryKey: ["listings"],
  queryFn: () => call("readListings"),
});
export const leaderboardQuery = queryOptions({
  queryKey: ["leaderboard"],
  queryFn: () => call("readLeaderboard"),
});
export const solvencyQuery = queryOptions({
  queryKey: ["solvency"],
  queryFn: () => call("readSolvency"),
});
export const gameQuery = (id: string) =>
  queryOptions({ queryKey: ["game", id], queryFn: () => call("readGame", { params: { id } }) });
export const receiptQuery = (id: string) =>
  queryOptions({ queryKey: ["receipt", id], queryFn: () => call("readReceipt", { params: { id } }) });
export const chainQuery = (id: string) =>
  queryOptions({
    queryKey: ["chain", id],
    queryFn: async () => (await call("readProposalChain", { params: { id } })).items,
  });
export const playerQuery = (handle: string) =>
  queryOptions({ queryKey: ["player", handle], queryFn: () => call("readPlayer", { params: { handle } }) });
export const liveQuery = (room: string) =>
  queryOptions({ queryKey: ["live", room], queryFn: () => call("readLive", { params: { room } }) });

export const overviewQuery = queryOptions({
  queryKey: ["operator", "overview"],
  queryFn: () => call("readOverview"),
  refetchInterval: 5_000,
});
export const disputesQuery = queryOptions({
  queryKey: ["operator", "disputes"],
  queryFn: async () => (await call("listDisputes")).items,
  refetchInterval: 10_000,
});
export const suspenseQuery = queryOptions({
  queryKey: ["operator", "suspense"],
  queryFn: async () => (await call("listSuspense")).items,
});
/** Those that are parked first, however old: they wait for the operator. */
export const instructionsQuery = queryOptions({
  queryKey: ["operator", "instructions"],
  queryFn: async () => {
    const [parked, newest] = await Promise.all([
      call("listInstructions", { query: { state: "parked", limit: 100 } }),
      call("listInstructions", { query: { limit: 50 } }),
    ]);
    const ids = new Set(parked.items.map(({ id }) => id));
    return [...parked.items, ...newest.items.filter(({ id }) => !ids.has(id))];
  },
  refetchInterval: 5_000,
});
export const auditQuery = queryOptions({
  queryKey: ["operator", "audit"],
  queryFn: async () => (await call("readAudit", { query: { limit: 50 } })).items,
});
