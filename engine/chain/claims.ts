/** What each provider by itself tells of the transfers in blocks that are about to be final. */
import { AdaptiveWidth } from "./adaptive-width.ts";
import type { Chain } from "./client.ts";
import type { Provider } from "./provider.ts";
import { logList } from "./raw-log.ts";
import { identityOf } from "./receipts.ts";
import { hex, transferTopic } from "./shapes.ts";
import { type TransferClaim, toClaims } from "./transfers.ts";

export type { TransferClaim } from "./transfers.ts";

export interface Testimony {
  provider: Provider;
  claims: TransferClaim[];
}

/** Widest question, in blocks. */
const maxRange = 2_000n;
/** How wide a question each provider takes, as learned so far. */
const widths = new WeakMap<Provider, AdaptiveWidth>();

/**
 * Asks the providers for every Transfer log of the tokens in a range, each alone. Those that can't answer are left out:
 * why is in their health.
 * @param keep of the many transfers of a token those that matter, so that no more are held
 */
export async function readTestimonies(
  chain: Chain,
  {
    tokens,
    keep,
    ...range
  }: {
    from: bigint;
    to: bigint;
    tokens: readonly string[];
    keep: (claims: TransferClaim[]) => Promise<TransferClaim[]>;
  },
): Promise<Testimony[]> {
  const well = chain.providers.filter(({ health }) => health.ok);
  const asked = well.length >= chain.quorum ? well : chain.providers;
  const answers = await Promise.allSettled(
    asked.map(async (provider): Promise<Testimony> => {
      const claims: TransferClaim[] = [];
      for (let from = range.from; from <= range.to; ) {
        const part = await readPart(provider, { from, to: range.to }, tokens);
        claims.push(...(await keep(part.claims)));
        from = part.to + 1n;
      }
      return { provider, claims };
    }),
  );
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
}

function readPart(
  provider: Provider,
  range: { from: bigint; to: bigint },
  tokens: readonly string[],
): Promise<{ to: bigint; claims: TransferClaim[] }> {
  const width = widths.get(provider) ?? new AdaptiveWidth(maxRange);
  widths.set(provider, width);
  const read = async ({ from, to }: { from: bigint; to: bigint }) => {
    const filter = { fromBlock: hex(from), toBlock: hex(to), address: tokens, topics: [transferTopic] };
    const shape = { parse: (answer: unknown) => toClaims(logList.parse(answer), tokens) };
    return { to, claims: await provider.ask("eth_getLogs", [filter], shape) };
  };
  return width.ask(range, read, ({ claims }) => claims.length);
}

export interface Weighed {
  /** As many as must agree tell of it, and the books don't. */
  late: TransferClaim[];
  /** The books tell of it, and as many as must agree don't. */
  denied: TransferClaim[];
  /** Some do and some don't, and neither are enough. */
  open: TransferClaim[];
}

/** Holds what the providers tell of some blocks against what the books hold of them. Pure. */
export function weighClaims(
  books: readonly TransferClaim[],
  testimonies: readonly Testimony[],
  quorum: number,
): Weighed {
  const weighed: Weighed = { late: [], denied: [], open: [] };
  const told = testimonies.map(({ claims }) => new Set(claims.map(identityOf)));
  const booked = new Set(books.map(identityOf));
  const all = [...books, ...testimonies.flatMap(({ claims }) => claims)];
  for (const [identity, claim] of new Map(all.map((one) => [identityOf(one), one]))) {
    const times = told.filter((one) => one.has(identity)).length;
    if (times >= quorum) {
      if (!booked.has(identity)) weighed.late.push(claim);
    } else if (told.length - times >= quorum) {
      if (booked.has(identity)) weighed.denied.push(claim);
    } else weighed.open.push(claim);
  }
  return weighed;
}

/** Writes into each provider's health where most of the others, or the only other one, say otherwise. */
export function noteDisagreements(testimonies: readonly Testimony[]): void {
  const told = testimonies.map(({ claims }) => new Map(claims.map((claim) => [identityOf(claim), claim])));
  const all = new Map(told.flatMap((one) => [...one]));
  const times = (identity: string): number => told.filter((one) => one.has(identity)).length;
  for (const [index, { provider }] of testimonies.entries()) {
    const own = told[index] ?? new Map<string, TransferClaim>();
    const [alone] = [...own].filter(([identity]) => 2 * times(identity) <= told.length);
    const [missing] = [...all].filter(
      ([identity]) => !own.has(identity) && 2 * times(identity) >= told.length,
    );
    provider.health.disagreement =
      told.length < 2
        ? null
        : (differs("only it tells", alone?.[1]) ?? differs("it doesn't tell", missing?.[1]));
  }
}

const differs = (who: string, claim: TransferClaim | undefined): string | null =>
  claim === undefined
    ? null
    : `${who} of ${claim.amount} of ${claim.token} in block ${claim.blockNumber}, transaction ${claim.txHash}`;
