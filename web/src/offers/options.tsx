import { SelectField, TextField } from "../ui/field.tsx";

export interface Options {
  lapseSeconds: number;
  expectedMinutes: number;
  /** A handle, or empty: an operator decides. */
  referee: string;
}
export const defaultOptions: Options = { lapseSeconds: 600, expectedMinutes: 60, referee: "" };

const lapses = [
  { value: "300", label: "5 minutes" },
  { value: "600", label: "10 minutes" },
  { value: "3600", label: "1 hour" },
  { value: "86400", label: "1 day" },
  { value: "604800", label: "7 days" },
];
const durations = [
  { value: "15", label: "15 minutes" },
  { value: "60", label: "1 hour" },
  { value: "180", label: "3 hours" },
  { value: "1440", label: "1 day" },
  { value: "10080", label: "7 days" },
];

/** How long the offer stands. */
export function LapseField({ seconds, onChange }: { seconds: number; onChange: (seconds: number) => void }) {
  return (
    <SelectField
      label="Lapses after"
      value={String(seconds)}
      onChoose={(value) => onChange(Number(value))}
      options={lapses}
    />
  );
}

export function OfferOptions({
  options,
  onChange,
  problem,
}: {
  options: Options;
  onChange: (options: Options) => void;
  problem: string | undefined;
}) {
  return (
    <>
      <LapseField
        seconds={options.lapseSeconds}
        onChange={(lapseSeconds) => onChange({ ...options, lapseSeconds })}
      />
      <SelectField
        label="The game takes"
        value={String(options.expectedMinutes)}
        onChoose={(value) => onChange({ ...options, expectedMinutes: Number(value) })}
        options={durations}
      />
      <TextField
        label="Referee"
        placeholder="The house"
        note="Decides if you two disagree."
        value={options.referee}
        error={problem}
        onText={(referee) => onChange({ ...options, referee })}
      />
    </>
  );
}
