import { useQuery } from "@tanstack/react-query";
import { Tabs } from "radix-ui";
import { useState } from "react";
import { overviewQuery } from "../api/queries.ts";
import { Disputes } from "../operator/disputes.tsx";
import { Health } from "../operator/health.tsx";
import { HealthLine, type OperatorTab } from "../operator/health-line.tsx";
import { OperatorMoney } from "../operator/money.tsx";
import { Rooms } from "../operator/rooms.tsx";
import { ask } from "../shell/gates.ts";
import { useMe } from "../shell/use-me.ts";
import { Button } from "../ui/button.tsx";
import { Blank, Empty, Loaded } from "../ui/states.tsx";

const tabs: readonly { value: OperatorTab; label: string }[] = [
  { value: "disputes", label: "Disputes" },
  { value: "money", label: "Money" },
  { value: "rooms", label: "Rooms" },
  { value: "health", label: "Health" },
];

export default function OperatorScreen() {
  const me = useMe();
  if (me === undefined) return <Blank label="Operator" />;
  if (me === null) {
    return (
      <section className="box box-pad stack">
        <h1>Operator</h1>
        <p>Where the people who run the house decide disputes and watch its money. Sign in to open it.</p>
        <p>
          <Button kind="ink" onClick={() => void ask("sign_in")}>
            Sign in
          </Button>
        </p>
      </section>
    );
  }
  return me.operator ? <Desk /> : <Empty>This page is the operator's.</Empty>;
}

function Desk() {
  const [tab, setTab] = useState<OperatorTab>("disputes");
  const overview = useQuery(overviewQuery);
  return (
    <div className="stack">
      <h1 style={{ fontSize: "2.5rem" }}>Operator</h1>
      <Loaded query={overview} label="Health">
        {(known) => <HealthLine overview={known} onOpen={setTab} />}
      </Loaded>
      <Tabs.Root value={tab} onValueChange={(value) => setTab(value as OperatorTab)} className="stack">
        <Tabs.List aria-label="Operator" className="row" style={{ gap: 0 }}>
          {tabs.map(({ value, label }) => (
            <Tabs.Trigger key={value} value={value} className="btn tab">
              {label}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <Tabs.Content value="disputes">
          <Disputes />
        </Tabs.Content>
        <Tabs.Content value="money">
          <OperatorMoney />
        </Tabs.Content>
        <Tabs.Content value="rooms">
          <Rooms />
        </Tabs.Content>
        <Tabs.Content value="health">
          <Health />
        </Tabs.Content>
      </Tabs.Root>
    </div>
  );
}
