/** Watching: what a block costs when 15, 10,000 and 1,000,000 addresses are ours. */
import { median, type Row, round } from "./row.ts";
import { startWatchedChain, toAddress, type WatchedChain } from "./watched-chain.ts";

const sizes = [15, 10_000, 1_000_000];
const rounds = 9;
const blocks = 10;
/** Of 250 transfers in a block so many are deposits of players. */
const depositsPerBlock = 5;
const mostRatio = 1.5;

export async function benchWatching(): Promise<Row> {
  const world = await startWatchedChain({ players: sizes[0] as number });
  try {
    await world.catchUp();
    const perBlock: number[] = [];
    for (const [index, size] of sizes.entries()) {
      await growTo(world, size, sizes[index - 1] ?? size);
      perBlock.push(await costOfABlock(world));
    }
    const [few = Number.NaN, some = Number.NaN, many = Number.NaN] = perBlock.map((ms) => round(ms));
    return {
      name: "A block of 250 transfers, when 1,000,000 addresses are watched, against 15",
      ours: { addresses: 1_000_000, msPerBlock: many, msPerBlockOf10000: some },
      baseline: { addresses: 15, msPerBlock: few },
      ratio: round(many / few),
      target: `<= ${mostRatio}`,
      ok: many / few <= mostRatio,
    };
  } finally {
    await world.stop();
  }
}

/** The table is what is watched: further rows are further addresses. */
async function growTo({ owner }: WatchedChain, size: number, had: number): Promise<void> {
  if (size === had) return;
  await owner.query(
    `INSERT INTO wallet (purpose, derivation_index, address)
     SELECT 'deposit', 1000000 + n, '0xdd' || lpad(to_hex(n), 38, '0') FROM generate_series($1::int, $2::int) AS n`,
    [had + 1, size],
  );
  // What the database does after so many new rows is no part of watching.
  await owner.query("VACUUM ANALYZE wallet");
}

async function costOfABlock(world: WatchedChain): Promise<number> {
  const others = Array.from({ length: 250 - depositsPerBlock }, (_, index) => toAddress(1_000 + index));
  const costs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (let block = 0; block < blocks; block += 1) {
      const ours = Array.from({ length: depositsPerBlock }, (_, index) => block + index);
      const paid = ours.map(
        (index) => world.depositAddresses[index % world.depositAddresses.length] as string,
      );
      await world.payAll([...others, ...paid]);
    }
    costs.push((await world.catchUp()) / blocks);
  }
  return median(costs);
}
