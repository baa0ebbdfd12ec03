// The hostile hub, first part: hello to READY, and frames that no hub sends (HUB-53 to HUB-56).

import { encode, type Value } from "../../../src/encoding.ts"
import { FRAME, frameHash } from "../../../src/hub/frames.ts"
import { fingerprint } from "../../../src/identity.ts"
import { ed25519Public, labelled, osDraw, sign } from "../../../src/suite.ts"
import { same } from "../hub/trial.ts"
import type { AgentLink, Attack, Frame } from "./hub.ts"
import type { EvilCase, World } from "./world.ts"

type Draft = Omit<EvilCase, "id">

/** Items of a welcome by their place, and what is signed. */
interface Forged {
  readonly secret?: Uint8Array
  readonly version?: number
  readonly limits?: Value
  /** Signs for this hello. */
  readonly hello?: Uint8Array
  /** Signs these limits and this version, whatever is announced. */
  readonly signed?: { readonly limits?: Value; readonly version?: number }
}

/** A welcome in place of the honest one, signed as a hub signs. */
function forge(w: World, honest: Frame, link: AgentLink, parts: Forged): Frame {
  const secret = parts.secret ?? w.hub.secret
  const [, , version, , snonce, limits] = honest
  const said = { version: parts.version ?? version, limits: parts.limits ?? limits }
  const { signed = {} } = parts
  const hello = parts.hello ?? encode(link.sent[0] as Value)
  const ik = ed25519Public(secret)
  const body = labelled(
    "hub-welcome",
    frameHash(hello),
    (signed.version ?? said.version) as Value,
    ...[ik, snonce as Value, (signed.limits ?? said.limits) as Value],
  )
  return [
    FRAME.welcome,
    0,
    said.version as Value,
    ik,
    snonce as Value,
    said.limits as Value,
    sign(secret, body),
  ]
}

const onWelcome = (change: (frame: Frame, link: AgentLink) => Frame): Attack => ({
  down: (frame, _asked, link) => (frame[0] === FRAME.welcome ? change(frame, link) : frame),
})

/** An honest login, then one at which the welcome is forged: refused before auth. */
function badWelcome(
  title: string,
  req: readonly string[],
  code: string,
  change: (w: World, frame: Frame, link: AgentLink) => Frame,
): Draft {
  return {
    title,
    req,
    async run(w) {
      await w.disconnect()
      w.hub.attack = onWelcome((frame, link) => change(w, frame, link))
      await w.refuses(code)
      same(w.hub.link?.of(FRAME.auth).length, 0, "auths after the bad welcome")
      await w.disconnect()
    },
  }
}

export const OPENING: readonly Draft[] = [
  badWelcome(
    "a hub with another key than the pinned one",
    ["HUB-53", "HUB-8"],
    "hub/auth-failed",
    (w, frame, link) => forge(w, frame, link, { secret: new Uint8Array(32).fill(7) }),
  ),
  badWelcome(
    "the pinned key, signed by another",
    ["HUB-53"],
    "hub/auth-failed",
    (w, frame, link) => {
      const forged = [...forge(w, frame, link, { secret: new Uint8Array(32).fill(7) })]
      forged[3] = frame[3] as Value
      return forged as unknown as Frame
    },
  ),
  badWelcome(
    "a welcome for another hello",
    ["HUB-53", "HUB-2"],
    "hub/auth-failed",
    (w, frame, link) => forge(w, frame, link, { hello: encode([1, 0, [1], new Uint8Array(32)]) }),
  ),
  badWelcome(
    "limits other than the signed ones",
    ["HUB-53"],
    "hub/auth-failed",
    (w, frame, link) => {
      const limits = [...(frame[5] as readonly number[])]
      limits[5] = 1_000
      return forge(w, frame, link, { limits, signed: { limits: frame[5] as Value } })
    },
  ),
  badWelcome("version 2, rightly signed", ["HUB-53"], "hub/version", (w, frame, link) =>
    forge(w, frame, link, { version: 2 }),
  ),
  badWelcome("a welcome of another shape", ["HUB-53"], "hub/malformed", (_w, frame) => [
    ...frame,
    0,
  ]),
  badWelcome("an error in place of the welcome", ["HUB-53"], "hub/version", () => [
    FRAME.error,
    0,
    2,
    0,
  ]),
  badWelcome("an error that nobody knows", ["HUB-53", "HUB-55"], "hub/internal", () => [
    FRAME.error,
    0,
    99,
    0,
  ]),
  badWelcome("mail before the welcome", ["HUB-54"], "hub/malformed", () => [
    FRAME.deliver,
    0,
    1,
    "b",
    new Uint8Array(300),
  ]),
  {
    title: "a hub whose key is not that of the address",
    req: ["HUB-53"],
    options: { offline: true },
    async run(w) {
      const other = fingerprint(ed25519Public(osDraw("identity", 32)))
      await w.refuses("hub/auth-failed", { hubFingerprint: other })
      same(w.hub.link?.of(FRAME.auth).length, 0, "auths at the wrong hub")
      await w.disconnect()
      await w.connect({ hubFingerprint: fingerprint(w.hub.hubIk) })
    },
  },
  {
    title: "junk and mail in place of READY",
    req: ["HUB-54"],
    async run(w) {
      for (const frame of [
        [FRAME.deliver, 0, 1, "b", new Uint8Array(300)],
        [FRAME.reply, 1, null],
        [99, 0],
      ]) {
        await w.disconnect()
        w.hub.attack = {
          down: (one) => (one[0] === FRAME.ready ? (frame as unknown as Frame) : one),
        }
        await w.refuses("hub/malformed")
        const requests = w.hub.link?.sent.filter((one) => one[0] >= 10).length
        same(requests, 0, "requests before READY")
      }
      await w.disconnect()
    },
  },
  {
    title: "the name is taken at this hub",
    req: ["HUB-53", "HUB-11"],
    async run(w) {
      await w.disconnect()
      w.hub.attack = {
        down: (frame) => (frame[0] === FRAME.ready ? [FRAME.error, 0, 5, 0] : frame),
      }
      await w.refuses("hub/name-taken")
      const before = w.hub.links.length
      await w.jump(20)
      for (let i = 0; i < 5; i++) await w.poll()
      same(w.hub.links.length, before, "connections within 60 s")
      await w.disconnect()
    },
  },
]
