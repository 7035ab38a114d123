import { shortHash } from "../ui/address.tsx";
import { Button } from "../ui/button.tsx";
import type { WalletState } from "../wallet/store.ts";
import { loadWallets } from "../wallet/store.ts";

/** The wallets that announced themselves. The one that already answers this page comes first and says so. */
export function WalletList({
  wallet,
  isBusy,
  onChoose,
}: {
  wallet: WalletState;
  isBusy: boolean;
  onChoose: (walletId: string) => void;
}) {
  if (wallet.status === "failed") {
    return (
      <div className="field-error row" role="alert">
        <span>The wallet part of this page didn't load.</span>
        <Button onClick={() => void loadWallets().catch(() => undefined)}>Try again</Button>
      </div>
    );
  }
  if (wallet.status !== "ready") return <p aria-busy="true">Looking for wallets.</p>;
  if (wallet.found.length === 0) {
    return (
      <p>
        No wallet found in this browser. Install one for Base, or open this page in your wallet app's own
        browser.
      </p>
    );
  }
  const connectedId = wallet.connected?.walletId;
  const ordered = [...wallet.found].sort(
    (a, b) => Number(b.id === connectedId) - Number(a.id === connectedId),
  );
  return (
    <ul className="stack" style={{ gap: "0.5rem" }} aria-label="Wallets">
      {ordered.map(({ id, name, icon }) => (
        <li key={id}>
          <Button
            className="w-full"
            kind={id === connectedId ? "ink" : "plain"}
            isBusy={isBusy}
            onClick={() => onChoose(id)}
          >
            {icon === null ? null : <img src={icon} alt="" width="24" height="24" />}
            <span>{name}</span>
            {id === connectedId && wallet.connected !== null ? (
              <span className="sum" style={{ textTransform: "none" }}>
                {shortHash(wallet.connected.address)}
              </span>
            ) : null}
          </Button>
        </li>
      ))}
    </ul>
  );
}
