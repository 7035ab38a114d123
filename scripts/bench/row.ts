/** One line of the benchmark: what we do, what the bare tool does in the same run, and their ratio. */
export interface Row {
  name: string;
  /** Figures with their units in the keys. */
  ours: Record<string, number>;
  baseline: Record<string, number>;
  /** Which way is better is said by `target`. */
  ratio: number;
  target: string;
  ok: boolean;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  return sorted[at] ?? Number.NaN;
}
export const median = (values: readonly number[]): number => quantile(values, 0.5);
export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

export function printRow(row: Row): void {
  const figures = (of: Record<string, number>): string =>
    Object.entries(of)
      .map(([key, value]) => `${key} ${value}`)
      .join(", ");
  console.log(`\n${row.name}`);
  console.log(`  ours      ${figures(row.ours)}`);
  console.log(`  baseline  ${figures(row.baseline)}`);
  console.log(`  ratio     ${row.ratio}   target ${row.target}   ${row.ok ? "met" : "NOT MET"}`);
}
