// Vectors of SPEC §12 agent: contents, each judged alone.

import { encodeContent, encodeReceipts } from "../../src/envelope.ts"
import { type Add, bobAgent, Forger, item, made, pair } from "./agent-script.ts"
import { application } from "./flight.ts"
import { context } from "./kit.ts"
import { NOW } from "./people.ts"
import { array, bstr, map, NULL, tstr, uint } from "./raw.ts"

const MS = NOW * 1000

/** Adds contents that are refused among others that are delivered. */
export function contents(add: Add): void {
  const refused = (
    n: number,
    code: string,
    req: string,
    title: string,
    bad: string,
    good: string,
    why: string,
  ) => {
    const forger = new Forger()
    const script = bobAgent()
    const envelope = forger.seal(bad)
    const genuine = forger.seal(good)
    script.refuseEnvelope("b", code, envelope, made(title), script.next + 1, "committed")
    script.receive("b", genuine)
    script.send("b", "alice", "with receipts for both")
    add(n, code, req, title, script.steps, why)
  }
  const form = "each content is judged alone, the session goes on"
  const id = (i: number): Readonly<Record<number, string>> => ({
    1: bstr(i.toString(16).padStart(2, "0").repeat(16)),
  })
  refused(
    140,
    "envelope/content",
    "ENVELOPE-16 AGENT-48 ENVELOPE-14",
    "a content of an unknown kind",
    item({ 0: uint(3) }),
    item(),
    form,
  )
  refused(
    141,
    "envelope/content",
    "ENVELOPE-15 AGENT-48",
    "a content that is no CBOR",
    "ff",
    item(),
    form,
  )
  refused(
    142,
    "envelope/content",
    "ENVELOPE-15 AGENT-48",
    "a content of five items",
    array(uint(0), bstr("1d".repeat(16)), uint(MS), NULL, uint(0)),
    item(),
    form,
  )
  refused(
    143,
    "agent/payload",
    "AGENT-53 ENVELOPE-17",
    "a body that is no payload",
    item({ 5: bstr("80") }),
    item(),
    form,
  )
  refused(
    144,
    "agent/payload",
    "AGENT-53",
    "a body with keys not sorted",
    item({ 5: bstr(map([tstr("b"), uint(1)], [tstr("a"), uint(1)])) }),
    item(),
    form,
  )
  refused(
    145,
    "envelope/content",
    "AGENT-51",
    "a content signed more than a day ahead",
    item({ 2: uint(MS + 86_400_001) }),
    item({ ...id(2), 2: uint(MS + 86_400_000) }),
    "a clock that far ahead would close the door behind it",
  )

  const mixed = new Forger()
  const some = bobAgent()
  some.receive(
    "b",
    mixed.seal(
      item(id(1)),
      item({ 0: uint(9) }),
      item(id(2)),
      item({ ...id(3), 5: bstr("80") }),
      item(id(4)),
    ),
  )
  some.send("b", "alice", "with five receipts")
  add(
    146,
    "ok",
    "AGENT-48 AGENT-53 AGENT-54",
    "two bad contents among five: the others are delivered",
    some.steps,
  )

  const heal = new Forger()
  const quiet = bobAgent()
  quiet.receive("b", heal.seal(item({ 0: uint(1), 5: bstr("") })))
  quiet.send("b", "alice", "no receipt goes with this")
  add(
    147,
    "ok",
    "AGENT-49 ENVELOPE-18",
    "a heal delivers nothing and is not receipted",
    quiet.steps,
  )

  const told = new Forger()
  const receipts = bobAgent()
  const foreign = encodeReceipts([{ id: new Uint8Array(16).fill(7), status: 1 }])
  receipts.receive(
    "b",
    told.seal(
      encodeContent({
        kind: 2,
        id: new Uint8Array(16).fill(8),
        sentMs: MS,
        re: null,
        ask: 0,
        body: foreign,
      }),
    ),
  )
  add(
    148,
    "ok",
    "AGENT-49",
    "a receipt for a content that was never sent changes nothing",
    receipts.steps,
  )

  const many = new Forger()
  const all = bobAgent()
  all.receive("b", many.seal(...Array.from({ length: 64 }, (_, i) => item(id(i + 1)))))
  all.send("b", "alice", "with 64 receipts")
  add(149, "ok", "ENVELOPE-5 AGENT-54", "64 contents, delivered in order", all.steps)
}

/** Adds contents that come more than once. */
export function copies(add: Add): void {
  const once = new Forger()
  const script = bobAgent()
  const content = application("once")
  script.receive("b", once.seal(content))
  script.receive("b", once.seal(content))
  script.send("b", "alice", "with what is due")
  add(150, "ok", "AGENT-50", "one content twice on one session is dispatched once", script.steps)

  const both = new Forger()
  const inside = bobAgent()
  inside.receive("b", both.seal(content, content))
  inside.receive("b", both.seal(content, item(), content))
  inside.send("b", "alice", "with three receipts")
  const title = "one content twice in an envelope is dispatched once, and receipted once"
  add(151, "ok", "AGENT-29 AGENT-50", title, inside.steps)

  const across = bobAgent()
  const [first, second] = [new Forger(1), new Forger(2)]
  across.receive("b", first.seal(content))
  across.receive("b", second.seal(content))
  across.send("b", "alice", "with what is due")
  add(
    152,
    "ok",
    "AGENT-50 AGENT-21",
    "one content on two sessions is dispatched once",
    across.steps,
  )

  const known = new Forger()
  const spoiled = bobAgent()
  spoiled.receive("b", known.seal(item()))
  spoiled.refuseEnvelope(
    "b",
    "envelope/content",
    known.seal(item({ 5: NULL })),
    made("the same id, body null"),
    spoiled.next - 1,
    "committed",
  )
  spoiled.send("b", "alice", "with the last status of the id")
  add(
    154,
    "envelope/content",
    "AGENT-48",
    "a content of wrong shape under a known id",
    spoiled.steps,
    "a delivered content stays delivered",
  )

  const ahead = new Forger()
  const jumped = bobAgent()
  jumped.receive("b", ahead.seal(content))
  jumped.clock("b", NOW + 23 * 86_400)
  jumped.receive("b", ahead.seal(content))
  jumped.clock("b", NOW)
  jumped.send("b", "alice", "with both receipts")
  const known23 = "a clock 23 days ahead forgets no id: a copy is not dispatched"
  add(296, "ok", "AGENT-55 AGENT-50", known23, jumped.steps)

  const differ = new Forger()
  const unlike = bobAgent()
  unlike.receive("b", differ.seal(item({ 5: bstr("80") }), item(), item({ 5: bstr("80") })))
  unlike.send("b", "alice", "with two receipts for one id")
  const statuses = "one id thrice in an envelope, refused and delivered: a receipt for each status"
  add(297, "ok", "AGENT-29 AGENT-53", statuses, unlike.steps)

  const twice = new Forger()
  const after = bobAgent()
  after.receive("b", twice.seal(item(), item({ 5: NULL })))
  after.send("b", "alice", "with one receipt")
  const inOrder = "a content, and behind it in the envelope one of wrong shape under its id"
  add(298, "ok", "AGENT-48 AGENT-54", inOrder, after.steps)

  forgotten(add)
}

/** What a receiver does not remember, and what it refuses for that. */
function forgotten(add: Add): void {
  const floor = pair([1])
  floor.agent("c", "carol", { suites: [1] })
  floor.trust("b", "c")
  const begun = floor.receive("b", floor.send("a", "bob", "hello"))
  floor.receive("a", floor.send("b", "alice", "hello back"))
  const equal = floor.send("a", "bob", "of the same second")
  floor.clock("a", NOW + 1)
  const above = floor.send("a", "bob", "a second later")
  for (const day of [6, 12, 18, 23]) {
    floor.clock("b", NOW + day * 86_400)
    floor.send("b", "carol", `day ${day}`)
  }
  floor.refuseEnvelope(
    "b",
    "envelope/content",
    equal,
    context("envelope", equal),
    begun,
    "committed",
  )
  floor.receive("b", above)
  add(
    155,
    "envelope/content",
    "AGENT-51 AGENT-55 AGENT-56",
    "a content not above the floor, once its neighbour's id was dropped",
    floor.steps,
    "it may have been dispatched before",
  )

  const fixed = new Forger()
  const late = bobAgent()
  late.refuseEnvelope(
    "b",
    "agent/payload",
    fixed.seal(item({ 5: bstr("80") })),
    made("the same id with a body that is no payload"),
    late.next + 1,
    "committed",
  )
  late.receive("b", fixed.seal(item()))
  late.send("b", "alice", "with what is due")
  add(
    153,
    "agent/payload",
    "AGENT-53 AGENT-54",
    "what was refused is not remembered: a copy is judged anew",
    late.steps,
    "only what was committed is known",
  )
}
