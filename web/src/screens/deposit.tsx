import { getRouteApi } from "@tanstack/react-router";
import { DepositPanel } from "../money/deposit-panel.tsx";
import { DepositList, WithdrawalList } from "../money/movements.tsx";
import { OwnSuspense } from "../money/own-suspense.tsx";
import { WithdrawPanel } from "../money/withdraw-panel.tsx";
import { ask } from "../shell/gates.ts";
import { useLinkedToken, useMe } from "../shell/use-me.ts";
import { Button } from "../ui/button.tsx";
import { Blank } from "../ui/states.tsx";

const route = getRouteApi("/deposit");

export default function DepositScreen() {
  const me = useMe();
  const { amount = "", token } = route.useSearch();
  const { isPlayed, said } = useLinkedToken(token);
  const linkedAmount = isPlayed ? amount : "";
  if (me === undefined) return <Blank label="Deposit and withdraw" />;
  if (me === null) {
    return (
      <section className="box box-pad stack">
        <h1>Money in, money out</h1>
        <p>Sign in to get a deposit address of your own. It takes one message and no gas.</p>
        <p>
          <Button kind="ink" big onClick={() => void ask("sign_in")}>
            Sign in
          </Button>
        </p>
      </section>
    );
  }
  return (
    <div className="stack" style={{ gap: "2rem" }}>
      <h1 className="sr-only">Deposit and withdraw</h1>
      <div className="split">
        <DepositPanel me={me} initialAmount={linkedAmount} said={said} key={linkedAmount} />
        <WithdrawPanel me={me} />
      </div>
      <div className="split">
        <DepositList />
        <WithdrawalList />
      </div>
      <OwnSuspense />
    </div>
  );
}
