/** EIP-1193: the person closed the request. Wallets wrap it, so the causes are looked through. */
const userRejected = 4001;
const deepestCause = 5;

/** What was thrown and what it wraps, outermost first. */
function causesOf(error: unknown): object[] {
  const causes: object[] = [];
  let cause = error;
  while (causes.length < deepestCause && typeof cause === "object" && cause !== null) {
    causes.push(cause);
    cause = "cause" in cause ? cause.cause : null;
  }
  return causes;
}

export function isClosedByUser(error: unknown): boolean {
  return causesOf(error).some(
    (cause) =>
      ("code" in cause && (cause.code === userRejected || cause.code === "ACTION_REJECTED")) ||
      ("name" in cause && cause.name === "UserRejectedRequestError"),
  );
}

/**
 * Refusals of tokens and nodes in a sentence each. They come without a code of their own: the selector of
 * ERC20InsufficientBalance or an older token's text for it, and every node's text for an account without ether.
 */
const refusals: readonly { pattern: RegExp; said: string }[] = [
  {
    pattern: /0xe450d38c|ERC20InsufficientBalance|transfer amount exceeds balance/i,
    said: "Your wallet doesn't hold that much.",
  },
  {
    pattern: /insufficient funds|gas required exceeds allowance/i,
    said: "Your wallet has too little ETH on Base to pay the gas.",
  },
];

/** What to say when a wallet doesn't do what was asked. */
export function walletProblem(error: unknown): string {
  if (isClosedByUser(error)) return "You closed the request. Nothing happened.";
  const causes = causesOf(error);
  const words = causes.map((cause) => ("message" in cause ? String(cause.message) : "")).join(" ");
  const known = refusals.find(({ pattern }) => pattern.test(words));
  if (known !== undefined) return known.said;
  const [outer] = causes;
  if (outer !== undefined && "shortMessage" in outer) return String(outer.shortMessage);
  return error instanceof Error && error.message !== "" ? error.message : "The wallet didn't answer.";
}
