import { books } from "./books.ts";
import { fences } from "./fences.ts";
import { finality } from "./finality.ts";
import { foreseen } from "./foreseen.ts";
import type { Guard } from "./guard.ts";
import { uniqueKeys } from "./keys.ts";
import { locks } from "./locks.ts";
import { paying } from "./paying.ts";
import { reading } from "./reading.ts";
import { recovery } from "./recovery.ts";
import { signing } from "./signing.ts";
import { suspense } from "./suspense.ts";
import { tokens } from "./tokens.ts";

/** Everything that stands between a mistake and somebody's money. */
export const guards: readonly Guard[] = [
  ...uniqueKeys,
  ...locks,
  ...finality,
  ...fences,
  ...foreseen,
  ...signing,
  ...tokens,
  ...suspense,
  ...recovery,
  ...books,
  ...reading,
  ...paying,
];
