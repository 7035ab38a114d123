/** The engine in several processes' worth of parts: one for the chain with the keys, two that serve people without. */
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import type { Address } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../engine/config.ts";
import { type Engine, startEngine } from "../../engine/main.ts";
import { LiveRoomClient } from "../../scripts/client/live.ts";
import { type Actor, enter } from "../../scripts/demo/actors.ts";
import { findFreePort } from "../../scripts/local/processes.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from "../helpers/database.ts";
import { waitFor } from "../helpers/wait.ts";
import { isAlive, type Run, run } from "../local/started-engine.ts";

const stake = 10_000_000n;
let database: TestDatabase;
let chain: TestChain;
let parts: Record<"chain" | "left" | "right", Engine>;
let marcus: Actor;
let ana: Actor;

async function start(role: "chain" | "api", port?: string): Promise<Engine> {
  return startEngine(
    readConfig({
      ROLE: role,
      PORT: port ?? String(await findFreePort()),
      DATABASE_URL: database.appUrl,
      BASE_RPC_URLS: `${chain.rpcUrl},${chain.wsUrl}`,
      LOG_LEVEL: process.env.TEST_LOG ?? "fatal",
    }),
  );
}

beforeAll(async () => {
  [database, chain] = await Promise.all([createTestDatabase(), startTestChain({ blockTimeSeconds: 1 })]);
  // At once: those without keys wait until the wallets are there.
  const [left, right, leader] = await Promise.all([start("api"), start("api"), start("chain")]);
  parts = { left, right, chain: leader };
  await chain.setEther(leader.gasAddress as Address, 10n ** 20n);
  const { rpcUrl } = chain;
  marcus = await enter({ origin: left.origin, rpcUrl, accountIndex: 1, handle: "marcus" });
  ana = await enter({ origin: right.origin, rpcUrl, accountIndex: 2, handle: "ana" });
});
afterAll(async () => {
  for (const actor of [marcus, ana]) actor?.live.close();
  for (const engine of Object.values(parts ?? {})) await engine.stop();
  await chain?.stop();
  await database?.drop();
});

describe("roles", () => {
  it("a process for the chain serves machines and nobody else", async () => {
    const ask = async (path: string): Promise<number> =>
      (await fetch(`${parts.chain.address}${path}`)).status;
    expect(await ask("/health/live")).toBe(200);
    expect(await ask("/metrics")).toBe(200);
    for (const path of ["/api/config", "/api/me", "/", "/docs", "/socket.io/?EIO=4&transport=polling"])
      expect([path, await ask(path)]).toEqual([path, 404]);
  });

  it("a process whose port is taken says so, and what to do", async () => {
    const { port } = new URL(parts.left.address);
    await expect(start("api", port)).rejects.toThrow(
      `PORT: another program listens on 127.0.0.1:${port}; stop that one, or name another port.`,
    );
  });

  it("players on different processes deposit, agree on a wager and hear of it at once", async () => {
    for (const actor of [marcus, ana]) {
      const { address } = await actor.api.call("readDepositAddress");
      await chain.mint(chain.usdc, address as Address, 2n * stake);
      await actor.live.until("deposit:update", ({ deposit }) => deposit.state === "final");
    }
    const offer = await marcus.api.call("propose", {
      body: {
        opponent: { handle: "ana" },
        token: chain.usdc,
        proposerStake: stake.toString(),
        takerStake: "5000000",
        terms: "First to 21",
        lapseSeconds: 3_600,
        expectedMinutes: 60,
      },
    });
    await ana.live.until("proposal:update", ({ proposal }) => proposal.id === offer.id);
    const { gameId } = await ana.api.call("acceptProposal", { params: { id: offer.id } });
    // The chain's part moves the pot; both sides hear when it lies in the escrow.
    for (const { live } of [marcus, ana])
      await live.until("game:update", ({ game }) => game.id === gameId && game.state === "playing");
    const { escrow } = await marcus.api.call("readGameWallet", { params: { id: gameId } });
    await waitFor(
      async () => (await chain.balanceOf(chain.usdc, escrow.address as Address)) === 15_000_000n,
      {
        what: "the pot in the escrow",
        timeoutMs: 20_000,
      },
    );
  });

  it("events of a room come without a gap, whichever process tells them", async () => {
    const numbers = (actor: Actor): number[] => actor.live.heard.map(({ sequence }) => sequence);
    for (const actor of [marcus, ana]) {
      const heard = numbers(actor);
      expect(heard).toEqual(heard.map((_, index) => (heard[0] ?? 0) + index));
    }
  });

  it("an overlay's old link dies on every process", async () => {
    const { path } = await marcus.api.call("rotateOverlay");
    const overlayToken = new URL(path, parts.left.origin).searchParams.get("token") ?? "";
    const overlays = [parts.left, parts.right].map(
      ({ origin }) => new LiveRoomClient({ origin, namespace: "/arena", overlayToken }),
    );
    await waitFor(() => overlays.every(({ socket }) => socket.connected), { what: "both overlays" });
    await marcus.api.call("rotateOverlay");
    await waitFor(() => overlays.every(({ socket }) => socket.disconnected), { what: "the end of both" });
    for (const overlay of overlays) {
      expect(overlay.heard.some(({ name }) => name === "overlay:replaced")).toBe(true);
      overlay.close();
    }
  });

  it("signing out on one process closes the session's sockets on the other", async () => {
    const visitor = await enter({
      origin: parts.left.origin,
      rpcUrl: chain.rpcUrl,
      accountIndex: 3,
      handle: "visitor",
    });
    const elsewhere = new LiveRoomClient({
      origin: parts.right.origin,
      namespace: "/",
      cookieHeader: visitor.api.cookieHeader,
    });
    await waitFor(() => elsewhere.socket.connected, { what: "the socket on the other process" });
    await visitor.api.call("logout");
    await waitFor(() => elsewhere.socket.disconnected && visitor.live.socket.disconnected, {
      what: "the end of both sockets",
    });
    elsewhere.close();
    visitor.live.close();
  });

  it("whichever process relays may stop: another one takes over", async () => {
    const offerReaches = async (actor: Actor): Promise<void> => {
      const made = await actor.api.call("propose", {
        body: {
          opponent: null,
          token: chain.usdc,
          proposerStake: "1",
          takerStake: "1",
          terms: "Who blinks first",
          lapseSeconds: 3_600,
          expectedMinutes: 60,
        },
      });
      await actor.live.until("proposal:update", ({ proposal }) => proposal.id === made.id);
    };
    marcus.live.close();
    await parts.left.stop();
    await offerReaches(ana);
    // One of the two did the relaying: now the other one goes.
    parts.left = await start("api");
    const { rpcUrl } = chain;
    marcus = await enter({ origin: parts.left.origin, rpcUrl, accountIndex: 1, handle: "marcus" });
    ana.live.close();
    await parts.right.stop();
    await offerReaches(marcus);
  });
});

describe("three whole engines that start at once on an empty database", () => {
  const engines: { part: Run; origin: string }[] = [];
  let empty: TestDatabase;
  let base: TestChain;
  let books: pg.Client;
  beforeAll(async () => {
    [empty, base] = await Promise.all([createEmptyDatabase(), startTestChain({ blockTimeSeconds: 1 })]);
    books = new pg.Client({ connectionString: empty.ownerUrl });
    await books.connect();
    const ports = await Promise.all([findFreePort(), findFreePort(), findFreePort()]);
    for (const port of ports) {
      const part = run("start.ts", [], {
        PORT: String(port),
        DATABASE_URL: empty.appUrl,
        DATABASE_OWNER_URL: empty.ownerUrl,
        DATABASE_SIGNER_URL: empty.signerUrl,
        BASE_RPC_URLS: `${base.rpcUrl},${base.wsUrl}`,
        LOG_LEVEL: "info",
      });
      engines.push({ part, origin: `http://localhost:${port}` });
    }
  });
  afterAll(async () => {
    for (const { part } of engines) if (isAlive(part.pid)) part.signal("SIGKILL");
    await books?.end();
    await base?.stop();
    await empty?.drop();
  });

  const read = async (text: string): Promise<unknown[]> => (await books.query(text)).rows;
  /** The fence of each lead over the chain's work that any of them has told of. */
  const leads = (): number[] =>
    engines
      // The last line may not be whole yet.
      .flatMap(({ part }) => part.output().split("\n").slice(0, -1))
      .filter((line) => line.includes("this process leads"))
      .map((line) => JSON.parse(line) as { work: string; fence: number })
      .filter(({ work }) => work === "chain")
      .map(({ fence }) => fence);

  it("make one schema, one vault and one gas wallet; one leads at a time, and a deposit counts once (SAFETY 44)", async () => {
    for (const { part, origin } of engines) {
      const isReady = async (): Promise<boolean> => {
        if (!isAlive(part.pid)) throw new Error(part.errors());
        return (await fetch(`${origin}/health/ready`)).ok;
      };
      await waitFor(isReady, { what: "all three to be ready", timeoutMs: 30_000, everyMs: 50 });
    }
    const migrations = await readdir(fileURLToPath(new URL("../../engine/db/migrations", import.meta.url)));
    expect(await read("SELECT name FROM migration ORDER BY name")).toEqual(
      migrations.sort().map((file) => ({ name: file.replace(/\.sql$/, "") })),
    );
    expect(await read("SELECT purpose FROM wallet WHERE purpose IN ('vault', 'gas') ORDER BY 1")).toEqual([
      { purpose: "gas" },
      { purpose: "vault" },
    ]);

    const [gas] = (await read("SELECT address FROM wallet WHERE purpose = 'gas'")) as { address: Address }[];
    await base.setEther(gas?.address as Address, 10n ** 20n);
    const { origin = "" } = engines[1] ?? {};
    const visitor = await enter({ origin, rpcUrl: base.rpcUrl, accountIndex: 1, handle: "marcus" });
    visitor.live.close();
    const { address } = await visitor.api.call("readDepositAddress");
    await base.mint(base.usdc, address as Address, stake);
    const deposits = "SELECT amount, state, credited FROM deposit";
    await waitFor(async () => (await read(`${deposits} WHERE state = 'final'`)).length > 0, {
      what: "the deposit to be final",
      timeoutMs: 20_000,
    });
    const work = "SELECT kind, amount FROM instruction ORDER BY kind";
    await waitFor(async () => (await read(work)).length > 1, {
      what: "the deposit to be collected",
      timeoutMs: 20_000,
    });
    expect(await read(deposits)).toEqual([{ amount: stake.toString(), state: "final", credited: true }]);
    expect(await read(work)).toEqual([
      { kind: "collect", amount: stake.toString() },
      { kind: "deploy", amount: "0" },
    ]);
    // Under load the lead may pass to another: never does one have it while it is another's.
    expect(await read("SELECT fence::int FROM lease WHERE name = 'chain'")).toEqual([
      { fence: leads().length },
    ]);
    expect(leads().sort((a, b) => a - b)).toEqual(leads().map((_, index) => index + 1));
    for (const { part } of engines) part.signal("SIGTERM");
    expect(await Promise.all(engines.map(({ part }) => part.ended()))).toEqual([0, 0, 0]);
  });
});
