import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Me } from "../../../engine/contract/account.ts";
import { parseAmount } from "../../../engine/core/money.ts";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import { balancesQuery, withdrawalsQuery } from "../api/queries.ts";
import { upserted } from "../live/patches.ts";
import { useBalance, useOwnTokens, useToken } from "../shell/use-me.ts";
import { usePress } from "../shell/use-press.ts";
import { AddressBlocks, shortHash } from "../ui/address.tsx";
import { Button, MoneyButton } from "../ui/button.tsx";
import { SelectField, TextField } from "../ui/field.tsx";
import { Figures } from "../ui/figures.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";
import { Loaded } from "../ui/states.tsx";
import { exact, isZero, typed } from "./show.ts";
import { AtMost, mostNow } from "./withdraw-most.tsx";

/** Money out: to a wallet that the player has signed in with, at any time. */
export function WithdrawPanel({ me }: { me: Me }) {
  const balances = useQuery(balancesQuery);
  // Which tokens there are to choose from, the balances say: none is chosen under an amount that is typed already.
  if (balances.data !== undefined) return <WithdrawForm me={me} />;
  return (
    <section className="ticket" aria-label="Withdraw">
      <Head symbol={undefined} />
      <div className="ticket-body">
        <Loaded query={balances} label="Your balance">
          {() => null}
        </Loaded>
      </div>
    </section>
  );
}

function Head({ symbol }: { symbol: string | undefined }) {
  return (
    <div className="ticket-head">
      <h2 className="label" style={{ fontSize: "1.25rem" }}>
        Withdraw
      </h2>
      <span className="label">{symbol}</span>
    </div>
  );
}

function WithdrawForm({ me }: { me: Me }) {
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
  const amountProblem = press.problem?.fields.amount === undefined ? null : press.problem;

  const setAll = (): void => {
    if (most !== undefined) setAmountText(typed(most));
    press.clear();
  };

  const withdraw = async (): Promise<void> => {
    setChecked(true);
    if (!parsed.ok || token === undefined) return;
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
      <Head symbol={token?.symbol} />
      <div className="ticket-body">
        {token?.listed === false ? (
          <p>{token.symbol} was taken out of play. What you have of it can be withdrawn.</p>
        ) : null}
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
