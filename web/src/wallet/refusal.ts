/** EIP-1193: the person closed the request. Wallets wrap it, so the causes are looked through. */
const userRejected = 4001;
const deepestCause = 5;

export function isClosedByUser(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < deepestCause && typeof cause === "object" && cause !== null; depth += 1) {
    if ("code" in cause && (cause.code === userRejected || cause.code === "ACTION_REJECTED")) return true;
    if ("name" in cause && cause.name === "UserRejectedRequestError") return true;
    cause = "cause" in cause ? cause.cause : null;
  }
  return false;
}

/** What to say when a wallet doesn't do what was asked. */
export function walletProblem(error: unknown): string {
  if (isClosedByUser(error)) return "You closed the request. Nothing happened.";
  if (typeof error === "object" && error !== null && "shortMessage" in error)
    return String(error.shortMessage);
  return error instanceof Error && error.message !== "" ? error.message : "The wallet didn't answer.";
}
