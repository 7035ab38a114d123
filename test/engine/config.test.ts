import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigError, readConfig, variables } from "../../engine/config.ts";
import { startEngine } from "../../engine/main.ts";

const local = {
  DATABASE_URL: "postgres://a:b@127.0.0.1:5432/c",
  BASE_RPC_URLS: "http://127.0.0.1:8545,ws://127.0.0.1:8545",
};
const real = {
  ...local,
  BASE_RPC_URLS: "https://base.example/key",
  PUBLIC_ORIGIN: "https://rail.example",
  DATABASE_SIGNER_URL: "postgres://keys@db.example/rail",
  KEYSTORE_FILE: "/etc/rail/keystore.json",
  OPERATORS: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
};
const problemsOf = (environment: Record<string, string>): string[] => {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};

describe("the configuration", () => {
  it("has a default for everything but the database and the nodes", () => {
    expect(readConfig(local)).toMatchObject({
      PORT: 4200,
      PUBLIC_ORIGIN: "http://localhost:4200",
      RAKE_BPS: 500,
      nodesAreLoopback: true,
    });
    expect(problemsOf({})).toHaveLength(2);
  });

  it.each([
    ["PORT", "0x10"],
    ["PORT", "70000"],
    ["RAKE_BPS", "5 %"],
    ["RAKE_BPS", "-1"],
    ["HOUSE_ADDRESS", "0x4ba550190e5793752c4248098ebb85c977815ddC"],
    ["TOKENS", "0x123"],
    ["DATABASE_URL", "mysql://a"],
    ["DEPOSIT_TIERS", '{"canary"'],
    ["DEPOSIT_TIERS", "canary"],
    ["COLLECT_MINIMUM", '{"nobody":"1"}'],
  ])("refuses %s=%s, names the variable and never repeats a value", (name, value) => {
    const [problem = ""] = problemsOf({ ...local, [name]: value });
    expect(problem).toMatch(new RegExp(`^${name}`));
    expect(problem).not.toContain(value);
  });

  it("takes real nodes only with https, a seed of one's own and an operator", () => {
    expect(problemsOf(real)).toEqual([]);
    for (const name of ["PUBLIC_ORIGIN", "KEYSTORE_FILE", "DATABASE_SIGNER_URL", "OPERATORS"] as const) {
      const { [name]: _, ...rest } = real;
      expect(problemsOf(rest).join()).toContain(name);
    }
    expect(problemsOf({ ...real, PUBLIC_ORIGIN: "http://rail.example" }).join()).toContain("PUBLIC_ORIGIN");
  });

  it("stands in the README, every variable of it", () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    for (const name of Object.keys(variables)) expect(readme).toContain(`\`${name}\``);
  });

  it("says which item of a list is wrong, once, and in plain words", () => {
    const tokens = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913,0x12";
    expect(problemsOf({ ...local, TOKENS: tokens, LOG_LEVEL: "loud", BASE_RPC_URLS: "ftp://a" })).toEqual([
      "LOG_LEVEL: This must be fatal or error or warn or info or debug or trace.",
      "BASE_RPC_URLS, item 1: must be an http, https, ws or wss address.",
      "TOKENS, item 2: An address is 0x and 40 hex digits.",
    ]);
  });

  it("takes no provider for two", () => {
    const twice = (urls: string) => problemsOf({ ...local, BASE_RPC_URLS: urls });
    const problem = "BASE_RPC_URLS: two http addresses are on one host, whose word would count as two.";
    expect(twice("http://127.0.0.1:8545/a,http://127.0.0.1:8546,http://127.0.0.1:8545/b")).toEqual([problem]);
    expect(twice("http://127.0.0.1:8545,ws://127.0.0.1:8545,http://127.0.0.1:8546")).toEqual([]);
  });

  it("names each database login that doesn't work, before anything else is tried", async () => {
    const nobody = "postgres://somebody:secret@127.0.0.1:1/none";
    const starting = startEngine(readConfig({ ...local, DATABASE_URL: nobody, DATABASE_OWNER_URL: nobody }));
    const { problems } = await starting.then(
      () => expect.unreachable(),
      (error: unknown) => error as ConfigError,
    );
    expect(problems).toEqual([
      "DATABASE_OWNER_URL: no login at this Postgres: connect ECONNREFUSED 127.0.0.1:1",
      "DATABASE_URL: no login at this Postgres: connect ECONNREFUSED 127.0.0.1:1",
    ]);
  });
});
