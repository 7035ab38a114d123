import { encode } from "uqr";

/** A QR code as one path. `label` says what it holds. */
export function Qr({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { border: 2, ecc: "M" });
  const path = data
    .flatMap((line, y) => line.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
  return (
    <svg
      viewBox={`0 0 ${size} ${size}`}
      width="200"
      height="200"
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
      style={{ background: "#fff", border: "2px solid currentColor", maxWidth: "100%" }}
    >
      <path d={path} fill="#17130F" />
    </svg>
  );
}
