// No hub at all: two agents exchange contact cards, then sealed envelopes over any pipe. Here the
// pipe is a local socket; it could be a file, a QR code or a pigeon.

import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { Agent } from "agentmesh"

const alice = new Agent("alice")
const bob = new Agent("bob")
await Promise.all([alice.ready, bob.ready])

// Cards are public. Whoever compares the fingerprint besides makes the peer verified.
console.log(`[alice] card of ${alice.card.length} characters: ${alice.card.slice(0, 40)}...`)
const peer = await alice.connectWithBundle(bob.card, bob.fingerprint)
console.log(`[alice] knows bob: ${peer.trust}`)
await bob.connectWithBundle(alice.card)

/** Sends one envelope, with its length before it. */
function put(socket: Socket, envelope: Uint8Array): void {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(envelope.length)
  socket.write(Buffer.concat([length, envelope]))
}

/** The envelopes that come over a socket. */
async function* envelopes(socket: Socket): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0)
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk as Buffer])
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0)
      yield new Uint8Array(rest.subarray(4, end))
      rest = rest.subarray(end)
    }
  }
}

const server = createServer(async (socket) => {
  for await (const envelope of envelopes(socket)) {
    for (const message of await bob.open(envelope)) {
      console.log(`[bob] <- ${message.sender}: ${message.text}`)
      put(socket, await bob.seal("alice", { text: "the same way back" }, { re: message.id }))
    }
  }
})
server.listen(0, "127.0.0.1")
await once(server, "listening")

const socket = connect((server.address() as { port: number }).port, "127.0.0.1")
put(socket, await alice.seal("bob", "no server has seen this"))
for await (const envelope of envelopes(socket)) {
  const [answer] = await alice.open(envelope)
  console.log(`[alice] <- ${answer?.sender}: ${answer?.text}`)
  socket.end()
}
server.close()
await Promise.all([alice.close(), bob.close()])
