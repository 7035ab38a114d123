import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**", "node_modules/**"],
    globalSetup: ["test/helpers/global-setup.ts"],
    // Only a failure takes so long; a busy machine must not look like one.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    // The files of one worker load the libraries once; what they start (databases, chains, engines) is each file's own.
    isolate: false,
  },
});
