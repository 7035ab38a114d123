import { QueryClient } from "@tanstack/react-query";
import { describe, expect, test } from "vitest";
import { balancesQuery } from "../../web/src/api/queries.ts";
import { storeOwnEvent } from "../../web/src/live/cache.ts";
import { event, money } from "./samples.ts";

describe("a balance that changes", () => {
  const balance = {
    free: money(7),
    locked: money(0),
    onItsWay: money(0),
    withdrawable: money(0),
  };
  const changed = event("pool:balance", { balance });

  test("before the balances were read is left to that reading, which has all of them", () => {
    const cache = new QueryClient();
    storeOwnEvent(cache, changed);
    expect(cache.getQueryData(balancesQuery.queryKey)).toBeUndefined();
  });

  test("takes the place of what was read, or joins it", () => {
    const cache = new QueryClient();
    cache.setQueryData(balancesQuery.queryKey, []);
    storeOwnEvent(cache, changed);
    expect(cache.getQueryData(balancesQuery.queryKey)).toEqual([balance]);
    storeOwnEvent(cache, event("pool:balance", { balance: { ...balance, free: money(8) } }));
    expect(cache.getQueryData(balancesQuery.queryKey)).toEqual([{ ...balance, free: money(8) }]);
  });
});
