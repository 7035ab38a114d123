import { useQuery } from "@tanstack/react-query";
import { call } from "../api/call.ts";
import { auditQuery, overviewQuery, solvencyQuery } from "../api/queries.ts";
import type { Overview } from "../api/shapes.ts";
import { withSymbol } from "../money/show.ts";
import { Moment } from "../time/clock.tsx";
import { ActSection } from "../ui/act-section.tsx";
import { OnChain } from "../ui/address.tsx";
import { Figures } from "../ui/figures.tsx";
import { ListSection } from "../ui/list-section.tsx";
import { Empty, Loaded } from "../ui/states.tsx";
import { ReasonForm } from "./reason-form.tsx";

const switchNames = ["outflows", "deposits", "proposals"] as const;

export function Health() {
  const overview = useQuery(overviewQuery);
  return (
    <div className="stack" style={{ gap: "2rem" }}>
      <Loaded query={overview} label="Health">
        {(known) => (
          <>
            <Figures
              lines={[
                { label: "Head", value: known.chain.headNumber },
                { label: "Final", value: known.chain.finalizedNumber },
                { label: "Behind", value: `${known.chain.behindSeconds} s` },
              ]}
            />
            <Nodes overview={known} />
            <Breaches overview={known} />
            <FrozenWallets overview={known} />
            <Switches overview={known} />
          </>
        )}
      </Loaded>
      <Books />
      <Audit />
    </div>
  );
}

function Nodes({ overview: { providers } }: { overview: Overview }) {
  return (
    <section className="stack" aria-labelledby="nodes">
      <div className="section-head">
        <h2 id="nodes">Nodes</h2>
      </div>
      {providers.length === 0 ? (
        <Empty>Nobody follows the chain yet.</Empty>
      ) : (
        <ul className="stack">
          {providers.map(({ url, headNumber, behindBlocks, note, ...provider }, position) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two nodes may have one host; their place is what they are.
            <li key={position} className="box box-pad stack" style={{ gap: "0.25rem" }}>
              <p className="row" style={{ justifyContent: "space-between" }}>
                <span className="call">{stateOf(provider)}</span>
                <span>
                  {headNumber === null ? "no block yet" : `block ${headNumber}`}
                  {behindBlocks > 0 ? `, ${behindBlocks} behind` : ""}
                </span>
              </p>
              <p style={{ overflowWrap: "anywhere" }}>
                {url}
                {note === null ? "" : `: ${note}`}
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const stateOf = ({ ok, agrees }: { ok: boolean; agrees: boolean }): string => {
  if (!ok) return "Away";
  return agrees ? "Well" : "Disagrees";
};

function Breaches({ overview: { breaches } }: { overview: Overview }) {
  return (
    <ActSection id="breaches" title="Breaches">
      {breaches.length === 0 ? (
        <Empty>None. The ten rules hold.</Empty>
      ) : (
        <ul className="stack">
          {breaches.map(({ id, invariant, detail, foundAt }) => (
            <li key={id} className="box box-pad stack">
              <p className="call">
                {invariant} <Moment at={foundAt} />
              </p>
              <p>{detail}</p>
              <ReasonForm
                action="Lift"
                subject={`breach ${id}`}
                done={`Lifted: breach ${id}`}
                send={(reason, idempotencyKey) =>
                  call("liftBreach", { params: { id }, body: { reason }, idempotencyKey })
                }
              />
            </li>
          ))}
        </ul>
      )}
    </ActSection>
  );
}

/** As many as the engine lists. */
const mostFrozen = 100;

/** Each pays nothing until it is thawed. */
function FrozenWallets({ overview: { frozenWallets } }: { overview: Overview }) {
  return (
    <ActSection id="frozen-wallets" title="Frozen wallets">
      {frozenWallets.length === 0 ? (
        <Empty>None is frozen.</Empty>
      ) : (
        <ul className="stack">
          {frozenWallets.map(({ id, address, purpose, reason: why }) => (
            <li key={id} className="box box-pad stack">
              <p className="row" style={{ justifyContent: "space-between" }}>
                <span className="call">
                  {purpose} wallet {id}
                </span>
                <OnChain kind="address" value={address} />
              </p>
              <p style={{ overflowWrap: "anywhere" }}>{why}</p>
              <ReasonForm
                action="Thaw"
                subject={`${purpose} wallet ${id}`}
                done={`Thawed: ${purpose} wallet ${id}`}
                send={(reason, idempotencyKey) =>
                  call("thawWallet", { params: { id }, body: { reason }, idempotencyKey })
                }
              />
            </li>
          ))}
        </ul>
      )}
      {frozenWallets.length < mostFrozen ? null : (
        <p>There may be more: these are the oldest {mostFrozen}.</p>
      )}
    </ActSection>
  );
}

function Switches({ overview: { switches } }: { overview: Overview }) {
  return (
    <ActSection id="switches" title="Switches">
      <ul className="stack">
        {switchNames.map((name) => {
          const known = switches.find((one) => one.name === name);
          const isOn = known?.on ?? true;
          return (
            <li key={name} className="box box-pad stack" style={{ gap: "0.5rem" }}>
              <p className="row" style={{ justifyContent: "space-between" }}>
                <span className="call" style={{ fontSize: "1.35rem" }}>
                  {name}
                </span>
                <span>
                  {isOn ? "running" : "stopped"}
                  {known?.reason ? `: ${known.reason}` : ""}
                </span>
              </p>
              <ReasonForm
                key={String(isOn)}
                action={isOn ? "Stop" : "Start"}
                subject={name}
                done={`${isOn ? "Stopped" : "Started"}: ${name}`}
                send={(reason, idempotencyKey) =>
                  call("setSwitch", { body: { name, on: !isOn, reason }, idempotencyKey })
                }
              />
            </li>
          );
        })}
      </ul>
    </ActSection>
  );
}

function Books() {
  const solvency = useQuery(solvencyQuery);
  return (
    <section className="stack" aria-labelledby="books">
      <div className="section-head">
        <h2 id="books">Books</h2>
      </div>
      <Loaded query={solvency} label="Books">
        {({ tokens, invariants }) => (
          <>
            {tokens.map((token) => (
              <Figures
                key={token.symbol}
                lines={[
                  { label: "Owed to players", value: withSymbol(token.owedToPlayers) },
                  { label: "In escrow", value: withSymbol(token.inEscrow) },
                  { label: "Earned", value: withSymbol(token.earnedByHouse) },
                  { label: "In suspense", value: withSymbol(token.inSuspense) },
                  { label: "On the chain", value: withSymbol(token.onChain) },
                ]}
              />
            ))}
            <ul>
              {invariants.map(({ number, name, ok, detail }) => (
                <li key={number}>
                  <span className="call">{ok ? "Holds" : "Broken"}</span> {number}. {name}
                  {detail === null ? "" : `: ${detail}`}
                </li>
              ))}
            </ul>
          </>
        )}
      </Loaded>
    </section>
  );
}

function Audit() {
  return (
    <ListSection id="audit" title="Audit" query={useQuery(auditQuery)} empty="Nothing yet." gap="0">
      {({ id, at, actor, action, subject, detail }) => (
        <li key={id}>
          <Moment at={at} /> {actor}: {action} {subject}. {detail}
        </li>
      )}
    </ListSection>
  );
}
