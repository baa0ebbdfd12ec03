// Black box, area 8: a hub reads nothing inside an envelope and tells nobody of it (HUB-17).

import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import type { Value } from "../../../src/encoding.ts"
import { sign } from "../../../src/suite.ts"
import { bundleOf, letter, newMid, oneTimes } from "./actors.ts"
import { sealedLetter } from "./letters.ts"
import { type Link, parse, sameBytes, T } from "./link.ts"
import {
  type Actor,
  area,
  check,
  type Draft,
  type HubCase,
  type HubTarget,
  same,
  type Trial,
} from "./trial.ts"

const pair = (t: Trial): Promise<[Actor, Actor]> =>
  t.joinAll(2) as unknown as Promise<[Actor, Actor]>

/** Spellings in which bytes may stand in a text. */
function spellings(bytes: Uint8Array): readonly string[] {
  const buffer = Buffer.from(bytes)
  const base64 = buffer.toString("base64").replace(/=+$/, "").slice(0, -2)
  const list = [...bytes].join(",")
  return [
    buffer.toString("latin1"),
    buffer.toString("hex"),
    base64,
    buffer.toString("base64url").slice(0, -2),
    list,
  ]
}

function absent(text: string, bytes: Uint8Array, what: string, where: string): void {
  const lower = text.toLowerCase()
  const found = spellings(bytes).some(
    (one) => text.includes(one) || lower.includes(one.toLowerCase()),
  )
  check(!found, `no ${what} in ${where}`)
}

/** Everything that the hub has written to its standard streams. */
const output = ({ output }: HubTarget): string => output?.() ?? ""

/** All files of the hub's storage, as text of single bytes; it may be at work on them. */
function storage({ data }: HubTarget): string {
  const files = readdirSync(data as string, { recursive: true, encoding: "utf8" })
  const texts: string[] = []
  for (const path of files.map((file) => join(data as string, file))) {
    try {
      if (statSync(path).isFile()) texts.push(readFileSync(path, "latin1"))
    } catch {
      // It has gone meanwhile: what it held is in another file.
    }
  }
  check(texts.length > 0, "the hub stores something there")
  return texts.join("\n")
}

/** Asks everything that a third party can ask, and returns all frames it gets. */
async function curious(link: Link, about: Actor): Promise<string> {
  let all = ""
  const ask = async (type: number, ...rest: Value[]): Promise<void> => {
    const rid = await link.post(type, ...rest)
    const bytes = await link.stream.next()
    check(bytes !== null, "the hub answers")
    same(parse(bytes)[1], rid, "rid of the answer")
    all += Buffer.from(bytes).toString("latin1")
  }
  await ask(T.counts)
  await ask(T.list, "")
  await ask(T.getBundle, about.who.name, [1, 2])
  await ask(T.ack, [1, 2, 3])
  await ask(T.ping)
  await ask(99, about.who.name)
  await ask(T.send, about.who.name, newMid(), new Uint8Array(0))
  return all
}

/** Bytes that are no envelope of any kind travel like any other. */
function opaque(title: string, envelopes: () => readonly Uint8Array[]): Draft {
  return {
    title,
    req: ["HUB-17", "HUB-50"],
    async run(t) {
      const [a, b] = await pair(t)
      for (const envelope of envelopes()) {
        same(await a.link.ok(T.send, b.who.name, newMid(), envelope), null, "result of SEND")
        check(
          sameBytes((await b.link.delivery()).envelope, envelope),
          "the bytes arrive as they were",
        )
      }
    },
  }
}

const CANARY = "canary: the gate opens at 06:15"

export const BLIND_CASES: readonly HubCase[] = area(8, [
  opaque("bytes that are no CBOR", () => [
    letter("\0"),
    letter("plain text"),
    new Uint8Array(500).fill(0xff),
  ]),
  opaque("an envelope whose guard is not the mid", () => [sealedLetter(CANARY)]),
  opaque("an envelope of a later version", () => [Buffer.from("82438102004100", "hex")]),
  opaque("every length around 256 and 65,536", () =>
    [1, 2, 23, 24, 255, 256, 257, 65_535, 65_536].map((size) => letter("x", size)),
  ),
  {
    title: "the plaintext of a sealed content is in no frame of anybody",
    req: ["HUB-17"],
    async run(t) {
      const [a, b] = await pair(t)
      const third = await t.login()
      await a.link.ok(T.send, b.who.name, newMid(), sealedLetter(CANARY))
      absent(await curious(third, b), letter(CANARY), "plaintext", "frames of a third party")
      const { envelope } = await b.link.delivery()
      absent(Buffer.from(envelope).toString("latin1"), letter(CANARY), "plaintext", "the envelope")
    },
  },
  {
    title: "an envelope is in no frame of anybody but its recipient",
    req: ["HUB-17", "HUB-50"],
    async run(t) {
      const [a, b] = await pair(t)
      const third = await t.login()
      const marker = letter(`${CANARY} ${t.name()}`)
      await a.link.ok(T.send, b.who.name, newMid(), marker)
      absent(await curious(third, b), marker, "envelope", "frames of a third party")
      absent(await curious(a.link, b), marker, "envelope", "later frames of the sender")
      same((await b.link.delivery()).envelope, marker, "mail of the recipient")
    },
  },
  {
    title: "a refused SEND is not echoed",
    req: ["HUB-17"],
    async run(t) {
      const a = await t.join()
      const marker = letter(`${CANARY} ${t.name()}`)
      await a.link.refused(6, 0, T.send, t.name(), newMid(), marker)
      absent(await curious(a.link, a), marker, "envelope", "frames of the sender")
    },
  },
  {
    title: "no envelope, delivered, refused or broken, in the output of the hub",
    req: ["HUB-17"],
    needs: ["output"],
    async run(t) {
      const [a, b] = await pair(t)
      const marker = letter(`${CANARY} ${t.name()}`)
      await a.link.ok(T.send, b.who.name, newMid(), marker)
      await a.link.refused(6, 0, T.send, t.name(), newMid(), marker)
      await a.link.refused(1, 0, T.send, b.who.name, new Uint8Array(3), marker)
      await b.link.delivery()
      const broken = await t.login()
      await broken.stream.write(Buffer.concat([Buffer.from([0, 0, 0, marker.length]), marker]))
      await broken.closedWith(1)
      absent(output(t.target), marker, "envelope", "the hub's output")
    },
  },
  {
    title: "no one-time key and no bundle, taken or refused, in the output of the hub",
    req: ["HUB-17"],
    needs: ["output"],
    async run(t) {
      const a = await t.join()
      const [key] = oneTimes(a.who, 1) as readonly (readonly [Uint8Array, Uint8Array])[]
      check(key !== undefined, "a key")
      await a.link.ok(T.putOneTime, 0, [key] as Value)
      await a.link.refused(7, 0, T.putOneTime, 0, [key] as Value)
      const bundle = bundleOf(a.who, { seq: 2 })
      await a.link.ok(T.putBundle, bundle as Value)
      await a.link.refused(7, 0, T.putBundle, [bundle[0], new Uint8Array(64).fill(7)])
      for (const bytes of [key[0], key[1], bundle[0], bundle[1]]) {
        absent(output(t.target), bytes, "key or signature", "the hub's output")
      }
    },
  },
  {
    title: "no proof of identity, good or bad, in the output of the hub",
    req: ["HUB-17"],
    needs: ["output"],
    async run(t) {
      const who = t.newcomer()
      const good = await t.greeted()
      const sig = sign(who.ikSecret, good.authBody(who))
      await good.auth(who, sig)
      same((await good.next())[0], T.ready, "answer to auth")
      const bad = await t.greeted()
      await bad.auth(who, sig)
      await bad.closedWith(4)
      absent(output(t.target), sig, "signature", "the hub's output")
    },
  },
  {
    title: "the plaintext of a sealed content is not in the storage of the hub",
    req: ["HUB-17"],
    needs: ["data"],
    async run(t) {
      const [a, b] = await pair(t)
      const text = `${CANARY} ${t.name()}`
      await a.link.ok(T.send, b.who.name, newMid(), sealedLetter(text))
      await b.link.delivery()
      absent(storage(t.target), letter(text), "plaintext", "the hub's storage")
    },
  },
  {
    title: "the secret key of no agent is in the storage of the hub",
    req: ["HUB-17"],
    needs: ["data"],
    async run(t) {
      const a = await t.join({ keys: 2 })
      await t.mail(a, a.who, "to myself")
      for (const secret of [a.who.ikSecret, a.who.dkSecret]) {
        absent(storage(t.target), secret, "secret", "the hub's storage")
      }
    },
  },
])
