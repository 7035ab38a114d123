import { Instructions } from "./instructions.tsx";
import { Suspense } from "./suspense.tsx";
import { Sweep } from "./sweep.tsx";

export function OperatorMoney() {
  return (
    <div className="stack" style={{ gap: "2rem" }}>
      <Sweep />
      <Suspense />
      <Instructions />
    </div>
  );
}
