import type { ReactNode } from "react";
import type { ClientConfig } from "../api/shapes.ts";
import { percent } from "../money/show.ts";
import { useConfig } from "../shell/use-me.ts";
import { length } from "../time/say.ts";
import { AddressBlocks } from "../ui/address.tsx";

/** One page: the cut, the clocks, who gets what back, who holds the keys. Its numbers are those that the engine runs by. */
export default function Terms() {
  const config = useConfig();
  const number = (of: (known: ClientConfig) => string): string => (config === undefined ? "––" : of(config));
  const cut = number(({ rakeBps }) => percent(rakeBps));
  return (
    <div className="stack" style={{ gap: "2rem" }}>
      <h1>Terms and questions</h1>
      <Part title="Who may play">
        <p>
          You are 18 or older, and playing for money is legal where you are. Watching is free for everybody.
        </p>
      </Part>
      <Part title="The cut">
        <p>
          The house takes {cut} of a pot that is won, never more than the loser put up: a winner never gets
          back less than they put up. 50.00 against 10.00 at 5 % makes a pot of 60.00, costs the winner 3.00
          and pays 57.00. A draw, a refund, an offer that isn't taken: nothing.
        </p>
      </Part>
      <Part title="The clocks">
        <ul style={{ listStyle: "square", paddingLeft: "1.25rem" }}>
          <li>An offer lapses when its clock runs out. The stake comes back at once.</li>
          <li>
            One of you reports: the other has{" "}
            {number(({ reportWindowSeconds }) => length(reportWindowSeconds))} to confirm or object, counted
            from the report and never from before the expected end.
          </li>
          <li>
            Nobody reports within {number(({ resultGraceSeconds }) => length(resultGraceSeconds))} of the
            expected end: both stakes go back.
          </li>
          <li>
            You disagree: the referee of your terms, or else an operator with no money in it, decides in
            writing within {number(({ disputeWindowSeconds }) => length(disputeWindowSeconds))}. After that
            both stakes go back.
          </li>
          <li>
            A decision that you two didn't agree on can be taken back for{" "}
            {number(({ undoWindowSeconds }) => length(undoWindowSeconds))}; payouts to wallets wait for that.
          </li>
        </ul>
      </Part>
      <Part title="Who gets what back">
        <RefundTable />
      </Part>
      <Part title="Who holds the keys">
        <p>
          The house does. Every game has a wallet on Base of its own, made for it and never used again; you
          see its address, its pot and every transfer. Your pool is in the vault, and what we owe and hold is
          public at{" "}
          <a className="link" href="/api/solvency" target="_blank" rel="noreferrer">
            solvency
          </a>
          . You can withdraw what is free and final at any time, to a wallet that you have signed in with.
        </p>
        {config === undefined ? null : (
          <>
            <p>The cut goes to this wallet:</p>
            <AddressBlocks address={config.houseAddress} />
          </>
        )}
      </Part>
      <Part title="Questions">
        <dl className="stack">
          <Question ask="What do I sign when I sign in?">
            One message with this site's name and a number that is used once. It cannot move money and costs
            no gas.
          </Question>
          <Question ask="Why can't I withdraw yet?">
            A deposit can be played with before it is final on the chain. It can leave only when it is: about
            20 minutes after its block.
          </Question>
          <Question ask="I sent the wrong token, or from an exchange.">
            To your own deposit address an exchange is fine. A token that was never listed here isn't seen and
            can't be sent back by us: don't send it. One that was taken out of play is yours all the same once
            it is final, and can be withdrawn. If you don't see your money, paste the transaction's hash on
            the deposit page.
          </Question>
          <Question ask="What does the other side see of me?">
            Your handle, your offers and your games. Not your balance.
          </Question>
        </dl>
      </Part>
      <p className="smoke">Terms version {number(({ termsVersion }) => termsVersion)}.</p>
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="stack">
      <div className="section-head">
        <h2>{title}</h2>
      </div>
      <div className="prose">{children}</div>
    </section>
  );
}

function Question({ ask, children }: { ask: string; children: ReactNode }) {
  return (
    <div>
      <dt className="call" style={{ fontSize: "1.35rem" }}>
        {ask}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}

const refunds = [
  ["An offer lapses, is passed on, countered or taken back", "The whole stake, at once"],
  ["Nobody reports a result", "Both stakes, no cut"],
  ["A draw, or no contest", "Both stakes, no cut"],
  ["A dispute that nobody decides in time", "Both stakes, no cut"],
  [
    "Money in a token of ours that came where it counts for nobody",
    "All of it: to its sender, by an operator; or yours, once you link the wallet that sent it to the vault",
  ],
] as const;

function RefundTable() {
  return (
    <table className="ledger">
      <thead>
        <tr>
          <th scope="col">What happens</th>
          <th scope="col">What comes back</th>
        </tr>
      </thead>
      <tbody>
        {refunds.map(([what, back]) => (
          <tr key={what}>
            <td>{what}</td>
            <td>{back}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
