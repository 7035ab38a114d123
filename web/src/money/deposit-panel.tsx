/** Money in: straight from the wallet in this browser first, or by hand to the player's own address. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Me } from "../../../engine/contract/account.ts";
import { parseAmount } from "../../../engine/core/money.ts";
import { depositAddressQuery, depositsQuery } from "../api/queries.ts";
import { ask } from "../shell/gates.ts";
import { type Token, useConfig, useToken } from "../shell/use-me.ts";
import { WalletList } from "../shell/wallet-list.tsx";
import { shortHash } from "../ui/address.tsx";
import { Button, MoneyButton } from "../ui/button.tsx";
import { Choices, TextField } from "../ui/field.tsx";
import { Loaded } from "../ui/states.tsx";
import { walletProblem } from "../wallet/refusal.ts";
import { loadWallets, useWallet } from "../wallet/store.ts";
import { ByHand } from "./deposit-by-hand.tsx";
import { Stages } from "./stages.tsx";

export function DepositPanel({ me, initialAmount }: { me: Me; initialAmount: string }) {
  const { token, choose } = useToken();
  const tokens = useConfig()?.tokens ?? [];
  const address = useQuery({ ...depositAddressQuery, enabled: me.termsAcceptedAt !== null });
  const [amountText, setAmountText] = useState(initialAmount === "" ? "25.00" : initialAmount);
  return (
    <section className="ticket" aria-labelledby="deposit">
      <div className="ticket-head">
        <h2 id="deposit" className="label" style={{ fontSize: "1.25rem" }}>
          Deposit
        </h2>
        <span className="label">{token?.symbol}</span>
      </div>
      <div className="ticket-body">
        <Choices
          label="Token"
          value={token?.address ?? null}
          onChoose={choose}
          options={tokens.map(({ address: value, symbol }) => ({ value, label: symbol }))}
        />
        {me.termsAcceptedAt === null ? (
          <div className="stack">
            <p>Your deposit address stands here once you have accepted the terms.</p>
            <p>
              <Button kind="ink" onClick={() => void ask("terms")}>
                Read and accept the terms
              </Button>
            </p>
          </div>
        ) : (
          <Loaded query={address} label="Your deposit address">
            {(own) =>
              token === undefined ? null : (
                <>
                  <PayFromWallet
                    to={own.address}
                    token={token}
                    amountText={amountText}
                    onAmount={setAmountText}
                  />
                  <ByHand address={own.address} chainId={own.chainId} token={token} amountText={amountText} />
                </>
              )
            }
          </Loaded>
        )}
      </div>
    </section>
  );
}

type Payment =
  | { state: "idle" | "asked" }
  | { state: "sent"; hash: string }
  | { state: "refused"; why: string };

function PayFromWallet({
  to,
  token,
  amountText,
  onAmount,
}: {
  to: string;
  token: Token;
  amountText: string;
  onAmount: (text: string) => void;
}) {
  const wallet = useWallet();
  const deposits = useQuery(depositsQuery).data;
  const [payment, setPayment] = useState<Payment>({ state: "idle" });
  const [isChecked, setChecked] = useState(false);
  const parsed = parseAmount(amountText, token.decimals);

  const attempt = async (work: () => Promise<Payment>): Promise<void> => {
    setPayment({ state: "asked" });
    try {
      setPayment(await work());
    } catch (error) {
      setPayment({ state: "refused", why: walletProblem(error) });
    }
  };
  const pay = (from: string): void => {
    setChecked(true);
    if (!parsed.ok) return;
    const { amount } = parsed;
    void attempt(async () => {
      const wallets = await loadWallets();
      return { state: "sent", hash: await wallets.payToken({ from, token: token.address, to, amount }) };
    });
  };
  const connect = (walletId: string): void =>
    void attempt(async () => {
      await (await loadWallets()).connect(walletId);
      return { state: "idle" };
    });
  const isAsked = payment.state === "asked";
  // From its first block on a payment stands in the list of deposits.
  const isAwaited =
    payment.state === "sent" && deposits?.some(({ txHash }) => txHash === payment.hash) !== true;
  return (
    <div className="stack">
      <TextField
        label="Amount to deposit"
        isSum
        value={amountText}
        error={isChecked && !parsed.ok ? parsed.rejection.message : undefined}
        onText={onAmount}
      />
      {wallet.connected === null ? (
        <>
          <p className="label">Pay from a wallet in this browser</p>
          <WalletList wallet={wallet} isBusy={isAsked} onChoose={connect} />
        </>
      ) : (
        <div className="row">
          <MoneyButton
            kind="ink"
            big
            isBusy={isAsked}
            onClick={() => wallet.connected && pay(wallet.connected.address)}
          >
            {isAsked ? "Asked your wallet" : `Pay ${amountText} from this wallet`}
          </MoneyButton>
          <span className="smoke">
            {wallet.connected.walletName} <span className="sum">{shortHash(wallet.connected.address)}</span>
          </span>
        </div>
      )}
      {payment.state === "refused" ? (
        <div className="field-error" role="alert">
          {payment.why}
        </div>
      ) : null}
      {isAwaited ? <Stages reached={1} label="Your payment" /> : null}
    </div>
  );
}
