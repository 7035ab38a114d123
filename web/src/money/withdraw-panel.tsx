import { useState } from "react";
import type { Me, PoolBalance } from "../../../engine/contract/account.ts";
import type { Money } from "../../../engine/contract/primitives.ts";
import { parseAmount } from "../../../engine/core/money.ts";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import type { ApiProblem } from "../api/problem.ts";
import { withdrawalsQuery } from "../api/queries.ts";
import { upserted } from "../live/patches.ts";
import { type Token, useBalance, useOwnTokens, useToken } from "../shell/use-me.ts";
import { usePress } from "../shell/use-press.ts";
import { AddressBlocks, shortHash } from "../ui/address.tsx";
import { Button, MoneyButton } from "../ui/button.tsx";
import { SelectField, TextField } from "../ui/field.tsx";
import { Figures } from "../ui/figures.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";
import { exact, isZero, moneyLike, typed } from "./show.ts";

/** Money out: to a wallet that the player has signed in with, at any time. */
export function WithdrawPanel({ me }: { me: Me }) {
  const token = useToken(useOwnTokens());
  const balance = useBalance(token?.address);
  const [amountText, setAmountText] = useState("");
  const primary = me.wallets.find(({ primary: isPrimary }) => isPrimary) ?? me.wallets[0];
  const [chosen, setChosen] = useState<string | null>(null);
  const [isChecked, setChecked] = useState(false);
  const address = chosen ?? primary?.address ?? "";
  const parsed = parseAmount(amountText, token?.decimals ?? 6);
  const press = usePress((body: { token: string; amount: string; address: string }, idempotencyKey) =>
    call("withdraw", { body, idempotencyKey }),
  );
  const most = token === undefined || balance === undefined ? undefined : mostNow(balance, token);
  const isTooLarge = parsed.ok && token !== undefined && parsed.amount > BigInt(token.withdrawalLimit);
  const amountProblem = press.problem?.fields.amount === undefined ? null : press.problem;

  const setAll = (): void => {
    if (most !== undefined) setAmountText(typed(most));
    press.clear();
  };

  const withdraw = async (): Promise<void> => {
    setChecked(true);
    if (!parsed.ok || token === undefined || isTooLarge) return;
    const made = await press.go({ token: token.address, amount: parsed.amount.toString(), address });
    if (made === null) return;
    queryClient.setQueryData(withdrawalsQuery.queryKey, (known) => upserted(known ?? [], made));
    setAmountText("");
    setChecked(false);
  };
  return (
    <form
      className="ticket"
      aria-label="Withdraw"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void withdraw();
      }}
    >
      <div className="ticket-head">
        <h2 className="label" style={{ fontSize: "1.25rem" }}>
          Withdraw
        </h2>
        <span className="label">{token?.symbol}</span>
      </div>
      <div className="ticket-body">
        <Figures
          lines={[
            { label: "Free", value: balance === undefined ? "" : exact(balance.free) },
            { label: "Can leave now", value: balance === undefined ? "" : exact(balance.withdrawable) },
          ]}
        />
        <p className="field-note">What isn't final on the chain yet can be played with, but not withdrawn.</p>
        <TextField
          label="Amount to withdraw"
          isSum
          value={amountText}
          error={
            amountProblem !== null ? (
              <AtMost problem={amountProblem} balance={balance} most={most} onAll={setAll} />
            ) : isChecked && isTooLarge && balance !== undefined ? (
              `At most ${exact(moneyLike(balance.free, BigInt(token.withdrawalLimit)))} can be withdrawn at once. Withdraw the rest after that.`
            ) : isChecked && !parsed.ok ? (
              amountText === "" ? (
                "Say how much."
              ) : (
                parsed.rejection.message
              )
            ) : undefined
          }
          onText={(text) => {
            setAmountText(text);
            press.clear();
          }}
        />
        {balance === undefined || most === undefined || isZero(most) ? null : (
          <p>
            <Button onClick={setAll}>
              {most.amount === balance.withdrawable.amount ? "All" : "At most"}: {exact(most)}
            </Button>
          </p>
        )}
        {me.wallets.length > 1 ? (
          <SelectField
            label="To"
            value={address}
            onChoose={setChosen}
            options={me.wallets.map((wallet) => ({
              value: wallet.address,
              label: shortHash(wallet.address),
            }))}
          />
        ) : (
          <p className="label">To</p>
        )}
        <AddressBlocks address={address} />
        <p className="field-note">Only wallets that you have signed in with.</p>
      </div>
      <div className="ticket-stub stack">
        {press.problem !== null && amountProblem === null ? (
          <ProblemBox problem={press.problem} token={token} />
        ) : null}
        <p>
          <MoneyButton type="submit" kind="ink" big isBusy={press.isBusy}>
            {press.isBusy ? "Sending" : "Withdraw"}
          </MoneyButton>
        </p>
      </div>
    </form>
  );
}

/** What can leave now, as far as it fits into one withdrawal. */
function mostNow({ withdrawable }: PoolBalance, { withdrawalLimit }: Token): Money {
  const [free, limit] = [BigInt(withdrawable.amount), BigInt(withdrawalLimit)];
  return moneyLike(withdrawable, free < limit ? free : limit);
}

/** More was asked for than there is: how much it is, and all of it in one press. */
function AtMost({
  problem,
  balance,
  most,
  onAll,
}: {
  problem: ApiProblem;
  balance: PoolBalance | undefined;
  most: Money | undefined;
  onAll: () => void;
}) {
  if (balance === undefined || most === undefined || isZero(balance.free)) return <>{problem.message}</>;
  return (
    <>
      {problem.code === "insufficient_funds" ? `You have ${exact(balance.free)} free.` : problem.message}{" "}
      {isZero(most) ? null : (
        <button type="button" className="link link-row" onClick={onAll}>
          {most.amount === balance.free.amount ? "All of it" : "All that can leave now"}
        </button>
      )}
    </>
  );
}
