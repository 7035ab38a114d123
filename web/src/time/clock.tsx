import { useSyncExternalStore } from "react";
import { clockTime, countdown } from "./say.ts";

/** One tick a second for everything that counts down. */
let nowMs = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) nowMs = Date.now();
  timer ??= setInterval(() => {
    nowMs = Date.now();
    for (const tick of listeners) tick();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Now, in ms; the component is drawn again every second. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => nowMs);

/** What is left until a moment. Not read out at every tick: the moment itself is its title. */
export function Countdown({ until }: { until: string }) {
  const now = useNow();
  return (
    <time className="sum" dateTime={until} title={clockTime(until, now)}>
      {countdown(Date.parse(until) - now)}
    </time>
  );
}

export function Moment({ at }: { at: string }) {
  return (
    <time className="sum" dateTime={at}>
      {clockTime(at, nowMs)}
    </time>
  );
}
