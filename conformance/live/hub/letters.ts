// Real envelopes for the black-box suite: sealed by the reference, with a plaintext to look for.

import { createBundle } from "../../../src/bundle.ts"
import { encodePayload } from "../../../src/encoding.ts"
import { CONTENT_KINDS, encodeContent } from "../../../src/envelope.ts"
import { initiate } from "../../../src/handshake.ts"
import { createIdentity } from "../../../src/identity.ts"
import { createInitiator, seal } from "../../../src/session.ts"
import { osDraw } from "../../../src/suite.ts"
import { seconds } from "./actors.ts"

/** A first message of suite 1 between two agents that nobody else knows. */
export function sealedLetter(text: string): Uint8Array {
  const [a, b] = [createIdentity("a", osDraw), createIdentity("b", osDraw)]
  const bundle = createBundle(b, { seq: 1, now: seconds(), suites: [1] }, osDraw)
  const handshake = initiate(a, bundle, null, 1, osDraw)
  const content = encodeContent({
    kind: CONTENT_KINDS.application,
    id: osDraw("content-id", 16),
    sentMs: Date.now(),
    re: null,
    ask: 0,
    body: encodePayload({ type: "message", text }),
  })
  return seal(createInitiator(handshake, bundle), a, [content], osDraw).envelope
}
