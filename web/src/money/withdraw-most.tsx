import type { PoolBalance } from "../../../engine/contract/account.ts";
import type { Money } from "../../../engine/contract/primitives.ts";
import type { ApiProblem } from "../api/problem.ts";
import type { Token } from "../shell/use-me.ts";
import { exact, isZero, moneyLike } from "./show.ts";

/** What can leave now, as far as it fits into one withdrawal. */
export function mostNow({ withdrawable }: PoolBalance, { withdrawalLimit }: Token): Money {
  const [leaving, limit] = [BigInt(withdrawable.amount), BigInt(withdrawalLimit)];
  return moneyLike(withdrawable, leaving < limit ? leaving : limit);
}

/** More was asked for than can leave: how much that is, and all of it in one press. */
export function AtMost({
  problem,
  balance,
  most,
  onAll,
}: {
  problem: ApiProblem;
  balance: PoolBalance | undefined;
  most: Money | undefined;
  onAll: () => void;
}) {
  if (balance === undefined || most === undefined || isZero(balance.free)) return <>{problem.message}</>;
  return (
    <>
      {problem.code === "insufficient_funds" ? `You have ${exact(balance.free)} free.` : problem.message}{" "}
      {isZero(most) ? null : (
        <button type="button" className="link link-row" onClick={onAll}>
          {mostSaid(most, balance)}
        </button>
      )}
    </>
  );
}

function mostSaid({ amount }: Money, { free, withdrawable }: PoolBalance): string {
  if (amount === free.amount) return "All of it";
  return amount === withdrawable.amount ? "All that can leave now" : "The most at once";
}
