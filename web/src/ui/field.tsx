import { type InputHTMLAttributes, type ReactNode, useId } from "react";

interface Shared {
  label: string;
  note?: ReactNode;
  error?: ReactNode;
}

/** Ids and ARIA of a field with its note and its error. */
function useFieldIds({ note, error }: Pick<Shared, "note" | "error">) {
  const id = useId();
  const describedBy = [note ? `${id}-note` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return {
    id,
    aria: {
      "aria-invalid": error ? true : undefined,
      "aria-describedby": describedBy === "" ? undefined : describedBy,
    },
  };
}

function Frame({ id, label, note, error, children }: Shared & { id: string; children: ReactNode }) {
  return (
    <div className="field">
      <label className="label" htmlFor={id}>
        {label}
      </label>
      {children}
      {note ? (
        <p className="field-note" id={`${id}-note`}>
          {note}
        </p>
      ) : null}
      {error ? (
        <div className="field-error" id={`${id}-error`}>
          {error}
        </div>
      ) : null}
    </div>
  );
}

interface TextProps extends Shared, Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "value"> {
  value: string;
  onText: (text: string) => void;
  /** Shown in the face of money. */
  isSum?: boolean;
}

export function TextField({ label, note, error, value, onText, isSum = false, ...input }: TextProps) {
  const { id, aria } = useFieldIds({ note, error });
  return (
    <Frame id={id} label={label} note={note} error={error}>
      <input
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        {...input}
        {...aria}
        id={id}
        className={isSum ? "sum" : undefined}
        inputMode={isSum ? "decimal" : input.inputMode}
        value={value}
        onChange={(event) => onText(event.target.value)}
      />
    </Frame>
  );
}

export function TextArea({
  label,
  note,
  error,
  value,
  onText,
  maxLength,
  rows = 3,
}: Shared & { value: string; onText: (text: string) => void; maxLength?: number; rows?: number }) {
  const { id, aria } = useFieldIds({ note, error });
  return (
    <Frame id={id} label={label} note={note} error={error}>
      <textarea
        {...aria}
        id={id}
        rows={rows}
        maxLength={maxLength}
        value={value}
        onChange={(event) => onText(event.target.value)}
      />
    </Frame>
  );
}

export function SelectField({
  label,
  note,
  error,
  value,
  onChoose,
  options,
}: Shared & {
  value: string;
  onChoose: (value: string) => void;
  options: readonly { value: string; label: string }[];
}) {
  const { id, aria } = useFieldIds({ note, error });
  return (
    <Frame id={id} label={label} note={note} error={error}>
      <select {...aria} id={id} value={value} onChange={(event) => onChoose(event.target.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </Frame>
  );
}

/** A few choices side by side; radio buttons for the keyboard and for screen readers. */
export function Choices<Value extends string>({
  label,
  value,
  onChoose,
  options,
}: {
  label: string;
  value: Value | null;
  onChoose: (value: Value) => void;
  options: readonly { value: Value; label: string }[];
}) {
  const name = useId();
  return (
    <fieldset className="field">
      <legend className="label">{label}</legend>
      <div className="choices">
        {options.map((option) => (
          <label className="choice" key={option.value}>
            <input
              type="radio"
              name={name}
              checked={option.value === value}
              onChange={() => onChoose(option.value)}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
