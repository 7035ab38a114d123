import { useState } from "react";
import { Dialog } from "../ui/dialog.tsx";
import { isClosedByUser, walletProblem } from "../wallet/refusal.ts";
import { type SignInStep, signIn } from "../wallet/session.ts";
import { useWallet } from "../wallet/store.ts";
import { useConfig } from "./use-me.ts";
import { WalletList } from "./wallet-list.tsx";

const stepWords: Record<SignInStep, string> = {
  connecting: "First of two: choose the account in your wallet.",
  signing: "Second of two: sign the message in your wallet.",
  checking: "Checking the signature.",
};

export function SignInDialog({ onDone }: { onDone: (passed: boolean) => void }) {
  const wallet = useWallet();
  const isLocal = useConfig()?.chainIsLocal === true;
  const [step, setStep] = useState<SignInStep | null>(null);
  const [refusal, setRefusal] = useState<{ text: string; walletId: string } | null>(null);

  const start = async (walletId: string): Promise<void> => {
    setRefusal(null);
    try {
      await signIn(walletId, setStep);
      onDone(true);
    } catch (error) {
      const text = isClosedByUser(error) ? "You closed the request. Nothing happened." : walletProblem(error);
      setRefusal({ text, walletId });
    } finally {
      setStep(null);
    }
  };

  return (
    <Dialog
      title="Sign in"
      description="You sign one message to prove the address is yours. It cannot move money and costs no gas."
      onClose={() => onDone(false)}
    >
      {refusal === null ? null : (
        <div className="field-error row" role="alert">
          <span>{refusal.text}</span>
          <button type="button" className="btn" onClick={() => void start(refusal.walletId)}>
            Try again
          </button>
        </div>
      )}
      {step === null ? null : (
        <p className="strip" style={{ border: "2px solid" }} aria-live="polite">
          {stepWords[step]}
        </p>
      )}
      <WalletList wallet={wallet} isBusy={step !== null} onChoose={(id) => void start(id)} />
      {isLocal ? (
        <p className="field-note">
          This is a local chain: the dev wallets hold play money. Open a private window to be the other
          player.
        </p>
      ) : null}
    </Dialog>
  );
}
