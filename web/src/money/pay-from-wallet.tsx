import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { formatAmount, parseAmount } from "../../../engine/core/money.ts";
import { depositsQuery } from "../api/queries.ts";
import type { Token } from "../shell/use-me.ts";
import { WalletList } from "../shell/wallet-list.tsx";
import { shortHash } from "../ui/address.tsx";
import { MoneyButton } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { walletProblem } from "../wallet/refusal.ts";
import { loadWallets, useWallet } from "../wallet/store.ts";
import { Stages } from "./stages.tsx";

const balanceAgainMs = 10_000;

/** What the connected wallet holds of a token; null while it isn't known, and then nothing is refused for it. */
function useWalletBalance(owner: string | null, token: Token): bigint | null {
  const balance = useQuery({
    queryKey: ["wallet-balance", owner, token.address],
    queryFn: async () => (await loadWallets()).readBalance({ owner: owner ?? "", token: token.address }),
    enabled: owner !== null,
    refetchInterval: balanceAgainMs,
    retry: false,
  });
  return balance.isError ? null : (balance.data ?? null);
}

type Payment =
  | { state: "idle" | "asked" }
  | { state: "sent"; hash: string }
  | { state: "refused"; why: string };

/** Straight from the wallet in this browser: what it holds, the amount, one press. */
export function PayFromWallet({
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
  const held = useWalletBalance(wallet.connected?.address ?? null, token);
  const heldSaid = held === null ? null : formatAmount(held, token.decimals, { group: true });
  const problem = !parsed.ok
    ? parsed.rejection.message
    : held !== null && parsed.amount > held
      ? `Your wallet has ${heldSaid}.`
      : null;

  const attempt = async (work: () => Promise<Payment>): Promise<void> => {
    setPayment({ state: "asked" });
    try {
      setPayment(await work());
    } catch (error) {
      setPayment({ state: "refused", why: walletProblem(error) });
    }
  };
  const pay = (from: string): void => {
    setChecked(problem !== null);
    if (!parsed.ok || problem !== null) return;
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
        note={
          heldSaid === null || (isChecked && problem !== null)
            ? undefined
            : `Your wallet has ${heldSaid} ${token.symbol}.`
        }
        error={isChecked && problem !== null ? problem : undefined}
        onText={(text) => {
          onAmount(text);
          setChecked(false);
          if (payment.state === "refused") setPayment({ state: "idle" });
        }}
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
            {isAsked
              ? "Asked your wallet"
              : `Pay ${problem === null ? `${amountText.trim()} ` : ""}from this wallet`}
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
