/** Development wallets reach the local chain through the server, by a short list of methods. */
import { afterEach, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

let site: Site;
afterEach(() => site.end());
const asked: { method: string; params: unknown[] }[] = [];
const callNode = async (call: { method: string; params: unknown[] }) => {
  asked.push(call);
  return call.method === "eth_call" ? { error: { code: 3, message: "reverted" } } : { result: "0x2105" };
};
const send = (payload: unknown, headers: Record<string, string | undefined> = {}) =>
  site.browser().send({
    method: "POST",
    url: "/dev/rpc",
    headers: { "content-type": "application/json", ...headers },
    payload: JSON.stringify(payload),
  });
const call = { jsonrpc: "2.0", id: 7, method: "eth_chainId", params: [] };

test("what is on the list is passed on, and the node's word comes back", async () => {
  site = await openSite({ callNode });
  expect(await send(call)).toMatchObject({ status: 200, body: { jsonrpc: "2.0", id: 7, result: "0x2105" } });
  const reverted = await send({ ...call, method: "eth_call", params: [{ to: "0x" }, "latest"] });
  expect(reverted.body).toEqual({ jsonrpc: "2.0", id: 7, error: { code: 3, message: "reverted" } });
  expect(asked.at(-1)).toEqual({ method: "eth_call", params: [{ to: "0x" }, "latest"] });
});

test.each([
  "anvil_setBalance",
  "eth_sendTransaction",
  "evm_revert",
  "debug_traceCall",
  "personal_sign",
  "eth_getLogs",
])("%s isn't passed on", async (method) => {
  site = await openSite({ callNode });
  const before = asked.length;
  expect((await send({ ...call, method })).status).toBe(400);
  expect((await send([{ ...call, method }])).status).toBe(400);
  expect(asked).toHaveLength(before);
});

test("another page can't use it", async () => {
  site = await openSite({ callNode });
  expect((await send(call, { origin: "https://evil.example" })).status).toBe(403);
});

test("on a chain that isn't local there is no such thing", async () => {
  site = await openSite({ callNode, settings: { chainIsLocal: false } });
  expect((await send(call)).status).toBe(404);
});
