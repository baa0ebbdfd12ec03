// Drivers with one fault each: the reference behind a wrapper that does one thing wrong.

import type { Driver, Json, JsonObject, Reply } from "../../conformance/driver.ts"
import { createReference } from "../../conformance/peers/reference.ts"
import { frames, readFrame } from "../../conformance/properties/hubs.ts"

type Call = (op: string, args: JsonObject) => Promise<Reply>

/** Performs one operation wrongly; undefined: as it should be. */
type Fault = (op: string, args: JsonObject, call: Call) => Promise<Reply | undefined> | undefined

/** A fault, the property that has to notice it, and how small its counterexample gets. */
export interface Broken {
  readonly name: string
  readonly property: string
  /** Most steps of the saved case. */
  readonly steps?: number
  /** Whether the saved case shows the fault again; true unless said. */
  readonly replays?: boolean
  /** A fresh fault, with a memory of its own. */
  readonly fault: () => Fault
}

const on =
  (name: string, then: (args: JsonObject, call: Call) => Promise<Reply>): (() => Fault) =>
  () =>
  (op, args, call) =>
    op === name ? then(args, call) : undefined

/** Arguments of one operation are replaced. */
const given = (name: string, change: (args: JsonObject) => JsonObject): (() => Fault) =>
  on(name, (args, call) => call(name, { ...args, ...change(args) }))

/** Results of one operation are replaced. */
const gives = (
  name: string,
  change: (ok: JsonObject, args: JsonObject) => JsonObject,
): (() => Fault) =>
  on(name, async (args, call) => {
    const reply = await call(name, args)
    return reply.ok ? { ok: { ...reply.ok, ...change(reply.ok, args) } } : reply
  })

/** A refusal of one operation becomes something else. */
const instead = (name: string, code: string, reply: Reply): (() => Fault) =>
  on(name, async (args, call) => {
    const came = await call(name, args)
    return came.reject?.code === code ? reply : came
  })

const text = (value: Json | undefined): string => String(value)
const turned = (data: string): string => `${data.slice(0, -2)}${data.endsWith("00") ? "01" : "00"}`

/** Envelopes that were opened before are opened again. */
const replaying =
  (name: string): (() => Fault) =>
  () => {
    const seen = new Map<string, Reply>()
    return async (op, args, call) => {
      if (op !== name) return undefined
      const came = await call(op, args)
      if (came.ok) seen.set(text(args["envelope"]), came)
      return came.reject ? (seen.get(text(args["envelope"])) ?? came) : came
    }
  }

export const BROKEN: readonly Broken[] = [
  {
    name: "text is normalised",
    property: "encoding-p01",
    fault: on("encoding.encode", async (args, call) => {
      return call("encoding.encode", JSON.parse(JSON.stringify(args).normalize("NFC")))
    }),
  },
  {
    name: "keys of a map come back in another order",
    property: "encoding-p02",
    fault: gives("encoding.decode", ({ value }) => {
      const [kind, ...pairs] = value as readonly Json[]
      return { value: kind === "map" ? [kind, ...pairs.toReversed()] : (value as Json) }
    }),
  },
  {
    name: "lengths above 255 lose their high byte",
    property: "encoding-p01",
    fault: on("encoding.encode", async (args, call) => {
      const came = await call("encoding.encode", args)
      const bytes = text(came.ok?.["bytes"])
      return bytes.startsWith("5901") ? { ok: { bytes: bytes.replace("5901", "5900") } } : came
    }),
  },
  {
    name: "what follows an item is ignored",
    property: "encoding-p05",
    fault: on("encoding.decode", async (args, call) => {
      const came = await call("encoding.decode", args)
      if (came.ok) return came
      return call("encoding.decode", { ...args, bytes: text(args["bytes"]).slice(0, -2) })
    }),
  },
  {
    name: "a value is guessed where bytes are missing",
    property: "encoding-p04",
    fault: instead("encoding.decode", "encoding/malformed", { ok: { value: ["null"] } }),
  },
  {
    name: "long heads are read",
    property: "encoding-p06",
    fault: instead("encoding.decode", "encoding/profile", { ok: { value: ["null"] } }),
  },
  {
    name: "any depth is read",
    property: "encoding-p07",
    fault: instead("encoding.decode", "encoding/limit", { ok: { value: ["null"] } }),
  },
  {
    name: "every fault of an encoding has one code",
    property: "encoding-p08",
    fault: instead("encoding.decode", "encoding/profile", { reject: { code: "encoding/shape" } }),
  },
  {
    name: "bit 255 is masked",
    property: "suite-p02",
    fault: given("suite.dh", ({ remote }) => {
      const last = Number.parseInt(text(remote).slice(62), 16) & 127
      return { remote: text(remote).slice(0, 62) + last.toString(16).padStart(2, "0") }
    }),
  },
  {
    name: "a signature may be anything",
    property: "suite-p03",
    fault: instead("suite.verify", "bundle/signature", { ok: { digest: "00".repeat(32) } }),
  },
  {
    name: "verification multiplies by the cofactor",
    property: "suite-p04",
    fault: instead("suite.verify", "bundle/signature", { ok: { digest: "00".repeat(32) } }),
  },
  {
    name: "draws do not depend on their number",
    property: "suite-p05",
    fault: given("suite.draw", () => ({ i: 0 })),
  },
  {
    name: "associated data is ignored",
    property: "suite-p06",
    fault: instead("suite.open", "envelope/open", { ok: { plaintext: "" } }),
  },
  {
    name: "keys of small order pass",
    property: "suite-p08",
    fault: instead("identity.fingerprint", "suite/bad-key", { ok: { fingerprint: "" } }),
  },
  {
    name: "a fingerprint may be in upper case",
    property: "identity-p01",
    fault: given("identity.address", ({ address }) => ({ address: text(address).toLowerCase() })),
  },
  {
    name: "names are made lower case",
    property: "identity-p02",
    fault: given("identity.address", ({ address }) => ({ address: text(address).toLowerCase() })),
  },
  {
    name: "the lines of a safety number keep their order",
    property: "identity-p03",
    fault: gives("identity.safety", ({ safety }) => {
      return { safety: text(safety).split("\n").reverse().join("\n") }
    }),
  },
  {
    name: "a bundle needs no signature",
    property: "bundle-p08",
    fault: instead("bundle.accept", "bundle/signature", {
      ok: { digest: "", seq: 1, suites: [1] },
    }),
  },
  {
    name: "a bundle never expires",
    property: "bundle-p03",
    fault: instead("bundle.accept", "bundle/expired", { ok: { digest: "", seq: 1, suites: [1] } }),
  },
  {
    name: "an older bundle is accepted",
    property: "bundle-p04",
    fault: given("bundle.accept", ({ context }) => {
      const { known: _known, ...rest } = context as JsonObject
      return { context: rest }
    }),
  },
  {
    name: "a bad one-time key counts as none",
    property: "bundle-p06",
    fault: instead("bundle.acceptOneTime", "bundle/one-time", { ok: { ref: "", notAfter: 0 } }),
  },
  {
    name: "a card may have white space",
    property: "bundle-p07",
    fault: given("bundle.readCard", ({ card }) => ({ card: text(card).replace(/\s|=/g, "") })),
  },
  {
    name: "the guard enters no key",
    property: "keyschedule-p02",
    fault: given("keyschedule.message", () => ({ guard: "00".repeat(16) })),
  },
  {
    name: "suite 2 leaves out the KEM secret",
    property: "keyschedule-p04",
    fault: gives("keyschedule.exchange", ({ secret }) => ({ secret: text(secret).slice(0, 64) })),
  },
  {
    name: "no replay cache",
    property: "handshake-p05",
    fault: given("handshake.respond", () => ({ replayed: [] })),
  },
  {
    name: "a first envelope needs no signature of its author",
    property: "handshake-p07",
    fault: instead("handshake.respond", "envelope/open", { ok: { th: "", rk: "", contents: [] } }),
  },
  {
    name: "an initiator forgets the suite that it used",
    property: "handshake-p06",
    fault: given("handshake.initiate", () => ({ remembered: 0 })),
  },
  {
    name: "an init is accepted again",
    property: "handshake-p08",
    steps: 9,
    fault: replaying("agent.receive"),
  },
  {
    name: "an older suite is good enough",
    property: "handshake-p09",
    steps: 6,
    fault: instead("agent.trust", "suite/downgrade", { ok: { trust: "pinned", fingerprint: "" } }),
  },
  {
    name: "padding ends at the next 32 bytes",
    property: "envelope-p01",
    fault: gives("envelope.pad", (_ok, { length }) => {
      return { padded: Math.max(256, 32 * Math.ceil((Number(length) + 1) / 32)) }
    }),
  },
  {
    name: "any filler is taken off",
    property: "envelope-p02",
    fault: instead("envelope.unpad", "envelope/open", { ok: { length: 1 } }),
  },
  {
    name: "an envelope needs no signature",
    property: "envelope-p05",
    fault: instead("envelope.open", "envelope/open", { ok: { contents: [], sig: "" } }),
  },
  {
    name: "unknown kinds of content pass",
    property: "envelope-p06",
    fault: instead("envelope.content", "envelope/content", { ok: { kind: 0, ask: 0, sentMs: 0 } }),
  },
  {
    name: "a proof takes every hash from the prover",
    property: "envelope-p08",
    fault: instead("envelope.proof", "envelope/open", { ok: { digest: "" } }),
  },
  {
    name: "no replay protection in a session",
    property: "session-p01",
    fault: replaying("session.open"),
  },
  {
    name: "no replay protection over a network",
    property: "session-p07",
    steps: 6,
    fault: replaying("session.open"),
  },
  {
    name: "used keys are kept",
    property: "session-p11",
    steps: 8,
    fault: () => {
      const seen = new Map<string, Reply>()
      return async (op, args, call) => {
        if (op !== "session.open") return undefined
        const came = await call(op, args)
        if (came.ok) seen.set(text(args["envelope"]), came)
        return came.reject?.code === "session/replay"
          ? (seen.get(text(args["envelope"])) ?? came)
          : came
      }
    },
  },
  {
    name: "a refused envelope changes the state",
    property: "session-p02",
    steps: 6,
    fault: on("session.open", async (args, call) => {
      const came = await call("session.open", args)
      if (came.reject)
        await call("session.seal", { session: text(args["session"]), contents: ["80"] })
      return came
    }),
  },
  {
    name: "session keys are enough",
    property: "session-p03",
    steps: 4,
    fault: instead("session.open", "envelope/open", { ok: { contents: [], view: "" } }),
  },
  {
    name: "a gap of any size passes as a forgery",
    property: "session-p04",
    steps: 4,
    fault: instead("session.open", "session/chain-limit", { reject: { code: "envelope/open" } }),
  },
  {
    name: "skipped keys are kept for ever",
    property: "session-p05",
    fault: given("session.open", () => ({ now: 1_767_225_600 })),
  },
  {
    name: "seals are of another draw",
    property: "session-p06",
    fault: given("session.new", ({ seed }) => ({ seed: turned(text(seed)) })),
  },
  {
    name: "what is sealed does not open",
    property: "session-p08",
    steps: 3,
    fault: gives("session.seal", ({ envelope }) => ({ envelope: turned(text(envelope)) })),
  },
  {
    name: "an unknown session looks like a forgery",
    property: "session-p09",
    steps: 8,
    fault: instead("session.open", "session/unknown", { reject: { code: "envelope/open" } }),
  },
  {
    name: "a second block is opened without an answer in between",
    property: "session-p10",
    steps: 4,
    fault: instead("session.open", "envelope/open", { ok: { contents: [], view: "" } }),
  },
  {
    name: "one envelope is sealed twice",
    property: "session-p12",
    steps: 5,
    fault: () => {
      const sealed = new Map<string, Reply>()
      return async (op, args, call) => {
        if (op !== "session.seal") return undefined
        const before = sealed.get(text(args["session"]))
        if (before) return before
        const came = await call(op, args)
        sealed.set(text(args["session"]), came)
        return came
      }
    },
  },
  {
    name: "frames of any shape pass",
    property: "hub-p01",
    fault: instead("hub.decode", "hub/malformed", { ok: { frameHash: "" } }),
  },
  {
    name: "an agent answers any welcome",
    property: "hub-p02",
    fault: on("hub.auth", async (args, call) => {
      const came = await call("hub.auth", args)
      return came.reject ? { ok: { frame: "80" } } : came
    }),
  },
  {
    name: "an auth is believed unseen",
    property: "hub-p03",
    steps: 6,
    fault: instead("hub.frame", "hub/auth-failed", { ok: { frames: [], closed: [] } }),
  },
  {
    name: "no two receipts prove anything",
    property: "hub-p04",
    fault: gives("hub.compareReceipts", () => ({ verdict: "none" })),
  },
  {
    name: "an ACK does nothing",
    property: "hub-p05",
    steps: 20,
    fault: given("hub.frame", ({ frame }) => {
      const [type, rid] = readFrame(text(frame))
      return type === 14 ? { frame: frames.ping(Number(rid)) } : {}
    }),
  },
  {
    name: "every SEND is another mail",
    property: "hub-p06",
    steps: 14,
    fault: () => {
      let count = 0
      return async (op, args, call) => {
        if (op !== "hub.frame") return undefined
        const [type, rid, to, , envelope] = readFrame(text(args["frame"]))
        if (type !== 13) return undefined
        const mid = (++count).toString(16).padStart(32, "f")
        const frame = frames.send(Number(rid), text(to as string), mid, text(envelope as string))
        return call(op, { ...args, frame })
      }
    },
  },
  {
    name: "a reservation lasts no time",
    property: "hub-p07",
    steps: 14,
    fault: () => {
      let late = 0
      return (op, args, call) => {
        if (op !== "hub.frame") return undefined
        late += 61
        return call(op, { ...args, now: Number(args["now"]) + late })
      }
    },
    replays: false,
  },
  {
    name: "an older bundle replaces a newer",
    property: "hub-p08",
    steps: 8,
    fault: instead("hub.frame", "hub/bundle-stale", { ok: { frames: [], closed: [] } }),
  },
  {
    name: "quotas are twice as large",
    property: "hub-p09",
    steps: 16,
    fault: given("hub.new", ({ limits }) => {
      const all = limits as Readonly<Record<string, number>>
      const twice = { "per-sender": 2 * (all["per-sender"] ?? 200) }
      return { limits: { ...all, ...twice } }
    }),
  },
  {
    name: "OK comes before the write",
    property: "hub-p10",
    steps: 14,
    fault: on("hub.frame", async (args, call) => {
      const came = await call("hub.frame", args)
      return came.reject?.code === "hub/internal" ? { ok: { frames: [], closed: [] } } : came
    }),
  },
  {
    name: "a damaged export is read",
    property: "agent-p01",
    steps: 8,
    fault: instead("agent.import", "agent/store-corrupt", { ok: { name: "", peers: [] } }),
  },
  {
    name: "every sender is verified",
    property: "agent-p02",
    steps: 6,
    fault: gives("agent.receive", ({ sender }) => {
      return { sender: { ...(sender as JsonObject), trust: "verified" } }
    }),
  },
  {
    name: "contents are handed over twice",
    property: "agent-p03",
    steps: 8,
    fault: replaying("agent.receive"),
  },
  {
    name: "an envelope leaves before its commit",
    property: "agent-p04",
    steps: 10,
    fault: () => {
      const before = new Map<string, Reply>()
      return async (op, args, call) => {
        const agent = text(args["agent"])
        if (op === "agent.send") before.set(agent, await call("agent.snapshot", { agent }))
        if (op === "agent.receive") before.delete(agent)
        return op === "agent.snapshot" ? before.get(agent) : undefined
      }
    },
  },
  {
    name: "a restored copy repeats the draws of its original",
    property: "agent-p05",
    steps: 12,
    fault: () => {
      let first: Json = null
      return (op, args, call) => {
        if (op === "agent.new") first ??= args["seed"] as Json
        return op === "agent.restore" ? call(op, { ...args, seed: first }) : undefined
      }
    },
  },
  {
    name: "another key under a pinned name is taken",
    property: "agent-p07",
    steps: 6,
    fault: on("agent.trust", async (args, call) => {
      const came = await call("agent.trust", args)
      if (came.reject?.code !== "identity/changed") return came
      await call("agent.forget", { agent: text(args["agent"]), name: "bob" })
      return call("agent.trust", args)
    }),
  },
  {
    name: "refusals of contents are not told",
    property: "agent-p08",
    steps: 6,
    fault: gives("agent.receive", () => ({ refused: [] })),
  },
  {
    name: "sessions live for ever",
    property: "agent-p09",
    steps: 10,
    fault: on("agent.clock", async () => ({ ok: { moved: true } })),
  },
  {
    name: "another id is reported than was sent",
    property: "agent-p10",
    steps: 6,
    fault: gives("agent.send", ({ id }) => ({ id: turned(text(id)) })),
  },
]

/** The reference with a fault. */
export function broken(name: string): Driver {
  const found = BROKEN.find((item) => item.name === name)
  if (found === undefined) throw new Error(`no fault ${name}`)
  const fault = found.fault()
  const reference = createReference()
  const call: Call = async (op, args) => reference.call(op, args)
  return {
    async call(op, args) {
      return (await fault(op, args, call)) ?? (await call(op, args))
    },
  }
}
