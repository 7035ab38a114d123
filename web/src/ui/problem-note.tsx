import { Link } from "@tanstack/react-router";
import { formatAmount } from "../../../engine/core/money.ts";
import type { ApiProblem } from "../api/problem.ts";
import type { Token } from "../shell/use-me.ts";

/** What was refused and, where there is one, the way out. */
export function ProblemNote({
  problem,
  token,
  onSuggestion,
}: {
  problem: ApiProblem;
  token?: Token | undefined;
  /** Takes the handle that was probably meant. */
  onSuggestion?: (handle: string) => void;
}) {
  const { free, short, suggestion } = problem.facts;
  if (problem.code === "insufficient_funds" && free && short && token) {
    const say = (amount: string) => formatAmount(BigInt(amount), token.decimals, { group: true });
    const typed = formatAmount(BigInt(short), token.decimals);
    return (
      <>
        You have {say(free)} free. {say(short)} short.{" "}
        {token.listed ? (
          <Link className="link" to="/deposit" search={{ amount: typed, token: token.address }}>
            Add {say(short)}
          </Link>
        ) : null}
      </>
    );
  }
  if (problem.code === "player_unknown" && suggestion && onSuggestion) {
    return (
      <>
        {problem.message}{" "}
        <button type="button" className="link" onClick={() => onSuggestion(suggestion)}>
          Did you mean {suggestion}?
        </button>
      </>
    );
  }
  return <>{problem.message}</>;
}

/** A refusal that belongs to no field. */
export function ProblemBox(props: Parameters<typeof ProblemNote>[0]) {
  return (
    <div className="field-error" role="alert">
      <ProblemNote {...props} />
    </div>
  );
}
