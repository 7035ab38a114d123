import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import { depositsQuery } from "../api/queries.ts";
import type { FoundDeposit } from "../api/shapes.ts";
import { usePress } from "../shell/use-press.ts";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";

const opensAfterMs = 60_000;

/** For money that doesn't show up: by the hash of its transaction. Opens itself after a minute without a deposit. */
export function FindDeposit() {
  const newest = useQuery(depositsQuery).data?.[0]?.id;
  const [isOpen, setOpen] = useState(false);
  const [hash, setHash] = useState("");
  const [isChecked, setChecked] = useState(false);
  const [found, setFound] = useState<FoundDeposit | null>(null);
  const press = usePress((txHash: string) => call("findDeposit", { body: { txHash } }));
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new deposit starts the minute again
  useEffect(() => {
    const timer = setTimeout(() => setOpen(true), opensAfterMs);
    return () => clearTimeout(timer);
  }, [newest]);
  const isHash = /^0x[0-9a-f]{64}$/i.test(hash.trim());
  const look = async (): Promise<void> => {
    setChecked(true);
    setFound(null);
    if (!isHash) return;
    const answer = await press.go(hash.trim().toLowerCase());
    setFound(answer);
    if (answer !== null && answer.deposits.length > 0)
      await queryClient.invalidateQueries({ queryKey: depositsQuery.queryKey });
  };
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Haven't seen it? Paste the transaction hash</summary>
      <form
        className="stack"
        aria-label="Find a deposit"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void look();
        }}
      >
        <TextField
          label="Transaction hash"
          placeholder="0x"
          value={hash}
          error={isChecked && !isHash ? "A transaction hash is 0x and 64 hex digits." : undefined}
          onText={setHash}
        />
        {press.problem === null ? null : <ProblemBox problem={press.problem} />}
        {found === null ? null : (
          <p className="box box-pad" aria-live="polite">
            {found.explanation}
          </p>
        )}
        <p>
          <Button type="submit" isBusy={press.isBusy}>
            Look for it
          </Button>
        </p>
      </form>
    </details>
  );
}
