// olm in WebAssembly: two accounts, one session, state in memory.

import olm from "@matrix-org/olm"

export const name = "olm"

await olm.init()

function accounts() {
  const alice = new olm.Account()
  const bob = new olm.Account()
  alice.create()
  bob.create()
  return [alice, bob]
}

function found(alice, bob) {
  bob.generate_one_time_keys(1)
  const identity = JSON.parse(bob.identity_keys()).curve25519
  const [oneTime] = Object.values(JSON.parse(bob.one_time_keys()).curve25519)
  bob.mark_keys_as_published()
  const sending = new olm.Session()
  sending.create_outbound(alice, identity, oneTime)
  const first = sending.encrypt("x".repeat(256))
  const receiving = new olm.Session()
  receiving.create_inbound(bob, first.body)
  bob.remove_one_time_keys(receiving)
  if (receiving.decrypt(first.type, first.body).length !== 256)
    throw new Error("olm: not what was sent")
  return [sending, receiving]
}

function pass(from, to, text) {
  const sent = from.encrypt(text)
  const came = to.decrypt(sent.type, sent.body)
  if (came.length !== text.length) throw new Error("olm: what came is not what was sent")
}

/** Set-up of a session and its first message. */
export function setUp() {
  const [alice, bob] = accounts()
  return () => {
    for (const session of found(alice, bob)) session.free()
  }
}

/** One message after the other in one direction. */
export function oneWay(size) {
  const [sending, receiving] = found(...accounts())
  const text = "x".repeat(size)
  pass(receiving, sending, text)
  return () => pass(sending, receiving, text)
}
