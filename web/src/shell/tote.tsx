import type { Me } from "../../../engine/contract/account.ts";
import { short, withSymbol } from "../money/show.ts";
import { chooseToken, useBalance, useOwnTokens, useToken } from "./use-me.ts";

/** Free, Locked, On its way: always in view for whoever is signed in. */
export function Tote(_: { me: Me }) {
  const tokens = useOwnTokens();
  const token = useToken(tokens);
  const balance = useBalance(token?.address);
  const cells = [
    { label: "Free", money: balance?.free },
    { label: "Locked", money: balance?.locked },
    { label: "On its way", money: balance?.onItsWay },
  ];
  return (
    <section className="tote on-ink" aria-label="Your money">
      <dl style={{ display: "contents" }}>
        {cells.map(({ label, money }) => (
          <div className="tote-cell" key={label}>
            <dt>{label}</dt>
            <dd title={money && withSymbol(money)}>
              <span className="rolls" key={money?.amount}>
                {money === undefined ? "––" : short(money)}
              </span>
            </dd>
          </div>
        ))}
      </dl>
      <div className="tote-token">
        <label>
          <span className="sr-only">Token</span>
          <select value={token?.address ?? ""} onChange={(event) => chooseToken(event.target.value)}>
            {tokens.map(({ address, symbol }) => (
              <option key={address} value={address}>
                {symbol}
              </option>
            ))}
          </select>
        </label>
      </div>
    </section>
  );
}
