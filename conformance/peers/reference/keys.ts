// Reference driver, SPEC §7 and §8: keyschedule, handshake.

import {
  acceptBundle,
  acceptOneTimeKey,
  type Bundle,
  type OneTimeKey,
} from "../../../src/bundle.ts"
import { concat, equalBytes } from "../../../src/bytes.ts"
import { encode } from "../../../src/encoding.ts"
import { decodeEnvelope } from "../../../src/envelope.ts"
import { AgentMeshError, require } from "../../../src/errors.ts"
import {
  type AcceptedInit,
  checkInit,
  chooseSuite,
  INIT,
  initiate,
  initValue,
  prekeyOf,
  readInit,
  respond,
} from "../../../src/handshake.ts"
import type { OwnIdentity } from "../../../src/identity.ts"
import {
  blockHash,
  type Init,
  messageKey,
  nextChainKey,
  peerKeyHash,
  ratchet,
  rootKey,
  sealKey,
  sessionId,
  transcriptHash,
} from "../../../src/keyschedule.ts"
import { createResponder, type Opened, open, type Session } from "../../../src/session.ts"
import { decodeAs } from "../../../src/shape.ts"
import * as suites from "../../../src/suite.ts"
import { deterministicDraw } from "../../vectorgen/draws.ts"
import {
  blockArg,
  bytesArg,
  bytesListArg,
  exchangeArg,
  flagArg,
  hex,
  identityArg,
  listArg,
  numberArg,
  type Ops,
  objectArg,
  objectsArg,
  optionalBytes,
  peerArg,
  secretArg,
  suiteArg,
  suitesArg,
  Trace,
  textArg,
  untaggedProtocol,
} from "./args.ts"
import { ownBundleArg, ownOneTimeArg } from "./bundles.ts"
import { traceOpen } from "./traces.ts"

export const keyscheduleOps: Ops = {
  "keyschedule.expand"(args) {
    const context = listArg(args, "context").map(untaggedProtocol)
    const purpose = textArg(args, "purpose") as suites.Purpose
    const info = suites.labelled(purpose, suiteArg(args), ...context)
    const okm = suites.expand(bytesArg(args, "secret"), info, numberArg(args, "length"))
    return { okm: hex(okm), trace: [["info", hex(info)]] }
  },
  "keyschedule.ratchet"(args) {
    const [block, answered] = [blockArg(args, "block"), exchangeArg(args, "answered")]
    const th = bytesArg(args, "th")
    const trace = new Trace()
    const name = trace.add("block-hash", blockHash(block))
    trace.add("peer-key-hash", peerKeyHash(answered))
    const [rk, secret] = [bytesArg(args, "rk"), bytesArg(args, "secret")]
    const step = ratchet(suiteArg(args), th, rk, secret, name, answered)
    trace.add("okm", concat(step.rk, step.ck))
    return { rk: hex(step.rk), ck: hex(step.ck), trace: trace.json() }
  },
  "keyschedule.exchange"(args) {
    const [own, block] = [secretArg(objectArg(args, "own")), blockArg(args, "block")]
    suites.checkExchange(block)
    const shared = suites.dh(own.x, block.x)
    const ss = own.kem && block.kemCt ? suites.decapsulate(own.kem, block.kemCt) : null
    const trace = ss ? [["ss", hex(ss)]] : []
    return { secret: hex(ss ? concat(shared, ss) : shared), trace }
  },
  "keyschedule.message"(args) {
    const suite = suiteArg(args)
    let ck = bytesArg(args, "ck")
    const trace = new Trace()
    for (let n = 0; n < numberArg(args, "n"); n++) ck = nextChainKey(suite, ck)
    trace.add("ck", ck)
    const mk = trace.add("mk", messageKey(suite, ck))
    const key = sealKey(suite, bytesArg(args, "th"), mk, bytesArg(args, "guard"))
    trace.add("key", key.slice(0, 32))
    trace.add("nonce", key.slice(32))
    return { mk: hex(mk), ck: hex(nextChainKey(suite, ck)), sealKey: hex(key), trace: trace.json() }
  },
}

/** The init of SPEC §8.2 from its encoding. */
function readRawInit(bytes: Uint8Array): Init {
  const raw = decodeAs(INIT, bytes)
  require(suites.isSuite(raw.suite), "suite/unsupported", `suite ${raw.suite}`)
  return { ...raw, suite: raw.suite }
}

function traceHandshake(
  th: Uint8Array,
  suite: suites.Suite,
  dhs: readonly Uint8Array[],
  ss: Uint8Array | null,
): Trace {
  const trace = new Trace()
  dhs.forEach((dh, i) => {
    trace.add(`dh${i + 1}`, dh)
  })
  if (ss) trace.add("ss", ss)
  trace.add("th", th)
  const ikm = concat(...dhs, ...(ss ? [ss] : []))
  trace.add("prk", suites.extract(th, ikm))
  trace.add("rk0", rootKey(suite, th, [ikm]))
  trace.add("sid", sessionId(th))
  return trace
}

function traceInitiator(
  own: OwnIdentity,
  bundle: Bundle,
  oneTime: OneTimeKey | null,
  init: Init,
  th: Uint8Array,
  seed: Uint8Array,
): Trace {
  const draw = deterministicDraw(seed)
  const e = draw("ephemeral", 32)
  const prekey = prekeyOf(bundle, init.suite)
  const dhs = [suites.dh(own.dkSecret, prekey.x), suites.dh(e, bundle.dk), suites.dh(e, prekey.x)]
  if (oneTime) dhs.push(suites.dh(e, oneTime.x))
  const ek = oneTime?.ek ?? prekey.ek
  const ss = ek && suites.encapsulate(ek, draw("encaps", 32)).ss
  return traceHandshake(th, init.suite, dhs, ss)
}

function traceResponder(init: Init, th: Uint8Array, own: OwnIdentity, by: AcceptedInit): Trace {
  const prekey = by.bundle.secrets.get(init.suite) as suites.ExchangeSecret
  const used = by.oneTime?.secret
  const dhs = [
    suites.dh(prekey.x, init.dk),
    suites.dh(own.dkSecret, init.e),
    suites.dh(prekey.x, init.e),
  ]
  if (used) dhs.push(suites.dh(used.x, init.e))
  const kem = used ? used.kem : prekey.kem
  const ss = kem && init.kemCt ? suites.decapsulate(kem, init.kemCt) : null
  return traceHandshake(th, init.suite, dhs, ss)
}

export const handshakeOps: Ops = {
  "handshake.derive"(args) {
    const init = readRawInit(bytesArg(args, "init"))
    const th = transcriptHash(init, peerArg(args, "responder"))
    const ss = optionalBytes(args, "ss")
    const trace = traceHandshake(th, init.suite, bytesListArg(args, "dh"), ss)
    const rk = rootKey(init.suite, th, [...bytesListArg(args, "dh"), ...(ss ? [ss] : [])])
    return { th: hex(th), sid: hex(sessionId(th)), rk: hex(rk), trace: trace.json() }
  },
  "handshake.initiate"(args) {
    const own = identityArg(args)
    const [now, seed] = [numberArg(args, "now"), bytesArg(args, "seed")]
    const bundle = acceptBundle(bytesArg(args, "bundle"), { now })
    const remembered = numberArg(args, "remembered", 0)
    const suite = chooseSuite(own, suitesArg(args, "suites"), bundle, remembered)
    const key = optionalBytes(args, "oneTime")
    const oneTime = key && acceptOneTimeKey(key, bundle, suite, now)
    const { init, th, rk } = initiate(own, bundle, oneTime, suite, deterministicDraw(seed))
    const trace = traceInitiator(own, bundle, oneTime, init, th, seed).json()
    const encoded = hex(encode(initValue(init)))
    return { suite, init: encoded, th: hex(th), sid: hex(sessionId(th)), rk: hex(rk), trace }
  },
  "handshake.respond"(args) {
    const own = identityArg(args)
    const envelope = decodeEnvelope(bytesArg(args, "envelope"))
    if (envelope.init === null) throw new AgentMeshError("session/unknown", "no init")
    const { init, th } = readInit(envelope.init, envelope, own)
    const bundles = objectsArg(args, "bundles").map(ownBundleArg)
    const oneTimes = objectsArg(args, "oneTimes").map(ownOneTimeArg)
    const { otkRef } = init
    const pins = args["pins"] === undefined ? {} : objectArg(args, "pins")
    const accepted = checkInit(init, {
      replayed: bytesListArg(args, "replayed").some((other) => equalBytes(other, th)),
      sidTaken: bytesListArg(args, "sids").some((other) => equalBytes(other, sessionId(th))),
      bundle: bundles.find((bundle) => equalBytes(bundle.ref, init.bundleRef)),
      oneTime: otkRef ? oneTimes.find((key) => equalBytes(key.ref, otkRef)) : undefined,
      suites: suitesArg(args, "suites"),
      remembered: numberArg(args, "remembered", 0),
      from: args["from"] === undefined ? undefined : textArg(args, "from"),
      pinned: optionalBytes(pins, init.name) ?? undefined,
      trusted: flagArg(args, "trusted", true),
      room: flagArg(args, "room", true),
    })
    let rk: Uint8Array
    let session: Session
    let opened: Opened
    try {
      rk = respond(init, th, envelope.block, own, accepted)
      session = createResponder(init, th, rk, accepted.bundle)
      opened = open(session, own, envelope, numberArg(args, "now"))
    } catch (error) {
      // HANDSHAKE-27: the code was decided before.
      require(!accepted.changed, "identity/changed", "another identity key is pinned")
      throw error
    }
    require(!accepted.changed, "identity/changed", "another identity key is pinned")
    const trace = traceResponder(init, th, own, accepted).json()
    const inner = traceOpen(session, own, envelope).json()
    return {
      ...{ th: hex(th), sid: hex(sessionId(th)), rk: hex(rk) },
      contents: opened.contents.map(hex),
      trace: [...(trace as []), ...(inner as [])],
    }
  },
}
