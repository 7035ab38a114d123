import type { Overview } from "../api/shapes.ts";
import { length } from "../time/say.ts";

export type OperatorTab = "disputes" | "money" | "rooms" | "health";

const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? "" : "s"}`;

/** Nothing while all of them are well. */
function nodesPhrase({ providers }: Overview): { text: string; tab: OperatorTab; isBad: boolean }[] {
  const unwell = providers.filter(({ ok, agrees }) => !ok || !agrees).length;
  if (unwell === 0) return [];
  return [{ text: `${unwell} of ${counted(providers.length, "node")} unwell`, tab: "health", isBad: true }];
}

/** Finality of Base comes some 20 minutes late, of 2 seconds a block. */
const mostNotFinal = 1_800n;

/** Nothing while it comes as it does. */
function finalPhrase({ chain }: Overview): { text: string; tab: OperatorTab; isBad: boolean }[] {
  const blocks = BigInt(chain.headNumber) - BigInt(chain.finalizedNumber);
  if (blocks <= mostNotFinal) return [];
  return [{ text: `${blocks} blocks not final`, tab: "health", isBad: true }];
}

function frozenPhrase({ frozenWallets }: Overview): { text: string; tab: OperatorTab; isBad: boolean }[] {
  if (frozenWallets.length === 0) return [];
  return [{ text: `${counted(frozenWallets.length, "wallet")} frozen`, tab: "health", isBad: true }];
}

/** One line; every phrase leads to where it is put right. */
export function HealthLine({ overview, onOpen }: { overview: Overview; onOpen: (tab: OperatorTab) => void }) {
  const { chain, depositsUnmatched, instructionsStuck, instructionsWaiting, openDisputes } = overview;
  const stuck =
    instructionsStuck === 0
      ? `${counted(instructionsWaiting, "payout")} waiting, none stuck`
      : `${counted(instructionsStuck, "payout")} stuck ${length(overview.oldestStuckSeconds ?? 0)}`;
  const phrases: { text: string; tab: OperatorTab; isBad: boolean }[] = [
    { text: `Chain ${chain.behindSeconds} s behind`, tab: "health", isBad: chain.behindSeconds > 30 },
    ...finalPhrase(overview),
    ...nodesPhrase(overview),
    ...frozenPhrase(overview),
    {
      text: `${counted(depositsUnmatched, "deposit")} unmatched`,
      tab: "money",
      isBad: depositsUnmatched > 0,
    },
    { text: stuck, tab: "money", isBad: instructionsStuck > 0 },
    { text: `${counted(openDisputes, "dispute")} open`, tab: "disputes", isBad: openDisputes > 0 },
    {
      text: overview.booksBalance ? "books balance" : "books don't balance",
      tab: "health",
      isBad: !overview.booksBalance,
    },
  ];
  return (
    <div className="stack">
      {overview.outflowsStopped === null ? null : (
        <p className="field-error" role="alert">
          Outflows are stopped: {overview.outflowsStopped.reason}
        </p>
      )}
      <p className="box row" style={{ gap: "0 0.5rem", padding: "0 0.75rem" }} aria-live="off">
        {phrases.map(({ text, tab, isBad }, place) => (
          <span key={text} className="row" style={{ gap: "0 0.5rem" }}>
            <button
              type="button"
              className={`link link-row${isBad ? " link-bad" : ""}`}
              onClick={() => onOpen(tab)}
            >
              {text}
            </button>
            {place === phrases.length - 1 ? null : <span aria-hidden="true">·</span>}
          </span>
        ))}
      </p>
    </div>
  );
}
