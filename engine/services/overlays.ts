/** The link that a streamer gives to OBS: it shows one player's live room and can do nothing else. */
import { accept, type Result } from "../contract/problems.ts";
import { readOverlayPlayer, readStandingLinks, replaceOverlayLink } from "../db/overlays.ts";
import type { Context } from "./context.ts";
import { hashOf, newCookieSecret } from "./cookies.ts";
import { overlayHash, rooms, tell } from "./outbox.ts";
import { change } from "./transaction.ts";

/** A new link; the old one dies in the same commit, and its sockets are told. The token is shown this once. */
export async function rotateOverlay(
  context: Context,
  player: { playerId: string; handle: string },
): Promise<Result<{ path: string; createdAt: string }>> {
  const token = newCookieSecret();
  const createdAt = new Date(context.clock());
  return change(context, async (tx) => {
    const link = { playerId: player.playerId, tokenHash: hashOf(token), createdAt };
    const replaced = await replaceOverlayLink(tx, link);
    if (replaced !== null)
      await tell(tx, [{ rooms: [rooms.overlay(replaced)], name: "overlay:replaced", data: {} }]);
    return accept({
      path: `/overlay/${player.handle}?token=${token}`,
      createdAt: createdAt.toISOString(),
    });
  });
}

/** The rooms that a token opens: the one to listen to and the link's own; null when it was replaced or never given out. */
export async function roomsOfOverlay(
  context: Context,
  token: string,
): Promise<{ live: string; own: string } | null> {
  const tokenHash = hashOf(token);
  const playerId = await readOverlayPlayer(context.pool, tokenHash);
  return playerId === null ? null : { live: rooms.live(playerId), own: rooms.overlay(tokenHash) };
}

/** Which of these links, named by the rooms of their own, don't stand any more. */
export async function replacedOverlays(context: Context, ownRooms: string[]): Promise<string[]> {
  const hashes = ownRooms.map(overlayHash);
  const standing = await readStandingLinks(context.pool, hashes);
  const alive = new Set(standing.map(rooms.overlay));
  return ownRooms.filter((room) => !alive.has(room));
}
