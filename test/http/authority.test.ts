/**
 * SAFETY 30: every route of the contract with the victim's ids, asked by nobody, a stranger, the opponent and the operator.
 * A route that is added to the map is tried by itself; one that takes a body fails here until it has an example.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createChain } from "../../engine/chain/client.ts";
import { type Route, type RouteName, routes } from "../../engine/contract/routes.ts";
import type { Context } from "../../engine/services/context.ts";
import { startTestChain, type TestChain } from "../helpers/chain.ts";
import { usdc } from "../services/wager-world.ts";
import { type Answer, type Browser, newAccount, openSite, type Player, type Site } from "./site.ts";

type Caller = "nobody" | "stranger" | "opponent" | "operator";
const callers: Caller[] = ["nobody", "stranger", "opponent", "operator"];
const all = Object.entries(routes) as [RouteName, Route][];

/** What the opponent may do with an offer to them and a game of both: the only rights that ids give to others. */
const opponentMay = new Set<RouteName>([
  "acceptProposal",
  "counterProposal",
  "declineProposal",
  "reportResult",
  "addEvidence",
]);

let base: TestChain;
let chain: Context["chain"];
let site: Site;
let victim: Player;
let opponent: Player;
let browsers: Record<Caller, Browser>;
/** What only the victim may see. */
let secrets: string[];

beforeAll(async () => {
  const operator = newAccount();
  base = await startTestChain();
  chain = await createChain({ rpcUrls: [base.rpcUrl], expectedChainId: 8453, requestTimeoutMs: 60_000 });
  site = await openSite({
    chain,
    settings: { operatorAddresses: new Set([operator.address.toLowerCase()]) },
  });
  const baseUnits = 1_000_000_000_000n;
  [victim, opponent] = [await site.player({ baseUnits }), await site.player({ baseUnits })];
  const stranger = await site.player({ baseUnits });
  const official = await site.player({ account: operator, baseUnits });
  browsers = {
    nobody: site.browser(),
    stranger: stranger.browser,
    opponent: opponent.browser,
    operator: official.browser,
  };
  const { address } = await victim.browser.get("readDepositAddress");
  secrets = [address, await anOffer(), await aGame()];
});
afterAll(async () => {
  await site?.end();
  await chain?.close();
  await base?.stop();
});

const terms = { proposerStake: "50000000", takerStake: "10000000", terms: "First to 21." };
const offer = () => ({ ...terms, opponent: { handle: opponent.handle }, token: usdc });
const anOffer = async () => (await victim.browser.get("propose", { body: offer() })).id;
async function aGame(): Promise<string> {
  const { gameId } = await opponent.browser.get("acceptProposal", { params: { id: await anOffer() } });
  return gameId;
}
/** A game whose players disagree. */
async function aDispute(): Promise<string> {
  const id = await aGame();
  await victim.browser.get("reportResult", { params: { id }, body: { outcome: "red" } });
  await opponent.browser.get("reportResult", { params: { id }, body: { outcome: "blue" } });
  return id;
}
/** One on which the victim has spoken, so that evidence is taken. */
async function aReport(): Promise<string> {
  const id = await aGame();
  await victim.browser.get("reportResult", { params: { id }, body: { outcome: "red" } });
  return id;
}
async function aDeposit(): Promise<string> {
  const [vault] = await site.rows("SELECT id FROM wallet WHERE purpose = 'vault'");
  const hash = `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex")}`;
  const [log] = await site.rows(
    `INSERT INTO chain_log (tx_hash, token, ordinal, sender, recipient, amount, block_number, block_hash, log_index,
       stamped_at, kind, recipient_wallet_id)
     VALUES ($1, $2, 0, $3, $3, 5, 1, $1, 0, now(), 'deposit', $4) RETURNING id`,
    [hash, usdc, `0x${"77".repeat(20)}`, vault?.id],
  );
  const [deposit] = await site.rows(
    `INSERT INTO deposit (chain_log_id, token, amount, wallet_id, suspense_cause, suspense_state, state)
     VALUES ($1, $2, 5, $3, 'unknown_sender', 'open', 'final') RETURNING id`,
    [log?.id, usdc, vault?.id],
  );
  return String(deposit?.id);
}
async function aWithdrawal(): Promise<string> {
  const body = { token: usdc, amount: "1", address: victim.account.address };
  return (await victim.browser.get("withdraw", { body })).id;
}
const oneRow = async (text: string) => String((await site.rows(text))[0]?.id);

/** The id that goes into a route's path: one of the victim's, fresh for each try. */
async function idFor(name: RouteName, { path }: Route): Promise<string> {
  if (path.includes("/suspense/")) return aDeposit();
  if (path.includes("/instructions/")) return oneRow("SELECT id FROM instruction ORDER BY id DESC LIMIT 1");
  if (path.includes("/wallets/")) return oneRow("SELECT id FROM wallet WHERE purpose = 'vault'");
  if (path.includes("/breaches/"))
    return oneRow(`INSERT INTO breach (invariant, detail) VALUES ('1', gen_random_uuid()) RETURNING id`);
  if (path.includes("/withdrawals/")) return aWithdrawal();
  if (path.includes("/proposals/")) return anOffer();
  if (name === "addEvidence") return aReport();
  return name === "reportResult" ? aGame() : aDispute();
}

const reason = "Because I say so.";
const examples: Partial<Record<RouteName, () => Promise<object> | object>> = {
  createChallenge: () => ({ address: victim.account.address }),
  verifyChallenge: () => victim.browser.challenge(victim.account),
  createLinkChallenge: () => ({ address: newAccount().address }),
  linkWallet: () => victim.browser.linkChallenge(newAccount()),
  changeMe: () => ({ winningsTo: "wallet" }),
  findDeposit: () => ({ txHash: `0x${"ab".repeat(32)}` }),
  withdraw: () => ({ token: usdc, amount: "1", address: victim.account.address }),
  propose: offer,
  counterProposal: () => terms,
  reportResult: () => ({ outcome: "blue" }),
  addEvidence: () => ({ text: "I was there." }),
  decideGame: () => ({ outcome: "blue", reason }),
  decideDispute: () => ({ outcome: "blue", reason }),
  undoSettlement: () => ({ reason }),
  refundSuspense: () => ({ reason }),
  assignSuspense: () => ({ reason, handle: victim.handle }),
  retryInstruction: () => ({ reason }),
  giveBack: () => ({ reason }),
  liftBreach: () => ({ reason }),
  thawWallet: () => ({ reason }),
  sweep: () => ({ token: usdc, dryRun: true }),
  setSwitch: () => ({ name: "deposits", on: true, reason }),
};

async function ask(
  name: RouteName,
  route: Route,
  caller: Caller,
): Promise<{ answer: Answer; changed: string[]; refusals: number }> {
  const params = { id: "", handle: victim.handle, room: victim.handle };
  if (route.path.includes(":id")) params.id = await idFor(name, route);
  const body = (await examples[name]?.()) ?? {};
  const [before, refusalsBefore] = [await tablesNow(), await refusalsNow()];
  const answer = await browsers[caller].copy().ask(name, { params, body });
  const after = await tablesNow();
  const changed = [...after]
    .filter(([table, digest]) => before.get(table) !== digest)
    .map(([table]) => table);
  return { answer, changed, refusals: (await refusalsNow()) - refusalsBefore };
}

/** A digest of each table, but for those that only say who signed in and who was refused, and wallets in reserve. */
async function tablesNow(): Promise<Map<string, string>> {
  const tables = await site.rows(
    `SELECT relname::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
       AND relname NOT IN ('audit', 'session', 'sign_in_challenge', 'migration')`,
  );
  const text = tables
    .map(
      ({ name }) =>
        `SELECT '${name}' AS name, md5(string_agg(md5(row::text), '' ORDER BY row::text)) AS digest FROM ${source(String(name))} AS row`,
    )
    .join(" UNION ALL ");
  return new Map((await site.rows(text)).map(({ name, digest }) => [String(name), String(digest)]));
}
const source = (table: string) =>
  table === "wallet" ? "(SELECT * FROM wallet WHERE num_nonnulls(player_id, game_id) = 1)" : table;
const refusalsNow = async () =>
  Number((await site.rows("SELECT count(*) AS n FROM audit WHERE action LIKE 'refused:%'"))[0]?.n);

const isOf = (access: Route["access"]) => all.filter(([, route]) => route.access === access);
const withId = ([, { path }]: [RouteName, Route]) => path.includes(":");

test.each(all.filter(([, { access }]) => access !== "public"))(
  "nobody: %s is for people who have signed in",
  async (name, route) => {
    const { answer, changed } = await ask(name, route, "nobody");
    expect(`${answer.status} ${answer.body.code}`).toBe("401 not_signed_in");
    expect(changed).toEqual([]);
  },
);

test.each(
  isOf("operator").flatMap(([name, route]) =>
    (["stranger", "opponent"] as const).map((caller) => ({ name, route, caller })),
  ),
)("$caller: $name is for operators, and the try is written down", async ({ name, route, caller }) => {
  const { answer, changed, refusals } = await ask(name, route, caller);
  expect(`${answer.status} ${answer.body.code}`).toBe("403 not_allowed");
  expect(changed).toEqual([]);
  expect(refusals).toBe(1);
});

test.each(isOf("operator"))("operator: %s is theirs to ask", async (name, route) => {
  const { answer } = await ask(name, route, "operator");
  expect([400, 401, 403, 404, 500]).not.toContain(answer.status);
});

test.each(
  isOf("player")
    .filter(withId)
    .flatMap(([name, route]) => callers.slice(1).map((caller) => ({ name, route, caller }))),
)("$caller: $name with an id of the victim's", async ({ name, route, caller }) => {
  const { answer, changed, refusals } = await ask(name, route, caller);
  if (caller === "opponent" && opponentMay.has(name)) {
    expect(answer.status).toBe(200);
    return;
  }
  expect([403, 404]).toContain(answer.status);
  expect(changed).toEqual([]);
  expect(refusals).toBe(answer.status === 403 ? 1 : 0);
});

test.each(
  isOf("player")
    .filter((entry) => !withId(entry) && entry[0] !== "logout")
    .flatMap(([name, route]) =>
      (["stranger", "operator"] as const).map((caller) => ({ name, route, caller })),
    ),
)("$caller: $name shows and changes nothing of the victim's", async ({ name, route, caller }) => {
  const before = await allOf(victim);
  const { answer } = await ask(name, route, caller);
  expect([400, 500]).not.toContain(answer.status);
  for (const secret of secrets) expect(JSON.stringify(answer.body)).not.toContain(secret);
  expect(await allOf(victim)).toEqual(before);
});

/** Everything that the victim's own pages show. */
const allOf = async ({ browser }: Player) => [
  await browser.get("readMe"),
  await browser.get("readBalances"),
  await browser.get("readHistory"),
  await browser.get("listWithdrawals"),
];

test.each(isOf("public").filter(([, { method }]) => method === "GET"))(
  "nobody: %s is for everybody and changes nothing",
  async (name, route) => {
    const { answer, changed } = await ask(name, route, "nobody");
    expect([200, 404]).toContain(answer.status);
    expect(changed).toEqual([]);
  },
);

test.each(callers)("%s: the victim's signed message doesn't let another browser in", async (caller) => {
  const body = await victim.browser.challenge(victim.account);
  const answer = await browsers[caller].copy().ask("verifyChallenge", { body });
  expect(answer.status).toBe(401);
  expect(answer.headers["set-cookie"]).toBeUndefined();
});
