// Agents reduced to what SPEC §6 to §10 say: keys, sessions, and the order of a receive.

import { createHash } from "node:crypto"
import {
  createBundle,
  createOneTimeKey,
  type OneTimeKey,
  type OwnBundle,
  type OwnOneTimeKey,
  openBundle,
  openOneTimeKey,
} from "../../src/bundle.ts"
import { equalBytes, toHex } from "../../src/bytes.ts"
import { encode } from "../../src/encoding.ts"
import { decodeEnvelope, encodeContent, type RawEnvelope } from "../../src/envelope.ts"
import { AgentMeshError, require } from "../../src/errors.ts"
import {
  checkInit,
  chooseSuite,
  initiate,
  type ResponderView,
  readInit,
  respond,
} from "../../src/handshake.ts"
import { createIdentity, type OwnIdentity } from "../../src/identity.ts"
import {
  createInitiator,
  createResponder,
  type Opened,
  open,
  type Session,
  seal,
} from "../../src/session.ts"
import type { Draw, Suite } from "../../src/suite.ts"

/** The clock of these tests, Unix seconds. */
export const NOW = 1_800_000_000
export const SUITES: readonly Suite[] = [1, 2]

const portable = process.env.AGENTMESH_BACKEND === "noble"

/** Runs of a property: fewer on the portable backend, which is ten times slower. */
export function runs(node: number, onPortable: number = Math.ceil(node / 8)): number {
  return portable ? onPortable : node
}

/** A source that depends on `seed` alone and never repeats a value. */
export function seeded(seed: string): Draw {
  let count = 0
  return (name, length) => {
    const out = new Uint8Array(length)
    for (let at = 0; at < length; at += 32) {
      const block = createHash("sha256").update(`${seed} ${name} ${count++}`).digest()
      out.set(block.subarray(0, length - at), at)
    }
    return out
  }
}

/** A content of the application, valid by the table of kinds. */
export function content(text: string, id: number = text.length): Uint8Array {
  const body = new Uint8Array([0xa1, 0x61, 0x74, ...encode(text)]) // {"t": text}
  return encodeContent({
    kind: 0,
    id: new Uint8Array(16).fill(id),
    sentMs: NOW * 1000,
    re: null,
    ask: 0,
    body,
  })
}

/** Every byte of a value, however deep, as one hash: two values are equal exactly if these are. */
export function digest(value: unknown): string {
  const text = JSON.stringify(value, (_key, item) => {
    if (item instanceof Uint8Array) return `h'${toHex(item)}'`
    if (item instanceof Map) return ["map", ...item]
    if (item instanceof Set) return ["set", ...item]
    if (item === null || typeof item !== "object" || Array.isArray(item)) return item
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
  return createHash("sha256").update(text).digest("hex")
}

/** What a responder looks up, with everything in order. */
export const OPEN_VIEW = {
  replayed: false,
  sidTaken: false,
  suites: SUITES,
  remembered: 0,
  from: undefined,
  pinned: undefined,
  trusted: true,
  room: true,
} as const

/** An agent without a store, a hub or a clock of its own. */
export class Party {
  readonly draw: Draw
  readonly own: OwnIdentity
  readonly bundles = new Map<string, OwnBundle>()
  readonly oneTimes = new Map<string, OwnOneTimeKey>()
  readonly replays = new Set<string>()
  readonly sessions = new Map<string, Session>()
  now = NOW
  /** Authenticated claims on names that are pinned to another key. */
  events = 0

  constructor(name: string, seed: string = name) {
    this.draw = seeded(seed)
    this.own = createIdentity(name, this.draw)
  }

  bundle(suites: readonly Suite[] = SUITES, flags: number = 0): OwnBundle {
    const seq = this.now + this.bundles.size
    const bundle = createBundle(this.own, { seq, now: this.now, suites, flags }, this.draw)
    this.bundles.set(toHex(bundle.ref), bundle)
    return bundle
  }

  oneTime(suite: Suite): OwnOneTimeKey {
    const key = createOneTimeKey(this.own, suite, this.now, this.draw)
    this.oneTimes.set(toHex(key.ref), key)
    return key
  }

  /** Founds a session as initiator and stores it; the result is its sid in hex. */
  connect(bundle: OwnBundle, oneTime: OwnOneTimeKey | null = null, suite?: Suite): string {
    const received = openBundle(bundle.bytes)
    const chosen = suite ?? chooseSuite(this.own, SUITES, received, 0)
    const key: OneTimeKey | null = oneTime && openOneTimeKey(oneTime.bytes)
    const handshake = initiate(this.own, received, key, chosen, this.draw)
    const session = createInitiator(handshake, received)
    const sid = toHex(session.th.subarray(0, 16))
    this.sessions.set(sid, session)
    return sid
  }

  session(sid: string): Session {
    const session = this.sessions.get(sid)
    require(session !== undefined, "session/unknown", "no session has this id")
    return session
  }

  /** Seals on a session and commits. */
  seal(sid: string, contents: readonly Uint8Array[] = [content("hello")]): Uint8Array {
    const sealed = seal(this.session(sid), this.own, contents, this.draw)
    this.sessions.set(sid, sealed.session)
    return sealed.envelope
  }

  /** Receives by SPEC §9.4, §8.4 and §10.4, and commits. */
  receive(envelope: Uint8Array, view: Partial<ResponderView> = {}): readonly Uint8Array[] {
    return this.receiveRaw(decodeEnvelope(envelope), view)
  }

  receiveRaw(raw: RawEnvelope, view: Partial<ResponderView> = {}): readonly Uint8Array[] {
    const sid = toHex(raw.sid)
    const stored = this.sessions.get(sid)
    if (raw.init === null) {
      const opened = open(this.session(sid), this.own, raw, this.now)
      this.sessions.set(sid, opened.session)
      return opened.contents
    }
    const { init, th } = readInit(raw.init, raw, this.own)
    let opened: Opened
    if (stored?.role === "responder" && equalBytes(stored.th, th)) {
      opened = open(stored, this.own, raw, this.now)
    } else {
      const accepted = checkInit(init, {
        ...OPEN_VIEW,
        replayed: this.replays.has(toHex(th)),
        sidTaken: stored !== undefined,
        bundle: this.bundles.get(toHex(init.bundleRef)),
        oneTime: init.otkRef ? this.oneTimes.get(toHex(init.otkRef)) : undefined,
        ...view,
      })
      const found = () => {
        const rk = respond(init, th, raw.block, this.own, accepted)
        return open(createResponder(init, th, rk, accepted.bundle), this.own, raw, this.now)
      }
      if (accepted.changed) {
        this.events += codeOf(found) === "ok" ? 1 : 0 // HANDSHAKE-27, HANDSHAKE-28
        throw new AgentMeshError("identity/changed", "another identity key is pinned")
      }
      opened = found()
      if (init.otkRef) this.oneTimes.delete(toHex(init.otkRef))
      else this.replays.add(toHex(th))
    }
    this.sessions.set(sid, opened.session)
    return opened.contents
  }

  /** All that a receive may change. */
  get state(): string {
    const { sessions, oneTimes, replays } = this
    return digest([sessions, [...oneTimes.keys()], replays])
  }
}

/** Two agents and a session between them, of which nothing was delivered yet. */
export interface Pair {
  readonly alice: Party
  readonly bob: Party
  readonly sid: string
}

/** Alice has sealed nothing, Bob knows nothing of the session. */
export function pair(suite: Suite, oneTime: boolean = true, seed: string = "0"): Pair {
  const alice = new Party("alice", `alice ${seed}`)
  const bob = new Party("bob", `bob ${seed}`)
  const bundle = bob.bundle()
  const sid = alice.connect(bundle, oneTime ? bob.oneTime(suite) : null, suite)
  return { alice, bob, sid }
}

/** A pair after one round trip and one more flight: both sides have stepped and are confirmed. */
export function settled(suite: Suite, seed: string = "0"): Pair {
  const made = pair(suite, true, seed)
  const { alice, bob, sid } = made
  bob.receive(alice.seal(sid))
  alice.receive(bob.seal(sid))
  bob.receive(alice.seal(sid))
  return made
}

/** The code of what `action` throws, or "ok"; any other exception goes on. */
export function codeOf(action: () => unknown): string {
  try {
    action()
    return "ok"
  } catch (error) {
    if (error instanceof AgentMeshError) return error.code
    throw error
  }
}
