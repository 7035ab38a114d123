/** The baseline of the fan-out: socket.io and nothing else. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { Server } from "socket.io";

const server = createServer((request, response) => {
  json(request).then((update) => {
    io.emit("update", update);
    response.end("{}");
  }, console.error);
});
const io = new Server(server, { serveClient: false, perMessageDeflate: false });
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("message", () => {
  void io.close();
  process.exit(0);
});
process.once("disconnect", () => process.exit(0));
