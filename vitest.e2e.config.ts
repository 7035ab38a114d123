import { defineConfig } from "vitest/config";

/** Whole stories against a started engine and a real browser: each file with its own engine. */
export default defineConfig({
  test: {
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: ["test/helpers/global-setup.ts"],
    // Only a failure takes so long; a busy machine must not look like one.
    testTimeout: 480_000,
    hookTimeout: 240_000,
    maxWorkers: 2,
    fileParallelism: true,
  },
});
