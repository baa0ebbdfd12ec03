// Reference driver, SPEC §12: agents without a hub, under a hand-driven clock.

import { exportState, importState } from "../../../src/agent/backup.ts"
import { backupOf, checkSendable, forgetPeer } from "../../../src/agent/contents.ts"
import type { Change, Database } from "../../../src/agent/database.ts"
import { Emitter } from "../../../src/agent/options.ts"
import { assemble, type Parts } from "../../../src/agent/parts.ts"
import { Tracker } from "../../../src/agent/tracker.ts"
import { checkFingerprint, type PeerPolicy, type TrustPolicy } from "../../../src/agent/trust.ts"
import { acceptBundle, createOneTimeKey } from "../../../src/bundle.ts"
import { toUtf8 } from "../../../src/bytes.ts"
import { decodePayload } from "../../../src/encoding.ts"
import { AgentMeshError } from "../../../src/errors.ts"
import { createIdentity, fingerprint, parseAddress } from "../../../src/identity.ts"
import { type Draw, ed25519Public, sha256 } from "../../../src/suite.ts"
import type { JsonObject } from "../../driver.ts"
import { deterministicDraw } from "../../vectorgen/draws.ts"
import {
  bytesArg,
  flagArg,
  hex,
  numberArg,
  type Ops,
  objectArg,
  optionalBytes,
  suiteArg,
  suitesArg,
  textArg,
} from "./args.ts"

/** Rows in memory, copied in and out; a snapshot is a copy. */
class TestDatabase implements Database {
  status = "closed"
  readonly rows: Map<string, Uint8Array>

  constructor(rows: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.rows = new Map(rows)
  }

  async open(): Promise<void> {
    this.status = "open"
  }

  async close(): Promise<void> {
    this.status = "closed"
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.rows.get(key)?.slice()
  }

  async batch(changes: Change[]): Promise<void> {
    for (const change of changes) {
      if (change.type === "put") this.rows.set(change.key, change.value.slice())
      else this.rows.delete(change.key)
    }
  }

  async *iterator(range: {
    gte: string
    lt: string
    limit?: number
  }): AsyncGenerator<[string, Uint8Array]> {
    const keys = [...this.rows.keys()].filter((key) => key >= range.gte && key < range.lt).sort()
    for (const key of keys.slice(0, range.limit ?? keys.length)) {
      yield [key, (this.rows.get(key) as Uint8Array).slice()]
    }
  }
}

/** The secret of an export: a passphrase, or a key of 32 bytes. */
function secretOf(args: JsonObject): string | Uint8Array {
  return args["key"] === undefined ? textArg(args, "passphrase") : bytesArg(args, "key")
}

function policyArg(args: JsonObject): TrustPolicy {
  if (args["trust"] === undefined) return {}
  const it = objectArg(args, "trust")
  return {
    ...(it["accept"] === undefined ? {} : { accept: textArg(it, "accept") as PeerPolicy }),
    ...(it["send"] === undefined ? {} : { send: textArg(it, "send") as PeerPolicy }),
    ...(it["maxAge"] === undefined ? {} : { maxAge: numberArg(it, "maxAge") }),
  }
}

/** Timers that run when the clock is moved past them. */
class Timers {
  readonly #clock: { now: number }
  readonly #waiting = new Map<object, { readonly at: number; readonly action: () => void }>()

  constructor(clock: { now: number }) {
    this.#clock = clock
  }

  readonly after = (ms: number, action: () => void): (() => void) => {
    const key = {}
    this.#waiting.set(key, { at: this.#clock.now * 1000 + ms, action })
    return () => void this.#waiting.delete(key)
  }

  move(now: number): void {
    this.#clock.now = now
    for (const [key, { at, action }] of [...this.#waiting].sort((a, b) => a[1].at - b[1].at)) {
      if (at > now * 1000 || !this.#waiting.delete(key)) continue
      action()
    }
  }
}

class LiveAgent {
  readonly db: TestDatabase
  readonly parts: Parts
  readonly draw: Draw
  readonly #timers: Timers

  private constructor(db: TestDatabase, parts: Parts, draw: Draw, timers: Timers) {
    this.db = db
    this.parts = parts
    this.draw = draw
    this.#timers = timers
  }

  /** Moves the clock, and waits for what became due: maintenance. */
  async moveClock(now: number): Promise<void> {
    this.#timers.move(now)
    for (let i = 0; i < 6; i++) {
      await this.parts.engine.run(() => undefined)
      await new Promise((done) => setImmediate(done))
    }
  }

  static async open(args: JsonObject, db: TestDatabase): Promise<LiveAgent> {
    const draw = deterministicDraw(bytesArg(args, "seed"))
    const clock = { now: numberArg(args, "now") }
    const timers = new Timers(clock)
    const environment = { now: () => clock.now * 1000, after: timers.after, draw }
    const file = optionalBytes(args, "file")
    const options = {
      ...{ store: db, environment, trust: policyArg(args) },
      suites: args["suites"] === undefined ? ([1, 2] as const) : suitesArg(args, "suites"),
      requireOneTime: flagArg(args, "requireOneTime", false),
      ...(file ? { restore: { backup: file, secret: secretOf(args) } } : {}),
    }
    const fresh = createIdentity(textArg(args, "name"), draw)
    const tracker = new Tracker(environment)
    const parts = await assemble({ options, environment, fresh, emitter: new Emitter(), tracker })
    return new LiveAgent(db, parts, draw, timers)
  }

  get about(): JsonObject {
    const { core } = this.parts
    const bundle = core.currentBundle?.bundle
    return { bundle: bundle ? hex(bundle.bytes) : null, fingerprint: fingerprint(core.own.ik) }
  }

  async connect(bundle: Uint8Array, expected: string | null): Promise<JsonObject> {
    const { core, engine, sender } = this.parts
    const pin = await engine.run(async () => {
      const { name } = acceptBundle(bundle, { now: core.now })
      const prepared = await sender.prepare(name, expected, { bundle, oneTime: null })
      sender.accept(prepared.bundle, expected !== null)
      core.updatePeer(prepared.bundle, { card: bundle.slice() })
      return core.view(prepared.bundle)
    })
    return { trust: pin.trust, fingerprint: pin.fingerprint }
  }

  async seal(to: string, body: Uint8Array, re: string | undefined): Promise<JsonObject> {
    const { core, engine, post, sender } = this.parts
    const address = parseAddress(to)
    let payload: ReturnType<typeof decodePayload>
    try {
      payload = decodePayload(body)
    } catch (error) {
      throw new AgentMeshError("agent/payload", "no payload", error)
    }
    const content = post.content(payload, re === undefined ? {} : { re })
    const envelope = await engine.run(() => {
      const pin = core.pin(address.name)
      if (!pin) throw new AgentMeshError("agent/no-hub", "no bundle")
      checkSendable(core, address)
      return sender.sealDirect(pin, content.bytes)
    })
    return { envelope: hex(envelope), id: hex(content.id) }
  }

  async receive(envelope: Uint8Array, from: string | undefined): Promise<JsonObject> {
    const { core, engine, receiver } = this.parts
    const received = await engine.run(() => receiver.receive(from, envelope, false))
    const { arrived, receipts, refused, peer } = received
    const contents = arrived.map(({ content }) => ({
      id: hex(content.id),
      body: hex(content.body),
    }))
    const told = receipts.map(({ id, status }) => ({ id, status }))
    const [first] = refused
    if (first !== undefined && contents.length === 0) throw new AgentMeshError(first, "refused")
    const view = core.view(peer)
    const sender = { name: view.name, fingerprint: view.fingerprint, trust: view.trust }
    return { sender, contents, receipts: told, refused: [...refused] }
  }
}

export const agentOps: Ops = {
  async "agent.new"(args, handles) {
    const agent = await LiveAgent.open(args, new TestDatabase())
    return { handle: handles.add("agent", agent), ...agent.about }
  },
  async "agent.clock"(args, handles) {
    await handles.get<LiveAgent>(args, "agent").moveClock(numberArg(args, "now"))
    return { moved: true }
  },
  "agent.trust"(args, handles) {
    const expected = args["fingerprint"] === undefined ? null : textArg(args, "fingerprint")
    return handles.get<LiveAgent>(args, "agent").connect(bytesArg(args, "bundle"), expected)
  },
  async "agent.oneTime"(args, handles) {
    const { core, engine } = handles.get<LiveAgent>(args, "agent").parts
    const key = await engine.run(() => {
      const { own, environment, now, store } = core
      const made = createOneTimeKey(own, suiteArg(args), now, environment.draw)
      store.put("key/one-time", hex(made.ref), made)
      return made
    })
    return { key: hex(key.bytes), ref: hex(key.ref) }
  },
  async "agent.verify"(args, handles) {
    const { core, engine } = handles.get<LiveAgent>(args, "agent").parts
    const { name, fingerprint: expected } = parseAddress(textArg(args, "address"))
    const view = await engine.run(() => {
      const pin = core.pin(name)
      if (!pin) throw new AgentMeshError("agent/no-hub", "not pinned")
      checkFingerprint(pin, expected)
      core.store.put("pin", name, { ...pin, trust: "verified" })
      return core.view(pin)
    })
    return { trust: view.trust }
  },
  async "agent.forget"(args, handles) {
    const { core, engine } = handles.get<LiveAgent>(args, "agent").parts
    await engine.run(() => forgetPeer(core, textArg(args, "name")))
    return { forgotten: true }
  },
  "agent.send"(args, handles) {
    const re = args["re"] === undefined ? undefined : textArg(args, "re")
    const agent = handles.get<LiveAgent>(args, "agent")
    return agent.seal(textArg(args, "to"), bytesArg(args, "body"), re)
  },
  "agent.receive"(args, handles) {
    const from = args["from"] === undefined ? undefined : textArg(args, "from")
    return handles.get<LiveAgent>(args, "agent").receive(bytesArg(args, "envelope"), from)
  },
  "agent.snapshot"(args, handles) {
    const { db } = handles.get<LiveAgent>(args, "agent")
    return { handle: handles.add("snapshot", new Map(db.rows)) }
  },
  async "agent.restore"(args, handles) {
    const rows = handles.get<ReadonlyMap<string, Uint8Array>>(args, "snapshot")
    const agent = await LiveAgent.open(args, new TestDatabase(rows))
    return { handle: handles.add("agent", agent), ...agent.about }
  },
  "agent.export"(args, handles) {
    const { parts, draw } = handles.get<LiveAgent>(args, "agent")
    return { bytes: hex(exportState(backupOf(parts.core), secretOf(args), draw)) }
  },
  "agent.import"(args) {
    const state = importState(bytesArg(args, "bytes"), secretOf(args))
    const { name, ikSecret, seq, peers } = state
    const print = fingerprint(ed25519Public(ikSecret))
    const known = peers.map(({ name: peer, trust, suite }) => `${peer} ${trust} ${suite}`)
    return { name, fingerprint: print, seq, peers: known }
  },
  "agent.digest"(args, handles) {
    const { db } = handles.get<LiveAgent>(args, "agent")
    const all = [...db.rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, row]) => `${key} ${hex(row)}`)
    return { digest: hex(sha256(toUtf8(all.join("\n")))) }
  },
}
