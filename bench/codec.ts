// Payloads, contents and envelopes to bytes and back, without a primitive.

import { decodePayload, encodePayload } from "../src/encoding.ts"
import { decodeContent, decodeEnvelope, encodeContent } from "../src/envelope.ts"
import { seal } from "../src/session.ts"
import { osDraw } from "../src/suite.ts"
import type { Group } from "./group.ts"
import { timeCases } from "./measure.ts"
import { contentOf, contentsOf, meet, NOW, payloadOf } from "./pair.ts"

/** The group. */
export const codecs: Group = {
  name: "codec",
  what: "payload, content and envelope codecs",
  portable: false,
  run(pace) {
    const payload = payloadOf(600)
    const body = encodePayload(payload)
    const id = osDraw("content-id", 16)
    const fields = { kind: 0, id, sentMs: NOW * 1000, re: null, ask: 0, body }
    const content = contentOf(payload)
    const [alice] = meet(1)
    const { envelope } = seal(alice.session, alice.own, contentsOf(600, 32), osDraw)
    const single = seal(alice.session, alice.own, [content], osDraw).envelope
    const cases = [
      ["payload-encode", "payload of 600 B, encode", () => encodePayload(payload)],
      ["payload-decode", "payload of 600 B, decode", () => decodePayload(body)],
      ["content-encode", "content of 600 B, encode", () => encodeContent(fields)],
      ["content-decode", "content of 600 B, decode", () => decodeContent(content)],
      ["envelope-decode", "envelope with one content, decode", () => decodeEnvelope(single)],
      ["envelope32-decode", "envelope with 32 contents, decode", () => decodeEnvelope(envelope)],
    ] as const
    return timeCases(
      cases.map(([name, what, run]) => ({ id: `codec/${name}`, what, run: () => void run() })),
      pace,
    )
  },
}
