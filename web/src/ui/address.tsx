import { useConfig } from "../shell/use-me.ts";
import { CopyButton, CopyHash } from "./copy-button.tsx";

/** A whole address in blocks of four, so that people can compare it. It is copied as one. */
export function AddressBlocks({ address }: { address: string }) {
  const blocks = address.slice(2).match(/.{1,4}/g) ?? [];
  return (
    <code className="address">
      <span>0x</span>
      {blocks.map((block, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the place is the only identity a block has
        <span key={place}>{block}</span>
      ))}
    </code>
  );
}

export const shortHash = (hash: string): string => `${hash.slice(0, 8)}…${hash.slice(-4)}`;

/**
 * A link to the explorer. One with a label of its own stands alone, so it is as tall as a finger. No explorer knows a
 * local chain: there it is something to copy.
 */
export function OnChain({ kind, value, label }: { kind: "tx" | "address"; value: string; label?: string }) {
  const config = useConfig();
  if (config?.chainIsLocal === true) {
    if (label === undefined) return <CopyHash value={value} short={shortHash(value)} />;
    return <CopyButton text={value} label={kind === "tx" ? "Copy hash" : "Copy address"} />;
  }
  const explorer = config?.explorerUrl ?? "https://basescan.org";
  return (
    <a
      className={label === undefined ? "link sum" : "link link-row sum"}
      href={`${explorer}/${kind}/${value}`}
      target="_blank"
      rel="noreferrer"
    >
      {label ?? shortHash(value)}
    </a>
  );
}
