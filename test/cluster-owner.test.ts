// A cluster of hubs: where an agent's mail goes when what edges say arrives in another order than it
// happened. An agent that is told `hub/replaced` stays away for good (HUB-10), so it must not be told
// so because of a connection of its own that is older.

import { expect, test } from "vitest"
import { createBundle } from "../src/bundle.ts"
import { decode } from "../src/encoding.ts"
import { systemEnvironment } from "../src/environment.ts"
import { decodeFrame, FRAME, hubErrorCode } from "../src/hub/frames.ts"
import { hubSettings } from "../src/hub/local-hub.ts"
import { encodeRequest, type Request } from "../src/hub/requests.ts"
import { createIdentity, type OwnIdentity } from "../src/identity.ts"
import type { Message } from "../src/node/cluster/messages.ts"
import { Owner } from "../src/node/cluster/owner.ts"
import { osDraw } from "../src/suite.ts"
import { MemoryLog } from "./support/shared-log.ts"

const ALICE = createIdentity("alice", osDraw)
const MALLORY = createIdentity("alice", osDraw)

/** A partition, and what it sends to edges in words. */
async function partition(log = new MemoryLog()) {
  const said: string[] = []
  const { ikSecret: secret, ik } = createIdentity("hub", osDraw)
  const owner = new Owner(0, log, {
    ...{ environment: systemEnvironment, partitions: 1, valid: true },
    settings: { ...hubSettings({}), key: { secret, ik } },
    claim: async () => true,
    send: (hub, message) => said.push(`${hub} ${wordsOf(message)}`),
    lost: () => undefined,
    full: () => undefined,
    pause: () => new Promise((resolve) => setTimeout(resolve, 50)),
  })
  await owner.start()
  const settled = async (): Promise<string[]> => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    return said.splice(0)
  }
  const home = async (hub: string, link: number, since: number, who = ALICE): Promise<string[]> => {
    owner.take(hub, ["home", 0, owner.epoch, link, "alice", who.ik, since])
    return settled()
  }
  return { owner, home, settled }
}

function wordsOf(message: Message): string {
  if (message[0] !== "frame") return message[0]
  const [type, , code] = decodeFrame(message[4])
  if (type === FRAME.ready) return "ready"
  return type === FRAME.error ? hubErrorCode(code as number) : String(type)
}

test("an older connection of the same agent that is heard of later replaces nothing", async () => {
  const { home, owner, settled } = await partition()
  expect(await home("A", 1, 1_000)).toEqual(["A ready"])
  expect(await home("B", 1, 2_000)).toEqual(["A hub/replaced", "A end", "B ready"])
  expect(await home("A", 2, 1_500)).toEqual(["A hub/internal", "A end"])
  expect(await home("C", 1, 2_500)).toEqual(["B hub/replaced", "B end", "C ready"])
  expect(await home("D", 1, 2_500 - 61_000)).toEqual(["C hub/replaced", "C end", "D ready"]) // two clocks
  expect(await home("C", 1, 2_500)).toEqual(["D hub/replaced", "D end", "C ready"])
  expect(await home("C", 2, 2_500)).toEqual(["C hub/replaced", "C end", "C ready"])
  // Once it is gone, the clock of the edge where it was counts no more.
  owner.take("C", ["gone", 0, owner.epoch, 2])
  expect(await settled()).toEqual([])
  expect(await home("D", 1, 100)).toEqual(["D ready"])
  owner.broken("D")
  expect(await home("A", 3, 50)).toEqual(["A ready"])
})

test("a link that was given up and fails later does not end the one that has its number now", async () => {
  const log = new MemoryLog()
  const { home, owner, settled } = await partition(log)
  const now = Math.floor(Date.now() / 1000)
  expect(await home("A", 1, 1_000)).toEqual(["A ready"])
  const { bytes } = createBundle(ALICE, { seq: now, now, suites: [1] }, osDraw)
  const bundle = decode(bytes) as unknown as readonly [Uint8Array, Uint8Array]
  const ask = (who: OwnIdentity, link: number, request: Request): void =>
    owner.take("A", ["ask", 0, owner.epoch, link, who.name, who.ik, encodeRequest(1, request)])
  ask(ALICE, 1, { type: "putBundle", bundle })
  expect(await settled()).toEqual([`A ${FRAME.reply}`])
  owner.take("A", ["gone", 0, owner.epoch, 1])
  const envelope = new Uint8Array(300)
  ask(createIdentity("bob", osDraw), 2, {
    type: "send",
    to: "alice",
    mid: new Uint8Array(16),
    envelope,
  })
  expect(await settled()).toEqual([`A ${FRAME.reply}`])

  log.last = () => Promise.reject(new Error("the store does not answer"))
  expect(await home("A", 3, 2_000)).toEqual(["A ready"]) // its mail cannot be read
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const said = await home("A", 3, 2_000) // the edge has asked again; the first link fails meanwhile
  while (!said.includes("A end")) said.push(...(await settled()))
  expect(said).toEqual(["A ready", "A end"])
  expect(await home("A", 3, 2_000)).toEqual(["A ready"])
}, 30_000)

test("who has the name but not the key keeps nobody away", async () => {
  const { home } = await partition()
  expect(await home("A", 1, 1_000)).toEqual(["A ready"])
  expect(await home("B", 1, 9_000, MALLORY)).toEqual(["B hub/name-taken", "B end"])
  expect(await home("C", 1, 2_000)).toEqual(["A hub/replaced", "A end", "C ready"])
})
