/** Money in: straight from the wallet in this browser first, or by hand to the player's own address. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Me } from "../../../engine/contract/account.ts";
import { depositAddressQuery } from "../api/queries.ts";
import { ask } from "../shell/gates.ts";
import { chooseToken, listedOf, useConfig, useToken } from "../shell/use-me.ts";
import { Button } from "../ui/button.tsx";
import { Choices } from "../ui/field.tsx";
import { Loaded } from "../ui/states.tsx";
import { ByHand } from "./deposit-by-hand.tsx";
import { PayFromWallet } from "./pay-from-wallet.tsx";

export function DepositPanel({
  me,
  initialAmount,
  said,
}: {
  me: Me;
  initialAmount: string;
  /** What is to be known first. */
  said: string | null;
}) {
  const tokens = listedOf(useConfig());
  const token = useToken(tokens);
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
        {said === null ? null : <p className="field-error">{said}</p>}
        <Choices
          label="Token"
          value={token?.address ?? null}
          onChoose={chooseToken}
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
