import type { Guard } from "./guard.ts";

const fence = (name: string, file: string, guard: string, ...tests: string[]): Guard => ({
  name: `fence: ${name}`,
  file,
  guard,
  instead: guard.slice(guard.indexOf("\n") + 1),
  tests,
});

const held = 'await holdFence(tx, { name: "chain", fence: leadership.fence });\n';

/** What only the process that leads may write. */
export const fences: readonly Guard[] = [
  {
    name: "fence: work under an older lease is refused",
    file: "engine/db/lease.ts",
    guard: "if (rowCount !== 1) throw",
    instead: "if (rowCount === -1) throw",
    tests: ["test/db/sending.test.ts"],
  },
  {
    name: "fence: each holder has a number of its own",
    file: "engine/db/lease.ts",
    guard: "THEN 0 ELSE 1 END",
    instead: "THEN 0 ELSE 0 END",
    tests: ["test/db/sending.test.ts"],
  },
  fence(
    "who spends a nonce holds it",
    "engine/services/preparing.ts",
    `${held}    return allocateNonces(`,
    "test/services/distrust.test.ts",
  ),
  fence(
    "who spends a nonce for several holds it",
    "engine/services/batching.ts",
    `${held}        return allocateBatch(`,
    "test/services/distrust.test.ts",
  ),
  fence(
    "who keeps a signature holds it",
    "engine/services/sending.ts",
    `${held}      await storeAttempts(`,
    "test/services/distrust.test.ts",
  ),
  fence(
    "who notes what a node said holds it",
    "engine/services/sending.ts",
    `${held}    const answers = `,
    "test/services/distrust.test.ts",
  ),
];
