/** The baseline of the fan-out: socket.io and nothing else. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";

const server = createServer((_request, response) => {
  io.emit("update", { offer: "x".repeat(900) });
  response.end("{}");
});
const io = new Server(server, { serveClient: false, perMessageDeflate: false });
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("message", () => {
  void io.close();
  process.exit(0);
});
process.once("disconnect", () => process.exit(0));
