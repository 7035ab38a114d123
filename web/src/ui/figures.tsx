import type { ReactNode } from "react";

/** A printed table of labels and numbers. A number that isn't known yet stays blank; its label doesn't. */
export function Figures({ lines }: { lines: readonly { label: string; value: ReactNode }[] }) {
  return (
    <dl className="figures">
      {lines.map(({ label, value }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
