import { fileURLToPath } from "node:url";

/** What Node is told to `--import` so that it runs our TypeScript. */
export const loader = fileURLToPath(new URL("../../engine/loader.mjs", import.meta.url));
