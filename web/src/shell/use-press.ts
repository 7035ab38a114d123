import { useCallback, useRef, useState } from "react";
import { createPress } from "../api/press.ts";
import type { ApiProblem } from "../api/problem.ts";
import { ask, gateOf } from "./gates.ts";

export interface Press<Input, Output> {
  /** Resolves to what came of it, or null when it was refused, dropped or called off at a gate. */
  go: (input: Input) => Promise<Output | null>;
  isBusy: boolean;
  problem: ApiProblem | null;
  clear: () => void;
}

/** Sign-in and terms are asked for at most once each. */
const mostGates = 2;

/**
 * A button that writes. A double tap is harmless, an unclear answer is asked again under the same key, and a refusal that
 * a dialog can cure (signing in, accepting the terms) opens it and goes on afterwards.
 */
export function usePress<Input, Output>(
  send: (input: Input, idempotencyKey: string) => Promise<Output>,
): Press<Input, Output> {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const latest = useRef(send);
  latest.current = send;
  const [press] = useState(() => createPress((input: Input, key: string) => latest.current(input, key)));

  const go = useCallback(
    async (input: Input): Promise<Output | null> => {
      setBusy(true);
      try {
        for (let gatesPassed = 0; ; gatesPassed += 1) {
          const result = await press(input);
          if (result === null) return null;
          setProblem(result.ok ? null : result.problem);
          if (result.ok) return result.value;
          const gate = gateOf(result.problem.code);
          if (gate === null || gatesPassed >= mostGates || !(await ask(gate))) return null;
          setProblem(null);
        }
      } finally {
        setBusy(false);
      }
    },
    [press],
  );
  const clear = useCallback(() => setProblem(null), []);
  return { go, isBusy, problem, clear };
}
