// Only what needs types: everything else is Biome's.
import tseslint from "typescript-eslint";

/** Which layers a layer may not import. The references in the tsconfig files say the same to the compiler. */
const forbidden = {
  "engine/core": ["contract", "db", "chain", "services", "workers", "http", "realtime", "wallets"],
  "engine/contract": ["db", "chain", "services", "workers", "http", "realtime", "wallets"],
  "engine/db": ["chain", "services", "workers", "http", "realtime", "wallets"],
  "engine/chain": ["db", "services", "workers", "http", "realtime", "wallets"],
  wallets: ["db", "chain", "services", "workers", "http", "realtime"],
  "engine/services": ["workers", "http", "realtime"],
  "engine/workers": ["http", "realtime"],
  "engine/http": ["db", "chain", "wallets", "workers", "realtime"],
  "engine/realtime": ["db", "chain", "wallets", "workers", "http"],
  web: ["db", "chain", "services", "workers", "http", "realtime", "wallets"],
};

export default tseslint.config(
  {
    ignores: [
      "node_modules",
      ".tsbuild",
      ".data",
      "web/dist",
      "out",
      "cache",
      "**/*.js",
      "**/*.mjs",
      "*.config.ts",
      "web/*.config.ts",
    ],
  },
  {
    files: ["**/*.ts", "**/*.tsx"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/await-thenable": "error",
    },
  },
  {
    files: ["engine/{chain,db,http,realtime,services,workers}/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: ":function CallExpression[callee.object.name='z'][callee.property.name!='safeParse']",
          message: "A schema made in a function is compiled at each call: make it once, outside.",
        },
      ],
    },
  },
  ...Object.entries(forbidden).map(([layer, others]) => ({
    files: [`${layer}/**/*.ts`, `${layer}/**/*.tsx`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              regex: `^(\\.\\./)+(engine/)?(${others.join("|")})/`,
              message: "This import points against the layers of the engine (README, How it is built).",
            },
          ],
        },
      ],
    },
  })),
);
