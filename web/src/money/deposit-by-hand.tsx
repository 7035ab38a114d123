import { parseAmount } from "../../../engine/core/money.ts";
import type { Token } from "../shell/use-me.ts";
import { AddressBlocks } from "../ui/address.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Qr } from "../ui/qr.tsx";
import { FindDeposit } from "./find-deposit.tsx";

/**
 * The plain address, as a picture and in blocks. The QR code holds nothing else: a wallet that half understands a
 * payment request sends the token to its own contract.
 */
export function ByHand({
  address,
  chainId,
  token,
  amountText,
}: {
  address: string;
  chainId: number;
  token: Token;
  amountText: string;
}) {
  const amount = parseAmount(amountText, token.decimals);
  const request = `ethereum:${token.address}@${chainId}/transfer?address=${address}${amount.ok ? `&uint256=${amount.amount}` : ""}`;
  return (
    <div className="stack" style={{ borderTop: "2px solid", paddingTop: "1rem" }}>
      <p className="label">Or send it yourself</p>
      <div className="row" style={{ alignItems: "flex-start" }}>
        <Qr text={address} label="QR code of your deposit address" />
        <div className="stack" style={{ flex: "1 1 14rem" }}>
          <p>{token.symbol} on Base, to this address. It is yours alone and stays the same.</p>
          <AddressBlocks address={address} />
          <div className="row">
            <CopyButton text={address} label="Copy address" />
            <a className="link link-row" href={request}>
              Open in wallet app
            </a>
          </div>
        </div>
      </div>
      <FindDeposit />
    </div>
  );
}
