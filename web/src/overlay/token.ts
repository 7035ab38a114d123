/** The key of an overlay's link: out of the address bar as soon as the page runs, kept for a reload of this tab only. */

const storageKey = (room: string): string => `otr-overlay-${room}`;

/** Takes the token out of the address, or out of this tab's memory when the page was reloaded; null without one. */
export function takeToken(
  room: string,
  page: Pick<Window, "location" | "history" | "sessionStorage">,
): string | null {
  const url = new URL(page.location.href);
  const given = url.searchParams.get("token");
  if (given === null) return page.sessionStorage.getItem(storageKey(room));
  page.sessionStorage.setItem(storageKey(room), given);
  url.searchParams.delete("token");
  page.history.replaceState(null, "", `${url.pathname}${url.search}`);
  return given;
}
