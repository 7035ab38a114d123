import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Empty, Loaded } from "./states.tsx";

/** A list with a heading: a line for each item, or a sentence where there is none. */
export function ListSection<Item>({
  id,
  title,
  query,
  empty,
  gap = "1rem",
  children,
}: {
  /** Of the heading. */
  id: string;
  title: string;
  query: UseQueryResult<Item[]>;
  empty: string;
  gap?: string;
  /** Draws an item as an `li` with a key. */
  children: (item: Item) => ReactNode;
}) {
  return (
    <section className="stack" aria-labelledby={id}>
      <div className="section-head">
        <h2 id={id}>{title}</h2>
      </div>
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
    </section>
  );
}
