/** The states that every screen has before and beside its content: ruled boxes with only the numbers missing. */
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { problemOf } from "../api/problem.ts";
import { Button, buttonClass } from "./button.tsx";

export function Blank({ label }: { label: string }) {
  return (
    <div className="box box-pad" aria-busy="true">
      <p className="label">{label}</p>
      <p className="sum" aria-hidden="true">
        ––
      </p>
    </div>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <div className="box box-pad smoke">{children}</div>;
}

/** No second look would find it: there is no such thing, or the address can't be one of ours. */
export function isOfNothing(error: unknown): boolean {
  const { status } = problemOf(error);
  return status === 404 || status === 400;
}

function WayHome() {
  return (
    <p>
      <Link className={buttonClass("ink")} to="/">
        To the front page
      </Link>
    </p>
  );
}

/** A whole page of its own: an address with nothing behind it. */
export function Nowhere({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="box box-pad stack">
      <h1>{title}</h1>
      <p>{children}</p>
      <WayHome />
    </section>
  );
}

export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = problemOf(error);
  const isNowhere = isOfNothing(error);
  return (
    <div className="box box-pad stack" role="alert">
      <p className="label">{isNowhere ? "Nothing here" : "Couldn't read this"}</p>
      <p>{problem.message}</p>
      {isNowhere ? <WayHome /> : null}
      {onRetry === undefined || isNowhere ? null : (
        <p>
          <Button onClick={onRetry}>Try again</Button>
        </p>
      )}
    </div>
  );
}

/** Draws a query: its label while it loads, what went wrong, or its content. Old content stays while it is read again. */
export function Loaded<Data>({
  query,
  label,
  isPage = false,
  children,
}: {
  query: UseQueryResult<Data>;
  label: string;
  /** This is the whole page: its label is the heading until the content brings its own. */
  isPage?: boolean;
  children: (data: NonNullable<Data>) => ReactNode;
}) {
  const { data, error, refetch } = query;
  if (data !== undefined && data !== null) return <>{children(data)}</>;
  return (
    <>
      {isPage ? <h1 className="sr-only">{label}</h1> : null}
      {error === null ? <Blank label={label} /> : <Failure error={error} onRetry={() => void refetch()} />}
    </>
  );
}
