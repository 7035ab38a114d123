/** What the overlay's address says about how it is drawn. Anything out of range falls back to the default. */
export interface OverlayOptions {
  side: "bottom" | "top" | "left" | "right";
  /** Per cent of each edge that stay empty, 0 to 20. */
  safe: number;
  /** 0.5 to 2. */
  scale: number;
  /** False: percentages instead of amounts. */
  showsMoney: boolean;
  /** Seconds by which everything comes later, to be in step with the stream, 0 to 60. */
  delaySeconds: number;
}

export const defaultOverlayOptions: OverlayOptions = {
  side: "bottom",
  safe: 5,
  scale: 1,
  showsMoney: true,
  delaySeconds: 0,
};

const sides = ["bottom", "top", "left", "right"] as const;

export function readOverlayOptions(search: URLSearchParams): OverlayOptions {
  const side = sides.find((known) => known === search.get("side"));
  return {
    side: side ?? defaultOverlayOptions.side,
    safe: numberIn(search.get("safe"), { from: 0, to: 20, otherwise: defaultOverlayOptions.safe }),
    scale: numberIn(search.get("scale"), { from: 0.5, to: 2, otherwise: defaultOverlayOptions.scale }),
    showsMoney: search.get("money") !== "off",
    delaySeconds: numberIn(search.get("delay"), {
      from: 0,
      to: 60,
      otherwise: defaultOverlayOptions.delaySeconds,
    }),
  };
}

function numberIn(
  text: string | null,
  { from, to, otherwise }: { from: number; to: number; otherwise: number },
): number {
  if (text === null || !/^[0-9]{1,3}(\.[0-9]{1,2})?$/.test(text)) return otherwise;
  const value = Number(text);
  return value >= from && value <= to ? value : otherwise;
}
