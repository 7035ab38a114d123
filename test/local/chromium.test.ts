import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium } from "playwright-core";
import { Server as SocketServer } from "socket.io";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unpackChromium } from "../../scripts/local/chromium.ts";

const page = `<!doctype html><title>Two browsers</title><ul id="heard"></ul>
<script src="/socket.io/socket.io.js"></script>
<script>
  const socket = io({ transports: ["websocket"] });
  socket.on("said", (text) => {
    const item = document.createElement("li");
    item.textContent = text;
    document.getElementById("heard").append(item);
  });
</script>`;

let server: Server;
let sockets: SocketServer;
let browser: Browser;
let origin: string;
beforeAll(async () => {
  server = createServer((_request, response) => response.setHeader("content-type", "text/html").end(page));
  sockets = new SocketServer(server);
  sockets.on("connection", (socket) => {
    socket.on("say", (text: string) => sockets.emit("said", text));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await chromium.launch({ ...(await unpackChromium()), headless: true });
});
afterAll(async () => {
  await browser.close();
  await sockets.close();
});

test("the Chromium from npm plays two people at once, who hear each other over sockets and share no cookies", async () => {
  const names = ["alice", "bob"];
  const people = await Promise.all(
    names.map(async (name) => {
      const context = await browser.newContext();
      await context.addCookies([{ name: "name", value: name, url: origin }]);
      const tab = await context.newPage();
      await tab.goto(origin);
      await tab.waitForFunction("socket.connected");
      return { name, context, tab };
    }),
  );
  for (const { name, tab } of people) await tab.evaluate(`socket.emit("say", "${name} was here")`);

  for (const { name, context, tab } of people) {
    await tab.locator("#heard li").nth(1).waitFor();
    const heard = await tab.locator("#heard li").allTextContents();
    expect(heard.toSorted()).toEqual(["alice was here", "bob was here"]);
    expect((await context.cookies()).map(({ value }) => value)).toEqual([name]);
  }

  await people[0]?.context.close();
  expect(await people[1]?.tab.title()).toBe("Two browsers");
});

test("a page is drawn, with text that takes room", async () => {
  const tab = await browser.newPage();
  await tab.setContent("<p style='display:inline-block'>On the Rail</p>");
  const box = await tab.locator("p").boundingBox();
  expect(box?.width).toBeGreaterThan(40);
  expect((await tab.screenshot()).byteLength).toBeGreaterThan(1_000);
});
