import { type RefCallback, useState } from "react";
import type { Me } from "../../../engine/contract/account.ts";
import { WalletList } from "../shell/wallet-list.tsx";
import { AddressBlocks } from "../ui/address.tsx";
import { Button } from "../ui/button.tsx";
import { useInPlace } from "../ui/use-in-place.ts";
import { walletProblem } from "../wallet/refusal.ts";
import { linkWallet } from "../wallet/session.ts";
import { useWallet } from "../wallet/store.ts";
import { useChangeMe } from "./settings.tsx";

export function Wallets({ me }: { me: Me }) {
  const { change, isBusy } = useChangeMe();
  const linking = useInPlace();
  const isPaidHere = me.winningsTo === "wallet";
  return (
    <section className="stack" aria-labelledby="wallets">
      <div className="section-head">
        <h2 id="wallets">Your wallets</h2>
      </div>
      <ul className="stack">
        {me.wallets.map(({ address, primary }) => (
          <li key={address} className="box box-pad row" style={{ justifyContent: "space-between" }}>
            <AddressBlocks address={address} />
            {primary ? (
              <span className="call">{isPaidHere ? "Payouts go here" : "Main wallet"}</span>
            ) : (
              <Button isBusy={isBusy} onClick={() => void change({ primaryWallet: address })}>
                {isPaidHere ? "Send payouts here" : "Make it the main wallet"}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {linking.isOpen ? (
        <LinkWallet opened={linking.opened} onDone={linking.close} />
      ) : (
        <p>
          <Button ref={linking.opener} onClick={linking.open}>
            Link another wallet
          </Button>
        </p>
      )}
    </section>
  );
}

function LinkWallet({ opened, onDone }: { opened: RefCallback<HTMLElement>; onDone: () => void }) {
  const wallet = useWallet();
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const link = async (walletId: string): Promise<void> => {
    setBusy(true);
    setRefusal(null);
    try {
      await linkWallet(walletId, () => undefined);
      onDone();
    } catch (error) {
      setRefusal(walletProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="box box-pad stack" ref={opened}>
      <p>The wallet that you choose signs one message. It costs no gas.</p>
      {refusal === null ? null : (
        <div className="field-error" role="alert">
          {refusal}
        </div>
      )}
      <WalletList wallet={wallet} isBusy={isBusy} onChoose={(id) => void link(id)} />
      <p>
        <Button onClick={onDone}>Back</Button>
      </p>
    </div>
  );
}
