import { Link } from "@tanstack/react-router";
import { Fragment, type ReactNode } from "react";

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
        <span className="corner-name">
          <Name text={name} />
        </span>
      ) : (
        <Link className="corner-name" to="/p/$handle" params={{ handle }}>
          <Name text={name} />
        </Link>
      )}
      <span className="corner-stake">{stake}</span>
      {note ? <span>{note}</span> : null}
    </div>
  );
}

/** A handle that may break after its underscores instead of anywhere. */
function Name({ text }: { text: string }) {
  return text.split(/(?<=_)/).map((part, place) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the place is the only identity a part has
    <Fragment key={place}>
      {part}
      <wbr />
    </Fragment>
  ));
}
