/** A WebSocket of a node of the right chain that announces blocks of its own making, without end. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { z } from "zod";
import { callNode } from "../../scripts/local/rpc.ts";

const asked = z.object({ id: z.unknown(), method: z.string() });
/** Faster than a node can be asked about a block. */
const everyMs = 1;

export interface HeadInventor {
  wsUrl: string;
  announced(): number;
  stop(): Promise<void>;
}

/** @param likeUrl the node whose newest block the made-up ones resemble, a thousand blocks ahead */
export async function startHeadInventor(likeUrl: string): Promise<HeadInventor> {
  const head = (await callNode(likeUrl, "eth_getBlockByNumber", ["latest", false])) as { number: string };
  let count = 0;
  const invent = () => ({
    ...head,
    number: `0x${(BigInt(head.number) + 1_000n + BigInt(count)).toString(16)}`,
    ...{ hash: `0x${randomBytes(32).toString("hex")}`, parentHash: `0x${randomBytes(32).toString("hex")}` },
  });
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  server.on("connection", (socket) => {
    const tell = (message: object): void => socket.send(JSON.stringify({ jsonrpc: "2.0", ...message }));
    let telling: NodeJS.Timeout | undefined;
    socket.on("message", (data: Buffer) => {
      const { id, method } = asked.parse(JSON.parse(data.toString()));
      tell({ id, result: method === "eth_chainId" ? "0x2105" : "0x1" });
      if (method !== "eth_subscribe") return;
      telling ??= setInterval(() => {
        count += 1;
        tell({ method: "eth_subscription", params: { subscription: "0x1", result: invent() } });
      }, everyMs);
    });
    socket.on("close", () => clearInterval(telling));
  });
  const { port } = server.address() as AddressInfo;
  return {
    wsUrl: `ws://127.0.0.1:${port}`,
    announced: () => count,
    stop: async () => {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, "close");
    },
  };
}
