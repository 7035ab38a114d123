import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Empty, Loaded } from "./states.tsx";

interface Props<Item> {
  title: string;
  query: UseQueryResult<Item[]>;
  empty: string;
  gap?: string;
  /** Draws an item as an `li` with a key. */
  children: (item: Item) => ReactNode;
}

/** A list with a heading. `id`: of the heading. */
export function ListSection<Item>({ id, ...list }: Props<Item> & { id: string }) {
  return (
    <section className="stack" aria-labelledby={id}>
      <div className="section-head">
        <h2 id={id}>{list.title}</h2>
      </div>
      <List {...list} />
    </section>
  );
}

/** A line for each item, or a sentence where there is none. */
export function List<Item>({ title, query, empty, gap = "1rem", children }: Props<Item>) {
  return (
    <Loaded query={query} label={title}>
      {(items) =>
        items.length === 0 ? (
          <Empty>{empty}</Empty>
        ) : (
          <ul className="stack" style={{ gap }}>
            {items.map(children)}
          </ul>
        )
      }
    </Loaded>
  );
}
