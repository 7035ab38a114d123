/** The two gates, drawn. A chunk of its own: nobody needs it to watch. */
import { useSyncExternalStore } from "react";
import { gates } from "./gates.ts";
import { SignInDialog } from "./sign-in-dialog.tsx";
import { TermsDialog } from "./terms-dialog.tsx";

export default function GateDialogs() {
  const open = useSyncExternalStore(gates.subscribe, gates.current);
  if (open === null) return null;
  return open.gate === "sign_in" ? (
    <SignInDialog onDone={open.answer} />
  ) : (
    <TermsDialog onDone={open.answer} />
  );
}
