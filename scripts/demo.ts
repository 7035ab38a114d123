/**
 * `npm run demo`: the whole story against a fresh engine, over its public HTTP and socket API, with real transfers. Ends
 * with every balance read from the chain, and with exit code 1 when one of them is off by a single unit.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address } from "viem";
import { formatAmount } from "../engine/core/money.ts";
import { type Actor, enter } from "./demo/actors.ts";
import { balanceOnChain, checkChain } from "./demo/checks.ts";
import { type LocalEngine, startLocalEngine } from "./local/engine.ts";
import { usdcAddress } from "./local/tokens.ts";

const decimals = 6;
const usdc = (whole: number): bigint => BigInt(whole) * 1_000_000n;
const show = (amount: bigint): string => `${formatAmount(amount, decimals)} USDC`;
const token = usdcAddress as Address;

let step = 0;
function say(what: string, detail = ""): void {
  step += 1;
  console.log(`${String(step).padStart(2)}. ${what}${detail === "" ? "" : `\n    ${detail}`}`);
}

async function deposit(actor: Actor, amount: bigint): Promise<Address> {
  const { address } = await actor.api.call("readDepositAddress");
  const hash = await actor.pay({ token, to: address as Address, amount });
  await actor.live.until(
    "deposit:update",
    ({ deposit }) => deposit.txHash === hash && deposit.state !== "seen",
  );
  say(`${actor.name} deposits ${show(amount)}`, `${hash} to ${address}: credited`);
  await actor.live.until(
    "deposit:update",
    ({ deposit }) => deposit.txHash === hash && deposit.state === "final",
  );
  return address as Address;
}

async function play(engine: LocalEngine): Promise<boolean> {
  const { origin, rpcUrl } = engine;
  const marcus = await enter({ origin, rpcUrl, accountIndex: 1, handle: "marcus" });
  const ana = await enter({ origin, rpcUrl, accountIndex: 2, handle: "ana" });
  const operator = await enter({ origin, rpcUrl, accountIndex: 9, handle: "operator" });
  const actors = [marcus, ana, operator];
  try {
    say(
      "Marcus, Ana and the operator sign in with Ethereum",
      actors.map(({ address }) => address).join(", "),
    );
    const config = await marcus.api.call("readConfig");
    const house = config.houseAddress as Address;
    const before = {
      marcus: await balanceOnChain(rpcUrl, token, marcus.address),
      ana: await balanceOnChain(rpcUrl, token, ana.address),
      house: await balanceOnChain(rpcUrl, token, house),
    };
    const marcusDeposit = await deposit(marcus, usdc(80));
    const anaDeposit = await deposit(ana, usdc(100));
    await ana.api.call("changeMe", { body: { winningsTo: "wallet" } });
    say("Ana wants her winnings in her wallet; Marcus keeps his in the pool");

    const offer = await marcus.api.call("propose", {
      body: {
        opponent: { handle: "ana" },
        token,
        proposerStake: `${usdc(50)}`,
        takerStake: `${usdc(10)}`,
        terms: "First to 21",
        expectedMinutes: 30,
      },
    });
    say(
      "Marcus: my 50.00 to your 10.00",
      `offer ${offer.id}: Ana would get ${show(BigInt(offer.takerWinGets.amount))}`,
    );
    const counter = await ana.api.call("counterProposal", {
      params: { id: offer.id },
      body: { proposerStake: `${usdc(20)}`, takerStake: `${usdc(60)}`, terms: "First to 21, win by two" },
    });
    say("Ana counters: my 20.00 to your 60.00, win by two", `offer ${counter.id}`);
    const { gameId } = await marcus.api.call("acceptProposal", { params: { id: counter.id } });
    const game = await marcus.api.call("readGame", { params: { id: gameId } });
    say(
      "Marcus takes it",
      `game ${gameId}, pot ${show(BigInt(game.pot.amount))} to escrow wallet ${game.escrow.address}`,
    );
    const funded = await marcus.live.until(
      "game:pool-update",
      (update) => update.gameId === gameId && update.escrow.txHash !== null,
    );
    say("The pot moves into its escrow wallet", `${funded.escrow.txHash}`);

    await marcus.api.call("reportResult", { params: { id: gameId }, body: { outcome: "red" } });
    await ana.api.call("reportResult", { params: { id: gameId }, body: { outcome: "red" } });
    const receipt = await ana.api.call("readReceipt", { params: { id: gameId } });
    say(
      "Both report: Ana won",
      `she gets ${show(BigInt(receipt.outputs.red))}, the house ${show(BigInt(receipt.outputs.rake))}`,
    );
    const paid = await ana.live.until("game:payout-complete", (update) => update.gameId === gameId, 120_000);
    say("Ana is paid to her wallet", `${paid.payout.txHash}`);

    const rest = usdc(80) - usdc(60);
    const withdrawal = await marcus.api.call("withdraw", {
      body: { token, amount: `${rest}`, address: marcus.address },
    });
    const left = await marcus.live.until(
      "withdrawal:update",
      (update) => update.withdrawal.id === withdrawal.id && update.withdrawal.state === "final",
      120_000,
    );
    say(`Marcus withdraws the rest, ${show(rest)}`, `${left.withdrawal.txHash}`);

    const plan = await operator.api.call("sweep", { body: { token, dryRun: true } });
    say(
      "The operator looks what a sweep would move",
      `${show(BigInt(plan.total.amount))} to ${plan.destination}`,
    );
    await operator.api.call("sweep", { body: { token, dryRun: false, confirmTotal: plan.total.amount } });
    await untilHeld(rpcUrl, house, before.house + BigInt(receipt.outputs.rake));
    say("The rake is swept to the house wallet");

    const solvency = await untilBooksBalance(operator);
    say("The books balance", solvency);
    const pot = usdc(80);
    const rake = BigInt(receipt.outputs.rake);
    const { exact, lines } = await checkChain({
      rpcUrl,
      token,
      show,
      expected: [
        { who: "Marcus' wallet", address: marcus.address, amount: before.marcus - usdc(60) },
        { who: "Ana's wallet", address: ana.address, amount: before.ana - usdc(100) + pot - rake },
        { who: "the house wallet", address: house, amount: before.house + rake },
        { who: "the vault (Ana's pool)", address: engine.vaultAddress as Address, amount: usdc(80) },
        { who: "the escrow wallet", address: game.escrow.address as Address, amount: 0n },
        { who: "Marcus' deposit address", address: marcusDeposit, amount: 0n },
        { who: "Ana's deposit address", address: anaDeposit, amount: 0n },
      ],
    });
    say("Every balance, read from the chain", `\n    ${lines.join("\n    ")}`);
    return exact;
  } finally {
    for (const { live } of actors) live.close();
  }
}

async function untilHeld(rpcUrl: string, address: Address, amount: bigint): Promise<void> {
  await until(async () => (await balanceOnChain(rpcUrl, token, address)) >= amount, "the sweep on the chain");
}

/** The check runs by itself; this waits for one that was made after the last transfer became final. */
async function untilBooksBalance({ api }: Actor): Promise<string> {
  let line = "";
  const startedAt = new Date().toISOString();
  await until(async () => {
    const solvency = await api.call("readSolvency");
    line = solvency.invariants.map(({ number, ok }) => `${number} ${ok ? "ok" : "BROKEN"}`).join(", ");
    return solvency.booksBalance && solvency.checkedAt !== null && solvency.checkedAt > startedAt;
  }, "a check of the books");
  return line;
}

async function until(condition: () => Promise<boolean>, what: string, timeoutMs = 120_000): Promise<void> {
  const giveUpAtMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAtMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const dataDir = await mkdtemp(join(tmpdir(), "on-the-rail-demo-"));
let exact = false;
try {
  console.log("On the Rail, from nothing: a Postgres, a local Base, an engine.\n");
  const engine = await startLocalEngine({ dataDir, port: 0, persist: false, logLevel: "warn" });
  try {
    say("The engine runs", engine.origin);
    exact = await play(engine);
  } finally {
    await engine.stop();
  }
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
console.log(exact ? "\nExact to the last unit." : "\nNOT exact: see above.");
process.exit(exact ? 0 : 1);
