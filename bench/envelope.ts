// Seal and open: sizes, batches, turns, both suites; and the whole way of a batch without TCP.

import { decodePayload, writePayload } from "../src/encoding.ts"
import { decodeContent, decodeEnvelope, encodeContent } from "../src/envelope.ts"
import { DEFAULT_LIMITS } from "../src/hub/decision.ts"
import { decodeFrame, encodeDeliver } from "../src/hub/frames.ts"
import { readyLink, receiveFrame } from "../src/hub/link.ts"
import { encodeRequest } from "../src/hub/requests.ts"
import { createIdentity } from "../src/identity.ts"
import { open, seal } from "../src/session.ts"
import { osDraw, type Suite } from "../src/suite.ts"
import { recordFloor } from "./floor.ts"
import type { Group } from "./group.ts"
import { type Case, type Pace, timeCases } from "./measure.ts"
import { contentsOf, meet, NOW, pass, payloadOf } from "./pair.ts"

const SIZES = [
  [256, "256 B"],
  [600, "600 B"],
  [1024, "1 KiB"],
  [65_536, "64 KiB"],
  [990_000, "1 MB"],
] as const
const BATCHES = [8, 32, 64] as const
/** Envelopes of a chain before both sides go back to where they were: a chain has an end. */
const CHAIN = 900

/** Seals and opens on one chain, over and over. */
function oneWay(suite: Suite, size: number, count: number): () => number {
  const [alice, bob] = meet(suite)
  const start = [alice.session, bob.session] as const
  const contents = contentsOf(size, count)
  let sent = 0
  return () => {
    if (++sent % CHAIN === 0) [alice.session, bob.session] = start
    return pass(alice, bob, contents)
  }
}

/** An envelope each way: every one pays a turn of the ratchet. */
function pingPong(suite: Suite): () => void {
  const [alice, bob] = meet(suite)
  const contents = contentsOf(600, 1)
  return () => {
    pass(bob, alice, contents)
    pass(alice, bob, contents)
  }
}

function caseOf(id: string, what: string, run: () => void, per: number = 1): Case {
  return { id, what, run, floor: recordFloor(run).run, per }
}

function sealAndOpen(suite: Suite, quick: boolean): Case[] {
  const cases: Case[] = []
  for (const [size, name] of quick ? SIZES.slice(0, 2) : SIZES) {
    const run = oneWay(suite, size, 1)
    cases.push(caseOf(`envelope/${suite}/${size}x1`, `suite ${suite}: seal + open ${name}`, run))
  }
  for (const count of BATCHES) {
    const what = `suite ${suite}: seal + open 600 B, ${count} in an envelope, each`
    const run = oneWay(suite, 600, count)
    cases.push(caseOf(`envelope/${suite}/600x${count}`, what, run, count))
  }
  const what = `suite ${suite}: ping-pong 600 B, each envelope with a turn`
  cases.push(caseOf(`envelope/${suite}/turn`, what, pingPong(suite), 2))
  return cases
}

/**
 * 32 payloads from one application to another: encoded, sealed, put into a SEND, read and decided
 * by the hub's link, put into a DELIVER, opened, decoded. No sockets, no stores.
 */
function wholeWay(suite: Suite, count: number): Case {
  const [alice, bob] = meet(suite)
  const start = [alice.session, bob.session] as const
  const payload = payloadOf(600)
  const key = createIdentity("hub", osDraw)
  const settings = {
    key: { ik: key.ik, secret: key.ikSecret },
    limits: DEFAULT_LIMITS,
    maxNames: 9,
  }
  const limits = { ...DEFAULT_LIMITS, requestsPerSecond: 1_000_000_000 }
  const link = readyLink(alice.own, { ...settings, limits }, NOW)
  let sent = 0
  const run = (): void => {
    if (++sent % CHAIN === 0) [alice.session, bob.session] = start
    const contents = Array.from({ length: count }, () =>
      writePayload(payload, (body) => {
        const id = osDraw("content-id", 16)
        return encodeContent({ kind: 0, id, sentMs: NOW * 1000, re: null, ask: 0, body })
      }),
    )
    const sealed = seal(alice.session, alice.own, contents, osDraw)
    alice.session = sealed.session
    const { guard: mid } = sealed.header
    const frame = encodeRequest(sent, { type: "send", to: "bob", mid, envelope: sealed.envelope })
    const { asked } = receiveFrame(link, frame, settings, NOW, osDraw)
    if (asked?.type !== "send") throw new Error("the hub did not take the envelope")
    const [, , , , envelope] = decodeFrame(encodeDeliver(sent, "alice", asked.envelope))
    const opened = open(bob.session, bob.own, decodeEnvelope(envelope as Uint8Array), NOW)
    bob.session = opened.session
    let came = 0
    for (const one of opened.contents) {
      if (decodePayload(decodeContent(one).body)["text"] === payload["text"]) came++
    }
    if (came !== count) throw new Error(`${came} of ${count} payloads came`)
  }
  const what = `suite ${suite}: ${count} × 600 B, codecs, sender, hub and receiver, each`
  return caseOf(`envelope/${suite}/way${count}`, what, run, count)
}

/** The group. */
export const envelopes: Group = {
  name: "envelope",
  what: "seal and open, batches, turns",
  portable: true,
  run(pace: Pace) {
    const cases = ([1, 2] as const).flatMap((suite) => [
      ...sealAndOpen(suite, pace.quick),
      wholeWay(suite, 32),
    ])
    return timeCases(cases, pace)
  },
}
