/**
 * Writes wallets/executor-code.ts: what the compiler makes of the batch executor. Kept, because its address follows from it
 * and production has no compiler. `npm run executor` writes it; the tests fail when it is out of date.
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compileContracts, contractNamed } from "./local/contracts.ts";

const file = fileURLToPath(new URL("../wallets/executor-code.ts", import.meta.url));
const { creationCode } = contractNamed(await compileContracts(), "BatchExecutor");
await writeFile(
  file,
  `/**
 * What the compiler makes of contracts/BatchExecutor.sol, without its constructor's argument; \`npm run executor\` writes it.
 * Another code has another address: every wallet would have to be authorised anew.
 */
export const executorCreationCode =
  "${creationCode}";
`,
);
console.log("wallets/executor-code.ts is written.");
