// Many connections of one process: node idle-clients.js HOST PORT COUNT PREFIX. It authenticates
// each under a name of its own, PREFIX-0 and so on, says "open COUNT", and then does nothing but what standard input
// says: "ping" asks on every connection and says "answered COUNT" when all have been answered.
// When the hub has ended all of them it says "ended COUNT FAULTS", and exits.

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto"
import { connect, type Socket } from "node:net"
import { createInterface } from "node:readline"
import { decode, encode } from "../../src/encoding.ts"
import { encodeHello, frameHash } from "../../src/hub/opening.ts"
import { label } from "../../src/suite.ts"

const [host, port, count, prefix] = process.argv.slice(2) as [string, string, string, string]
const total = Number(count)
/** Connections that are being opened at the same time: the hub serves others meanwhile. */
const AT_ONCE = 100

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

function framed(frame: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(frame.length)
  return Buffer.concat([length, frame])
}

interface Key {
  readonly secret: KeyObject
  readonly ik: Uint8Array
}

/** The key of a name: others can log in under it too. */
function keyOf(name: string): Key {
  const d = createHash("sha256").update(name).digest("base64url")
  const secret = createPrivateKey({ key: { kty: "OKP", crv: "Ed25519", d, x: "" }, format: "jwk" })
  const { x } = createPublicKey(secret).export({ format: "jwk" })
  return { secret, ik: new Uint8Array(Buffer.from(x as string, "base64url")) }
}

const hello = encodeHello([1], new Uint8Array(32).fill(7))
const helloHash = frameHash(hello)

function auth(name: string, { secret, ik }: Key, welcome: Uint8Array): Uint8Array {
  const hubIk = (decode(welcome) as readonly unknown[])[3] as Uint8Array
  const body = encode([label("hub-auth"), helloHash, frameHash(welcome), hubIk, name, ik])
  return encode([3, 0, name, ik, new Uint8Array(sign(null, body, secret))])
}

const sockets: Socket[] = []
let answered = 0
let ended = 0
let faults = 0

function closed(): void {
  if (++ended < total) return
  say(`ended ${ended} ${faults}`)
  process.exit(0)
}

/** Resolves when READY has come; what comes later is counted by its type. */
function open(name: string): Promise<void> {
  const key = keyOf(name)
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) })
    let rest = Buffer.alloc(0)
    const take = (frame: Uint8Array): void => {
      const type = frame[1]
      if (type === 2) socket.write(framed(auth(name, key, new Uint8Array(frame))))
      else if (type === 4) resolve()
      else if (type === 20) {
        if (++answered === total) say(`answered ${answered}`)
      } else if (type !== 30) reject(new Error(`a frame of type ${type}`))
    }
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
        const end = 4 + rest.readUInt32BE()
        take(rest.subarray(4, end))
        rest = rest.subarray(end)
      }
    })
    socket.on("error", (error) => {
      faults++
      reject(error)
    })
    socket.on("close", closed)
    socket.write(framed(hello))
    sockets.push(socket)
  })
}

createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "ping") for (const socket of sockets) socket.write(framed(encode([16, 1])))
})

let next = 0
async function openSome(): Promise<void> {
  while (next < total) await open(`${prefix}-${next++}`)
}
await Promise.all(Array.from({ length: AT_ONCE }, openSome))
say(`open ${total}`)
