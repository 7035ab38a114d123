/** What must be true of a world that has come to rest, by the chain's word and our own arithmetic. */
import { z } from "zod";
import { checkBooks } from "../../engine/services/books.ts";
import type { Context } from "../../engine/services/context.ts";
import { houseAddress } from "../../scripts/local/bare-context.ts";
import type { Player } from "./players.ts";
import { startingTokens, tokens, unitOf, type World } from "./world.ts";

const transferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const logShape = z.array(
  z.object({
    address: z.string(),
    transactionHash: z.string(),
    topics: z.array(z.string()),
    data: z.string(),
  }),
);

/** Sentences about what is wrong; none when all is well. */
export async function findFaults(world: World, context: Context): Promise<string[]> {
  const found = [
    await booksAreRight(context),
    await nothingIsOpen(world),
    await walletsHoldTheirAccounts(world),
    await paidOnce(world),
    await everybodyHasTheirs(world),
  ];
  return found.flat();
}

async function booksAreRight(context: Context): Promise<string[]> {
  const invariants = await checkBooks(context);
  return invariants
    .filter(({ ok, detail }) => !ok || detail !== null)
    .map(({ number, name, detail }) => `invariant ${number} (${name}): ${detail}`);
}

async function nothingIsOpen(world: World): Promise<string[]> {
  const rows = await world.rows<{ fault: string }>(`
    SELECT 'breach: ' || invariant || ': ' || detail AS fault FROM breach WHERE lifted_at IS NULL
    UNION ALL SELECT 'instruction ' || id || ' (' || kind || ') is ' || state || ': ' || coalesce(note, 'without a reason')
      FROM instruction WHERE state NOT IN ('final', 'cancelled')
    UNION ALL SELECT 'wallet ' || address || ' is frozen: ' || frozen_reason FROM wallet WHERE frozen_reason IS NOT NULL
    UNION ALL SELECT 'offer ' || id || ' is pending' FROM proposal WHERE state = 'pending'
    UNION ALL SELECT 'game ' || id || ' is ' || state FROM game WHERE state NOT IN ('settled', 'refunded')
    UNION ALL SELECT 'deposit ' || id || ' is ' || state FROM deposit WHERE state NOT IN ('final', 'orphaned')`);
  return rows.map(({ fault }) => fault);
}

/** With nothing on its way, a wallet holds exactly what its accounts make: no allowance for anything. */
async function walletsHoldTheirAccounts(world: World): Promise<string[]> {
  const rows = await world.rows<{ address: string; token: string; amount: string }>(`
    SELECT wallet.address, token.address AS token,
      coalesce(sum(CASE kind WHEN 'house.loss' THEN -balance ELSE balance END), 0) AS amount
    FROM wallet CROSS JOIN token LEFT JOIN account ON wallet_id = wallet.id AND account.token = token.address
    WHERE wallet.address IS NOT NULL GROUP BY wallet.address, token.address`);
  const faults: string[] = [];
  for (const { address, token, amount } of rows) {
    const held = await world.chain.balanceOf(token, address);
    if (held !== BigInt(amount))
      faults.push(`wallet ${address} holds ${held} of ${token}, its accounts make ${amount}`);
  }
  return faults;
}

/** Every transfer out of our wallets is one instruction's, of its amount to its address, and each has exactly one. */
async function paidOnce(world: World): Promise<string[]> {
  const ours = new Set(
    (await world.rows<{ address: string }>("SELECT address FROM wallet WHERE address IS NOT NULL")).map(
      ({ address }) => address,
    ),
  );
  const filter = { fromBlock: "0x0", toBlock: "latest", topics: [transferTopic] };
  const logs = logShape.parse(await world.chain.call("eth_getLogs", [filter]));
  const addressOf = (topic: string | undefined): string => `0x${(topic ?? "").slice(-40)}`;
  const sent = logs
    .filter(({ topics: [, from] }) => ours.has(addressOf(from)))
    .map(
      ({ address, transactionHash, topics: [, from, to], data }) =>
        `${transactionHash}: ${BigInt(data)} of ${address.toLowerCase()} from ${addressOf(from)} to ${addressOf(to)}`,
    );
  const owed = (
    await world.rows<Record<"hash" | "amount" | "token" | "source" | "destination", string>>(`
      SELECT mined_hash AS hash, amount, token, wallet.address AS source, destination
      FROM instruction JOIN instruction_tx ON instruction_id = instruction.id AND instruction_tx.state = 'final'
        JOIN wallet ON wallet.id = source_wallet_id
      WHERE instruction.state = 'final' AND token IS NOT NULL`)
  ).map(
    ({ hash, amount, token, source, destination }) =>
      `${hash}: ${amount} of ${token} from ${source} to ${destination}`,
  );
  world.counts.payouts = owed.length;
  return [
    ...withoutThose(sent, owed).map((line) => `not owed, or paid twice: ${line}`),
    ...withoutThose(owed, sent).map((line) => `final in the books and not on the chain: ${line}`),
  ];
}

/** Each as often as it comes more. */
function withoutThose(lines: string[], others: string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}

/**
 * What people hold on the chain and in the pool is what they began with, what they won and lost, and what others have
 * sent to their deposit addresses; what the house bore for a deposit that the chain lost for good stays with its player. The rake is with the house.
 */
async function everybodyHasTheirs(world: World): Promise<string[]> {
  const faults: string[] = [];
  for (const { address: token, symbol } of tokens) {
    let rake = 0n;
    const games = await readResults(world, token);
    for (const game of games) rake += game.rake;
    for (const player of [...world.players, ...world.operators]) {
      const { has, should } = await weigh(world, player, token, games);
      if (has !== should) faults.push(`${player.name} has ${has} ${symbol} and should have ${should}`);
    }
    const atHouse = await world.chain.balanceOf(token, houseAddress);
    if (atHouse !== rake) faults.push(`the house has ${atHouse} ${symbol} and has earned ${rake}`);
  }
  return faults;
}

async function weigh(world: World, player: Player, token: string, games: GameResult[]) {
  const [row] = await world.rows<Record<"pool" | "borne" | "given", string>>(
    `SELECT (SELECT coalesce(sum(balance), 0) FROM account WHERE player_id = $1 AND token = $2) AS pool,
       (SELECT coalesce(sum(CASE reason WHEN 'loss_booked' THEN amount ELSE -amount END), 0)
        FROM transfer JOIN account ON account.id = CASE reason WHEN 'loss_booked' THEN credit_account_id ELSE debit_account_id END
        WHERE reason IN ('loss_booked', 'loss_repaid') AND account.player_id = $1 AND transfer.token = $2) AS borne,
       (SELECT coalesce(sum(deposit.amount), 0) FROM deposit JOIN chain_log ON chain_log.id = chain_log_id
        WHERE deposit.state = 'final' AND player_id = $1 AND deposit.token = $2 AND sender <> $3) AS given`,
    [player.id, token, player.address],
  );
  const has = BigInt(row?.pool ?? 0) + (await world.chain.balanceOf(token, player.address));
  const won = games.reduce((sum, game) => sum + (game.won.get(player.id) ?? 0n), 0n);
  const began = startingTokens * unitOf(token);
  return { has, should: began + won + BigInt(row?.borne ?? 0) + BigInt(row?.given ?? 0) };
}

interface GameResult {
  /** What each player has more or less afterwards. */
  won: Map<string, bigint>;
  rake: bigint;
}

/** From stakes and outcomes alone, by the written rule: 5 % of the pot, never more than the losing stake. */
async function readResults(world: World, token: string): Promise<GameResult[]> {
  const rows = await world.rows<
    Record<"red" | "blue" | "red_stake" | "blue_stake" | "rake_bps" | "outcome", string>
  >(
    `SELECT red_player_id AS red, blue_player_id AS blue, red_stake, blue_stake, rake_bps, outcome
     FROM game JOIN settlement ON game_id = game.id AND undone_at IS NULL WHERE token = $1`,
    [token],
  );
  return rows.map(({ red, blue, outcome, ...stakes }) => {
    if (outcome !== "red" && outcome !== "blue") return { won: new Map(), rake: 0n };
    const [redStake, blueStake] = [BigInt(stakes.red_stake), BigInt(stakes.blue_stake)];
    const losing = outcome === "red" ? blueStake : redStake;
    const share = ((redStake + blueStake) * BigInt(stakes.rake_bps)) / 10_000n;
    const rake = share < losing ? share : losing;
    const [winner, loser] = outcome === "red" ? [red, blue] : [blue, red];
    return {
      won: new Map([
        [winner, losing - rake],
        [loser, -losing],
      ]),
      rake,
    };
  });
}
