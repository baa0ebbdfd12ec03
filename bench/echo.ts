// A server that sends back what comes: the least that a relay over TCP can do.

import { type AddressInfo, createServer } from "node:net"

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("data", (chunk) => socket.write(chunk)).on("error", () => socket.destroy())
})
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port))
