/** Runs one local engine until told to stop; see engine-process.ts. */
import { type LocalEngineOptions, startLocalEngine } from "../local/engine.ts";

const engine = await startLocalEngine(JSON.parse(process.argv[2] ?? "{}") as LocalEngineOptions);
const { stop, ...facts } = engine;
process.on("message", (message) => {
  if (message === "stop") void stop().finally(() => process.exit(0));
});
process.once("disconnect", () => void stop().finally(() => process.exit(0)));
process.send?.(facts);
