import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

export interface CornerSide {
  name: string;
  /** The player's page, or null: "Anyone" has none. */
  handle: string | null;
  stake: ReactNode;
  /** A line under the stake, such as what this side reported. */
  note?: ReactNode;
}

/** Red is the proposer and left, blue the taker and right, always; the words say it too. */
export function Corners({ red, blue, big = false }: { red: CornerSide; blue: CornerSide; big?: boolean }) {
  return (
    <div className={`corners${big ? " corners-big" : ""}`}>
      <Corner colour="red" seat="Proposer" side={red} />
      <Corner colour="blue" seat="Taker" side={blue} />
    </div>
  );
}

export function Corner({
  colour,
  seat,
  side: { name, handle, stake, note },
}: {
  colour: "red" | "blue";
  seat: string;
  side: CornerSide;
}) {
  return (
    <div className={`corner corner-${colour}`}>
      <span className="corner-side">
        {colour} · {seat}
      </span>
      {handle === null ? (
        <span className="corner-name">{name}</span>
      ) : (
        <Link className="corner-name" to="/p/$handle" params={{ handle }}>
          {name}
        </Link>
      )}
      <span className="corner-stake">{stake}</span>
      {note ? <span>{note}</span> : null}
    </div>
  );
}
