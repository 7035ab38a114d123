import { useState } from "react";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import { problemOf } from "../api/problem.ts";
import { meQuery } from "../api/queries.ts";
import { percent } from "../money/show.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useConfig } from "./use-me.ts";

/** Age and terms, before money and never before watching. */
export function TermsDialog({ onDone }: { onDone: (passed: boolean) => void }) {
  const config = useConfig();
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const accept = async (): Promise<void> => {
    setBusy(true);
    try {
      queryClient.setQueryData(meQuery.queryKey, await call("changeMe", { body: { acceptTerms: true } }));
      onDone(true);
    } catch (error) {
      setRefusal(problemOf(error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      title="Before money moves"
      description="Watching is free for everybody. Playing for money asks for this once."
      onClose={() => onDone(false)}
    >
      <ul className="stack" style={{ gap: "0.5rem", listStyle: "square", paddingLeft: "1.25rem" }}>
        <li>You are 18 or older, and playing for money is legal where you are.</li>
        <li>
          The house takes {config === undefined ? "its cut" : percent(config.rakeBps)} of a pot that is won.
          Refunds are free.
        </li>
        <li>While a game runs, the house holds the keys of its wallet.</li>
        <li>
          You have read{" "}
          <a className="link" href="/terms" target="_blank" rel="noreferrer">
            the terms
          </a>
          .
        </li>
      </ul>
      {refusal === null ? null : (
        <div className="field-error" role="alert">
          {refusal}
        </div>
      )}
      <div className="row">
        <Button kind="ink" isBusy={isBusy} onClick={() => void accept()}>
          I accept
        </Button>
        <Button onClick={() => onDone(false)}>Not now</Button>
      </div>
    </Dialog>
  );
}
