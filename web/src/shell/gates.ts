/** Questions that stand between a press and its effect: who are you, and have you accepted the terms. */

export type Gate = "sign_in" | "terms";
interface OpenGate {
  gate: Gate;
  answer: (passed: boolean) => void;
}

let open: OpenGate | null = null;
const listeners = new Set<() => void>();

function set(next: OpenGate | null): void {
  open = next;
  for (const listener of listeners) listener();
}

export const gates = {
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  current: (): OpenGate | null => open,
};

/** Opens the dialog of a gate; resolves to whether the person passed it. A gate that was open before is left. */
export function ask(gate: Gate): Promise<boolean> {
  open?.answer(false);
  return new Promise((resolve) => {
    const answer = (passed: boolean): void => {
      if (open?.answer === answer) set(null);
      resolve(passed);
    };
    set({ gate, answer });
  });
}

/** The gate that a refusal of the engine points to. */
export function gateOf(code: string): Gate | null {
  if (code === "not_signed_in") return "sign_in";
  return code === "terms_not_accepted" ? "terms" : null;
}
