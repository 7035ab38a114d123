/** Times as people say them. */

/** What a clock shows: "9:12", "2 h 05 min", "3 d 4 h"; "0:00" when it has run out. */
export function countdown(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1_000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours >= 1) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}

/** A length of time: "30 min", "2 h", "1 day", "90 s". */
export function length(seconds: number): string {
  const days = seconds / 86_400;
  if (seconds > 0 && Number.isInteger(days)) return `${days} ${days === 1 ? "day" : "days"}`;
  if (seconds > 0 && seconds % 3_600 === 0) return `${seconds / 3_600} h`;
  if (seconds > 0 && seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}

/** "21:40" today, "Tue 21:40" in the next or last days, "3 May 21:40" else; in the reader's own time zone. */
export function clockTime(iso: string, nowMs: number): string {
  const at = new Date(iso);
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const days = Math.abs(at.getTime() - nowMs) / 86_400_000;
  if (new Date(nowMs).toDateString() === at.toDateString()) return time;
  const day =
    days < 6
      ? at.toLocaleDateString("en-GB", { weekday: "short" })
      : at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return `${day} ${time}`;
}
