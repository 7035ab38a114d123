import { useEffect, useState } from "react";
import { Button } from "./button.tsx";

const saidForMs = 2_000;

/** Puts a text on the clipboard; `said` is what came of it, for two seconds. */
function useCopy(text: string): { said: string | null; copy: () => void } {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), saidForMs);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      setSaid("Select it and copy");
    }
  };
  return { said, copy: () => void copy() };
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const { said, copy } = useCopy(text);
  return (
    <Button onClick={copy} aria-live="polite">
      {said ?? label}
    </Button>
  );
}

/** The short form of a hash or address, and the whole of it to copy. */
export function CopyHash({ value, short }: { value: string; short: string }) {
  const { said, copy } = useCopy(value);
  return (
    <span className="copy-hash">
      <span className="sum" title={value}>
        {short}
      </span>
      <button type="button" className="link link-row" aria-label={`Copy ${short}`} onClick={copy}>
        <span aria-live="polite">{said ?? "Copy"}</span>
      </button>
    </span>
  );
}
