import { useEffect, useRef, useState } from "react";
import { createStage } from "../overlay/draw.ts";
import type { OverlayOptions } from "../overlay/options.ts";
import type { Token } from "../shell/use-me.ts";
import { Choices } from "../ui/field.tsx";
import { type SampleKind, sampleScene } from "./sample-scenes.ts";
import "../overlay/overlay.css";

const kinds: readonly { value: SampleKind; label: string }[] = [
  { value: "offer", label: "Offer in" },
  { value: "countered", label: "Countered" },
  { value: "taken", label: "Taken" },
  { value: "locked", label: "Locked" },
  { value: "result", label: "Result" },
  { value: "paid", label: "Paid" },
  { value: "idle", label: "Idle" },
];

/** The overlay itself, drawn small with a made-up offer. */
export function OverlayPreview({
  handle,
  options,
  token,
}: {
  handle: string;
  options: OverlayOptions;
  token: Token;
}) {
  const ground = useRef<HTMLDivElement>(null);
  const [kind, setKind] = useState<SampleKind>("offer");
  useEffect(() => {
    if (ground.current === null) return;
    createStage(ground.current, options).show(sampleScene(kind, handle, token), null);
  }, [kind, handle, options, token]);
  return (
    <div className="stack">
      <Choices label="Test it" value={kind} onChoose={setKind} options={kinds} />
      <div
        style={{
          aspectRatio: "16 / 9",
          border: "2px solid #17130F",
          background: "#8d8474",
          position: "relative",
        }}
      >
        <div ref={ground} role="img" aria-label={`Preview of the overlay: ${kind}`} />
      </div>
    </div>
  );
}
