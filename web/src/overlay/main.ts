/** The overlay: one room on a transparent page. No wallet, no router, no framework. */
import { io, type Socket } from "socket.io-client";
import type { ClientToServer, ServerToClient } from "../../../engine/contract/events.ts";
import type { LiveRoom } from "../../../engine/contract/wager.ts";
import { RoomFollower } from "../live/follower.ts";
import { createStage, type Tab } from "./draw.ts";
import { readOverlayOptions } from "./options.ts";
import { type Scene, sceneAfter, sceneAtEnd, sceneOfSnapshot } from "./scenes.ts";
import { takeToken } from "./token.ts";
import "./page.css";

const tabAfterMs = 10_000;
const againAfterMs = 2_000;
const answerTimeoutMs = 10_000;

const element = document.getElementById("overlay");
if (element === null) throw new Error("overlay.html has no #overlay");
const roomName = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const options = readOverlayOptions(new URLSearchParams(location.search));
const token = takeToken(roomName, window);
const stage = createStage(element, options);

let scene: Scene | null = null;
let tab: Tab = null;
let endTimer: ReturnType<typeof setTimeout> | undefined;
let downTimer: ReturnType<typeof setTimeout> | undefined;

function show(next: Scene | null): void {
  scene = next;
  clearTimeout(endTimer);
  if (next !== null && next.untilMs !== null) {
    endTimer = setTimeout(() => show(sceneAtEnd(next, Date.now())), Math.max(0, next.untilMs - Date.now()));
  }
  stage.show(scene, tab);
}

function setTab(next: Tab): void {
  tab = next;
  stage.show(scene, tab);
}

/** Everything that is shown comes later by the stream's delay. */
function later(step: () => void): void {
  if (options.delaySeconds === 0) step();
  else setTimeout(step, options.delaySeconds * 1_000);
}

/** The socket's name of the room, asked until there is an answer. */
async function findRoom(): Promise<string> {
  for (;;) {
    try {
      const response = await fetch(`/api/live/${encodeURIComponent(roomName)}`);
      if (response.ok) return ((await response.json()) as LiveRoom).room;
    } catch {
      // The engine isn't there: asked again below.
    }
    downTimer ??= setTimeout(() => setTab("reconnecting"), tabAfterMs);
    await new Promise((resolve) => setTimeout(resolve, againAfterMs));
  }
}

function follow(room: string, overlayToken: string): void {
  const follower = new RoomFollower();
  const socket: Socket<ServerToClient, ClientToServer> = io("/arena", {
    transports: ["websocket", "polling"],
    auth: { overlayToken },
  });
  let isReplaced = false;
  const replaced = (): void => {
    isReplaced = true;
    clearTimeout(downTimer);
    socket.disconnect();
    show(null);
    setTab("replaced");
  };
  const down = (): void => {
    if (!isReplaced) downTimer ??= setTimeout(() => setTab("reconnecting"), tabAfterMs);
  };
  const subscribe = async (): Promise<void> => {
    follower.restart();
    const answer = await socket
      .timeout(answerTimeoutMs)
      .emitWithAck("subscribe", { room })
      .catch(() => null);
    if (answer === null || !answer.ok) {
      if (socket.connected) setTimeout(() => void subscribe(), againAfterMs);
      return;
    }
    const { snapshot, sequence } = answer;
    if (snapshot.kind === "live") later(() => show(sceneOfSnapshot(snapshot.live, scene, Date.now())));
    apply(follower.start(sequence));
  };
  const apply = (followed: ReturnType<RoomFollower["receive"]>): void => {
    if (followed.gap) return void subscribe();
    for (const event of followed.events) later(() => show(sceneAfter(scene, event, Date.now())));
  };
  socket.on("connect", () => {
    clearTimeout(downTimer);
    downTimer = undefined;
    setTab(null);
    void subscribe();
  });
  socket.on("disconnect", down);
  socket.on("connect_error", ({ message }) => {
    if (message === "overlay_replaced") return replaced();
    down();
    if (!socket.active) setTimeout(() => socket.connect(), againAfterMs);
  });
  socket.on("overlay:replaced", replaced);
  socket.on("batch", ({ from, sequence, events }) => apply(follower.receive({ from, sequence, events })));
}

if (token === null) setTab("no_key");
else void findRoom().then((room) => follow(room, token));
