// What the cases of mail work with: deliveries of every kind, and how a refusal is seen.

import { type Bundle, openBundle } from "../../../src/bundle.ts"
import { decode, encode, encodePayload, type Value } from "../../../src/encoding.ts"
import { encodeContent } from "../../../src/envelope.ts"
import { initiate } from "../../../src/handshake.ts"
import { FRAME } from "../../../src/hub/frames.ts"
import type { OwnIdentity } from "../../../src/identity.ts"
import { createInitiator, seal } from "../../../src/session.ts"
import { osDraw } from "../../../src/suite.ts"
import { check, same } from "../hub/trial.ts"
import type { Frame } from "./hub.ts"
import type { EvilCase, Peer, World } from "./world.ts"

export type Draft = Omit<EvilCase, "id">

let mseq = 1_000_000_000

/** Delivers an envelope, as the hub can. */
export function deliver(
  w: World,
  from: string,
  envelope: Uint8Array,
  number: number = mseq++,
): void {
  w.hub.link?.inject([FRAME.deliver, 0, number, from, envelope])
}

/** Keeps all mail from the agent; what was kept. */
export function hold(w: World): Frame[] {
  const held: Frame[] = []
  w.hub.attack = {
    down: (frame) => {
      if (frame[0] !== FRAME.deliver) return frame
      held.push(frame)
      return null
    },
  }
  return held
}

/** One envelope of a peer, which the hub keeps for itself. */
export async function kept(w: World, from: Peer, text: string): Promise<Uint8Array> {
  const held = hold(w)
  await w.tell(from, text)
  await w.until(() => held.length > 0, "the hub has the envelope")
  w.hub.attack = {}
  return held[0]?.[4] as Uint8Array
}

/** The refusal of something that was delivered, with one of these codes; nothing was sent for it. */
export async function refusal(
  w: World,
  to: string,
  witness: Peer,
  ...codes: readonly string[]
): Promise<void> {
  const before = w.refused.length
  const fetches = (): number => w.hub.of(FRAME.getBundle).filter((frame) => frame[2] === to).length
  const sends = w.hub.sendsTo(to).length
  const asked = fetches()
  await w.barrier(witness)
  const told = w.refused.slice(before)
  check(told.length > 0, `it is refused with ${codes.join(" or ")}; nothing was told`)
  check(
    told.every((code) => codes.includes(code)),
    `it is refused with ${codes.join(" or ")}, not ${told.join()}`,
  )
  same(w.hub.sendsTo(to).length, sends, `envelopes to ${to} because of it`)
  same(fetches(), asked, `requests for the bundle of ${to} because of it`)
}

/** Delivers an envelope, which has to be refused: see {@link refusal}. */
export async function refuses(
  w: World,
  from: string,
  envelope: Uint8Array,
  witness: Peer,
  ...codes: readonly string[]
): Promise<void> {
  deliver(w, from, envelope)
  await refusal(w, from, witness, ...codes)
}

/** Two peers that the agent knows: the subject, and the witness of barriers. */
export async function pair(w: World): Promise<readonly [Peer, Peer]> {
  const b = await w.meet("b")
  const c = await w.meet("c")
  // Receipts that are under way would look like reactions.
  await w.jump(2)
  await w.barrier(c)
  return [b, c]
}

/**
 * What was received has been receipted, and what was sent has its receipts: what leaves next is what
 * the case sends.
 */
export async function settled(w: World, ...peers: readonly Peer[]): Promise<void> {
  for (const peer of peers) await w.barrier(peer)
  await w.until(() => w.receipts.length > 0, "a receipt is told")
  const sends = (): number => w.hub.of(FRAME.send).length
  // With more patience than usual it has to be quiet for longer.
  for (let quiet = 0; quiet < w.patience / 8_000; quiet++) {
    const before = sends()
    await w.jump(2)
    for (let i = 0; i < 3; i++) await w.poll(50)
    if (sends() > before) quiet = -1
  }
}

/** The newest bundle that the agent has published. */
export function published(w: World): Bundle {
  const put = w.hub.of(FRAME.putBundle).at(-1) as Frame
  return openBundle(encode(put[2] as Value))
}

/** A first message for a bundle, from whoever holds `who`. */
export function first(
  w: World,
  who: OwnIdentity,
  to: Bundle,
  kind: number,
  body: Uint8Array,
): Uint8Array {
  const handshake = initiate(who, to, null, 1, osDraw)
  const id = osDraw("content-id", 16)
  const content = encodeContent({ kind, id, sentMs: w.clock.now, re: null, ask: 0, body })
  return seal(createInitiator(handshake, to), who, [content], osDraw).envelope
}

export const heal = (w: World, who: OwnIdentity, to: Bundle): Uint8Array =>
  first(w, who, to, 1, new Uint8Array(0))

/** A first message to the agent. */
export const firstMessage = (w: World, who: OwnIdentity, text: string): Uint8Array =>
  first(w, who, published(w), 0, encodePayload({ type: "message", text }))

/** An envelope with one bit of its ciphertext or header changed. */
export function flipped(envelope: Uint8Array, part: 0 | 1, at: number): Uint8Array {
  const parts = (decode(envelope) as readonly Uint8Array[]).map((bytes) => new Uint8Array(bytes))
  const bytes = parts[part] as Uint8Array
  const place = at < 0 ? bytes.length + at : at
  bytes[place] = (bytes[place] as number) ^ 1
  return encode(parts)
}
