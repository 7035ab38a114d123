import type { Guard } from "./guard.ts";

/** Tokens that are new, halted or out of play. */
export const tokens: readonly Guard[] = [
  {
    name: "what wallets hold of a new token isn't nothing where a node fails",
    file: "engine/services/token-watch.ts",
    guard: "if (error instanceof RpcRefusedError) return",
    instead: "if (error !== null) return",
    tests: ["test/services/token-watch.test.ts"],
  },
  {
    name: "a token that answers nothing isn't one",
    file: "engine/chain/tokens.ts",
    guard: " || error instanceof BaseError",
    instead: "",
    tests: ["test/chain/fees.test.ts"],
  },
  {
    name: "a token that we hold already isn't listed",
    file: "engine/services/token-watch.ts",
    guard: "if (holder !== null)",
    instead: "if (false as boolean)",
    tests: ["test/services/token-watch.test.ts"],
  },
  {
    name: "a token is tried before it is listed",
    file: "engine/foundation.ts",
    guard: "if (unfit.length > 0) throw",
    instead: "if (false as boolean) throw",
    tests: ["test/services/token-watch.test.ts"],
  },
  {
    name: "a token out of play is followed and shown",
    file: "engine/db/tokens.ts",
    guard: '"SELECT address, symbol, decimals, listed FROM token ORDER BY listed DESC, position, address"',
    instead: '"SELECT address, symbol, decimals, listed FROM token WHERE listed ORDER BY position"',
    tests: ["test/engine/tokens.test.ts"],
  },
  {
    name: "what is owed of a token out of play is signed for",
    file: "engine/signer-main.ts",
    guard: "tokens: [...tokens, ...unchanged].map(",
    instead: "tokens: tokens.map(",
    tests: ["test/engine/tokens.test.ts"],
  },
  {
    name: "no new offers in a token out of play",
    file: "engine/services/tokens.ts",
    guard: "if (token.listed) return",
    instead: "if (token !== undefined) return",
    tests: ["test/engine/tokens.test.ts"],
  },
  {
    name: "only the process that leads lists tokens",
    file: "engine/services/token-watch.ts",
    guard: 'await holdFence(tx, { name: "chain", fence });',
    instead: "",
    tests: ["test/services/token-watch.test.ts"],
  },
  {
    name: "a token's replaced code stops what leaves",
    file: "engine/services/token-watch.ts",
    guard: 'await insertBreach(tx, { invariant: "token code", detail });',
    instead: "",
    tests: ["test/services/token-watch.test.ts"],
  },
];
