// Reference driver, SPEC §9 and §10: envelope, session.

import { toUtf8 } from "../../../src/bytes.ts"
import { decodePayload, encode } from "../../../src/encoding.ts"
import {
  type Content,
  contentHash,
  decodeContent,
  decodeEnvelope,
  decodeReceipts,
  encodeContent,
  encodeHeader,
  openEnvelope,
  pad,
  sealEnvelope,
  unpad,
  verifyContentProof,
} from "../../../src/envelope.ts"
import { AgentMeshError, require } from "../../../src/errors.ts"
import { INIT } from "../../../src/handshake.ts"
import type { OwnIdentity } from "../../../src/identity.ts"
import { type Init, sessionId } from "../../../src/keyschedule.ts"
import { eraseExpired, open, type Session, seal } from "../../../src/session.ts"
import { decodeAs } from "../../../src/shape.ts"
import { type Draw, ed25519Public, labelled, type Suite, sha256 } from "../../../src/suite.ts"
import type { JsonObject } from "../../driver.ts"
import { deterministicDraw } from "../../vectorgen/draws.ts"
import {
  blockArg,
  bytesArg,
  bytesListArg,
  exchangeArg,
  hex,
  identityArg,
  numberArg,
  type Ops,
  objectArg,
  optionalBytes,
  peerArg,
  secretArg,
  suiteArg,
  Trace,
  textArg,
} from "./args.ts"
import { traceEnvelope, traceOpen, traceSeal } from "./traces.ts"

function initArg(args: JsonObject): Init | null {
  const bytes = optionalBytes(args, "init")
  if (bytes === null) return null
  const raw = decodeAs(INIT, bytes)
  return { ...raw, suite: raw.suite as Suite }
}

/** Applies the rules of a content (SPEC §9), then those of an application payload. */
export function judgeContent(bytes: Uint8Array): Content {
  const content = decodeContent(bytes)
  if (content.kind !== 0) return content
  try {
    decodePayload(content.body)
  } catch (error) {
    throw new AgentMeshError("agent/payload", "the body is no payload", error)
  }
  return content
}

export const envelopeOps: Ops = {
  "envelope.open"(args) {
    const envelope = decodeEnvelope(bytesArg(args, "envelope"))
    const [suite, th] = [suiteArg(args), bytesArg(args, "th")]
    const context = {
      suite,
      th,
      sender: peerArg(args, "sender"),
      recipient: textArg(args, "recipient"),
    }
    const mk = bytesArg(args, "mk")
    const { contents, sig } = openEnvelope(context, mk, envelope)
    const trace = traceEnvelope(new Trace(), context, mk, envelope).json()
    return { contents: contents.map(hex), sig: hex(sig), trace }
  },
  "envelope.seal"(args) {
    const [suite, th, it] = [suiteArg(args), bytesArg(args, "th"), objectArg(args, "sender")]
    const [mk, guard, secret] = [
      bytesArg(args, "mk"),
      bytesArg(args, "guard"),
      bytesArg(it, "ikSecret"),
    ]
    const sender = { name: textArg(it, "name"), ik: ed25519Public(secret) }
    const context = { suite, th, sender, recipient: textArg(args, "recipient") }
    const [pn, n] = [numberArg(args, "pn"), numberArg(args, "n")]
    const fields = { sid: sessionId(th), block: blockArg(args, "block"), pn, n, guard }
    const header = encodeHeader(fields, initArg(args))
    const contents = bytesListArg(args, "contents")
    const envelope = sealEnvelope(context, mk, secret, header, guard, contents)
    const trace = traceEnvelope(new Trace(), context, mk, decodeEnvelope(envelope)).json()
    return { envelope: hex(envelope), trace }
  },
  "envelope.pad"(args) {
    const padded = pad(new Uint8Array(numberArg(args, "length")))
    return {
      padded: padded.length,
      filler: hex(padded.slice(numberArg(args, "length")).slice(0, 4)),
    }
  },
  "envelope.unpad"(args) {
    const inner = unpad(bytesArg(args, "padded"))
    if (inner === null) throw new AgentMeshError("envelope/open", "wrong padding")
    return { length: inner.length }
  },
  "envelope.proof"(args) {
    const context = {
      suite: suiteArg(args),
      th: bytesArg(args, "th"),
      sender: peerArg(args, "sender"),
      recipient: textArg(args, "recipient"),
    }
    const content = bytesArg(args, "content")
    const [header, index] = [bytesArg(args, "header"), numberArg(args, "index")]
    const hashes = bytesListArg(args, "hashes").slice()
    const proof = { header, hashes, sig: bytesArg(args, "sig"), index }
    require(verifyContentProof(context, content, proof), "envelope/open", "it does not hold")
    hashes[index] = contentHash(content)
    const { suite, th, sender, recipient } = context
    const signed = labelled("message", suite, th, sender.name, recipient, header, hashes)
    return { digest: hex(sha256(signed)) }
  },
  "envelope.content"(args) {
    const bytes = bytesArg(args, "content")
    const { kind, sentMs, ask, body } = judgeContent(bytes)
    const digest = hex(sha256(bytes))
    if (kind !== 2) return { kind, sentMs, ask, digest }
    return { kind, sentMs, ask, digest, statuses: decodeReceipts(body).map(({ status }) => status) }
  },
  "envelope.makeContent"(args) {
    const [id, re, body] = [bytesArg(args, "id"), optionalBytes(args, "re"), bytesArg(args, "body")]
    const [kind, sentMs] = [numberArg(args, "kind"), numberArg(args, "sentMs")]
    return {
      content: hex(encodeContent({ kind, id, sentMs, re, ask: numberArg(args, "ask"), body })),
    }
  },
}

/** session-view of SPEC §10.2. */
function view(session: Session): string {
  const { th, suite, role, ns, pn, nr, skipped } = session
  return hex(encode([th, suite, role === "initiator" ? 0 : 1, ns, pn, nr, skipped.length]))
}

interface Live {
  readonly own: OwnIdentity
  readonly session: Session
  readonly draw: Draw
  readonly seed: Uint8Array
  /** Draws so far, so that a trace can repeat those of one seal. */
  readonly drawn: Map<string, number>
}

const FRESH = { cks: null, ckr: null, ns: 0, pn: 0, nr: 0, block: null, retired: [], skipped: [] }

function stateJson(session: Session): string {
  return JSON.stringify(session, (_key, value) => {
    return value instanceof Uint8Array ? hex(value) : value
  })
}

export const sessionOps: Ops = {
  "session.new"(args, handles) {
    const own = identityArg(args)
    const [suite, th, rk] = [suiteArg(args), bytesArg(args, "th"), bytesArg(args, "rk")]
    const base = { ...FRESH, th, suite, rk, peer: peerArg(args, "peer"), init: initArg(args) }
    const role = textArg(args, "role")
    let session: Session
    if (role === "initiator")
      session = { ...base, role, own: null, remote: exchangeArg(args, "remote") }
    else {
      const it = objectArg(args, "own")
      const block = { ...exchangeArg(it, "public"), kemCt: null }
      const key = { secret: secretArg(it), block }
      session = { ...base, role: "responder", own: key, remote: { x: block.x, ek: block.ek } }
    }
    const [seed, drawn] = [bytesArg(args, "seed"), new Map<string, number>()]
    const live: Live = { own, session, seed, drawn, draw: deterministicDraw(seed, drawn) }
    const handle = handles.add("session", live)
    return { handle, view: view(session) }
  },
  "session.seal"(args, handles) {
    const live = handles.get<Live>(args, "session")
    const drawn = new Map(live.drawn)
    const { session, envelope } = seal(
      live.session,
      live.own,
      bytesListArg(args, "contents"),
      live.draw,
    )
    handles.set(args, "session", { ...live, session })
    const raw = decodeEnvelope(envelope)
    const output = { envelope: hex(envelope), view: view(session) }
    if (args["trace"] !== true) return output
    const draw = deterministicDraw(live.seed, drawn)
    return { ...output, trace: traceSeal(live.session, live.own, raw, draw).json() }
  },
  "session.open"(args, handles) {
    const live = handles.get<Live>(args, "session")
    const envelope = decodeEnvelope(bytesArg(args, "envelope"))
    const same = hex(envelope.sid) === hex(sessionId(live.session.th))
    require(same, "session/unknown", "an envelope of another session")
    const opened = open(live.session, live.own, envelope, numberArg(args, "now"))
    handles.set(args, "session", { ...live, session: opened.session })
    const output = { contents: opened.contents.map(hex), view: view(opened.session) }
    if (args["trace"] !== true) return output
    return { ...output, trace: traceOpen(live.session, live.own, envelope).json() }
  },
  "session.expire"(args, handles) {
    const live = handles.get<Live>(args, "session")
    const session = eraseExpired(live.session, numberArg(args, "now"))
    handles.set(args, "session", { ...live, session })
    return { view: view(session) }
  },
  "session.digest"(args, handles) {
    const { session } = handles.get<Live>(args, "session")
    return { digest: hex(sha256(toUtf8(stateJson(session)))) }
  },
}
