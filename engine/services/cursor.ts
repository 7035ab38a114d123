/** Places in lists that go from new to old, as text for clients. They are opaque, and belong to the list they came from. */
import type { Below } from "../db/page.ts";

const pattern = /^([0-9]{1,15})_([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** The place that a cursor names; null for one that we never gave. */
export function placeOf(cursor: string): Below | null {
  const match = pattern.exec(cursor);
  return match?.[1] === undefined || match[2] === undefined
    ? null
    : { at: new Date(Number(match[1])), id: match[2] };
}

/** A page of at most `limit` out of `limit + 1` that were read; `placeOfItem` is where an item stands. */
export function pageOf<Row, Item>(
  rows: Row[],
  limit: number,
  { place, item }: { place: (row: Row) => Below; item: (row: Row) => Item },
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const nextCursor =
    rows.length <= limit || last === undefined ? null : `${place(last).at.getTime()}_${place(last).id}`;
  return { items: shown.map(item), nextCursor };
}
