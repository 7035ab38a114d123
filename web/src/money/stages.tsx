/** Base's own stages of a transfer, and how long each usually takes. */
const stages = [
  { name: "Seen", time: "at once" },
  { name: "In a block", time: "2 s" },
  { name: "Posted", time: "2 min" },
  { name: "Final", time: "20 min" },
] as const;

export function Stages({ reached, label }: { reached: number; label: string }) {
  return (
    <ol className="stages" aria-label={label}>
      {stages.map(({ name, time }, place) => (
        <li
          key={name}
          data-reached={place < reached}
          aria-current={place === reached - 1 ? "step" : undefined}
        >
          <b>{name}</b>
          {place < reached ? (
            "Done"
          ) : (
            <>
              <span className="sr-only">to come, </span>
              {time}
            </>
          )}
        </li>
      ))}
    </ol>
  );
}
