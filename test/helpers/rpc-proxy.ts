import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import WebSocket, { type RawData, WebSocketServer } from "ws";
import { z } from "zod";

export type RpcCall = {
  method: string;
  params: unknown[];
  /** Asks the node behind the proxy. */
  forward(method?: string, params?: unknown[]): Promise<RpcReply>;
};
/** A JSON-RPC answer, or something that isn't one. */
export type RpcReply =
  | { result: unknown }
  | { error: { code: number; message: string; data?: unknown } }
  /** A whole HTTP answer of another kind. What is read from a stream goes out as fast as it is taken. */
  | {
      http: {
        status: number;
        type: string;
        body: string | Buffer | Readable;
        headers?: Record<string, string>;
      };
    }
  /** Never answers. */
  | "hang"
  /** Closes the connection without a word. */
  | "cut"
  /** Sends a few bytes, and then one every 20 ms without an end. */
  | "trickle";
/** Answers a call in the node's place; undefined leaves it to the next fault and at last to the node. */
export type Fault = (call: RpcCall) => RpcReply | undefined | Promise<RpcReply | undefined>;

export type RpcProxy = {
  rpcUrl: string;
  wsUrl: string;
  /** From now on; none makes it honest. */
  setFaults(...faults: Fault[]): void;
  /** Leads to another node from now on. Connections that are open stay where they are. */
  setTarget(rpcUrl: string): void;
  /** How often a method was asked for. */
  count(method: string): number;
  /** Whether several questions in one request are refused as a whole. */
  refuseBatches(isRefusing: boolean): void;
  /** Closes every WebSocket. */
  cutSockets(): void;
  /** Half-opens every WebSocket: nothing passes any more, and nobody is told. New ones work. */
  freezeSockets(): void;
  /** How many WebSockets were opened so far. */
  socketsOpened(): number;
  stop(): Promise<void>;
};

const maxBodyBytes = 1024 * 1024;
const forwardTimeoutMs = 60_000;
const call = z.object({ id: z.unknown(), method: z.string(), params: z.array(z.unknown()).default([]) });
const answer = z.union([
  z.object({ error: z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() }) }),
  z.object({ result: z.unknown() }),
]);

/** What a WebSocket is asked about itself is left to the node, whatever the faults. */
const aboutItself = ["eth_chainId", "eth_subscribe", "eth_unsubscribe"];

/**
 * A JSON-RPC proxy on loopback in front of a node, honest until faults are set. Questions over a WebSocket meet the same
 * faults as those over HTTP; what the node announces is passed on.
 * @param port 0 picks a free one
 */
export async function startRpcProxy(targetUrl: string, { port: wanted = 0 } = {}): Promise<RpcProxy> {
  let target = targetUrl;
  let faults: Fault[] = [];
  let opened = 0;
  let isRefusingBatches = false;
  const counts = new Map<string, number>();
  const pairs = new Set<[WebSocket, WebSocket]>();

  async function replyTo(method: string, params: unknown[]): Promise<RpcReply> {
    counts.set(method, (counts.get(method) ?? 0) + 1);
    const forward: RpcCall["forward"] = (other = method, others = params) => ask(target, other, others);
    for (const fault of faults) {
      const reply = await fault({ method, params, forward });
      if (reply !== undefined) return reply;
    }
    return forward();
  }

  const server = createServer((request, response) => {
    handle(request, response, { replyTo, isRefusingBatches }).catch(() => response.destroy());
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (client) => {
      const node = new WebSocket(target.replace(/^http/, "ws"));
      const pair: [WebSocket, WebSocket] = [client, node];
      pairs.add(pair);
      opened += 1;
      const opening = once(node, "open");
      client.on("message", (data) => {
        const pass = () => opening.then(() => node.send(String(data)));
        answerOver(client, data, { replyTo, pass }).catch(() => client.terminate());
      });
      node.on("message", (data) => client.send(String(data)));
      opening.catch(() => client.terminate());
      for (const each of pair) {
        each.on("error", () => undefined);
        each.on("close", () => {
          pairs.delete(pair);
          for (const one of pair) one.terminate();
        });
      }
    });
  });
  server.listen(wanted, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const cutSockets = () => {
    for (const pair of pairs) for (const socket of pair) socket.terminate();
  };

  return {
    rpcUrl: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}`,
    setFaults: (...set) => {
      faults = set;
    },
    setTarget: (rpcUrl) => {
      target = rpcUrl;
    },
    refuseBatches: (isRefusing) => {
      isRefusingBatches = isRefusing;
    },
    count: (method) => counts.get(method) ?? 0,
    cutSockets,
    freezeSockets: () => {
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    socketsOpened: () => opened,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      cutSockets();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  rules: {
    replyTo: (method: string, params: unknown[]) => Promise<RpcReply>;
    isRefusingBatches: boolean;
  },
): Promise<void> {
  const body: unknown = JSON.parse(await readBody(request));
  if (Array.isArray(body) && rules.isRefusingBatches) {
    const error = { code: -32_600, message: "one at a time" };
    response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error }));
    return;
  }
  const answers: unknown[] = [];
  for (const one of Array.isArray(body) ? body : [body]) {
    const { id, method, params } = call.parse(one);
    const reply = await rules.replyTo(method, params);
    if (reply === "hang") return;
    if (reply === "cut") return void response.destroy();
    if (reply === "trickle") return trickle(response);
    if ("http" in reply) {
      const { status, type, body, headers = {} } = reply.http;
      response.writeHead(status, { "content-type": type, ...headers });
      return body instanceof Readable ? void body.pipe(response) : void response.end(body);
    }
    answers.push({ jsonrpc: "2.0", id, ...reply });
  }
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(Array.isArray(body) ? answers : answers[0]));
}

/** Answers one question over a WebSocket, or leaves it to the node. */
async function answerOver(
  client: WebSocket,
  data: RawData,
  rules: { replyTo: (method: string, params: unknown[]) => Promise<RpcReply>; pass: () => Promise<void> },
): Promise<void> {
  const { id, method, params } = call.parse(JSON.parse(String(data)));
  if (aboutItself.includes(method)) return rules.pass();
  const reply = await rules.replyTo(method, params);
  if (reply === "hang" || reply === "trickle") return;
  if (reply === "cut" || "http" in reply) return client.terminate();
  client.send(JSON.stringify({ jsonrpc: "2.0", id, ...reply }));
}

function trickle(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.write('{"jsonrpc":"2.0",');
  const timer = setInterval(() => response.write(" "), 20);
  response.on("close", () => clearInterval(timer));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes) throw new Error("a question of more than a megabyte");
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function ask(target: string, method: string, params: unknown[]): Promise<RpcReply> {
  const response = await fetch(target, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.timeout(forwardTimeoutMs),
  });
  return answer.parse(await response.json());
}
