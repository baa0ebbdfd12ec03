// Operations of the driver protocol, computed again from SPEC.md.

import { decode } from "cbor2"
import type { Json, JsonObject } from "../../conformance/driver.ts"
import { C, n, untag, x } from "./cbor.ts"
import {
  Decaps,
  drawn,
  Encaps,
  Ex,
  Expand,
  Extract,
  H,
  HKDF,
  kemKey,
  label,
  open,
  publicOf,
  Sign,
  seal,
  Verify,
  X25519,
} from "./crypto.ts"
import { contentHash, openInner, paddedLength, sealKey, signedBytes, unpad } from "./envelope.ts"

type Results = Readonly<Record<string, unknown>>
type Compute = (args: JsonObject) => Results | null

const object = (args: JsonObject, key: string): JsonObject => args[key] as JsonObject
const list = (args: JsonObject, key: string): readonly Json[] => args[key] as readonly Json[]

/** The outer items of an encoded bundle or one-time key. */
function signedBody(bytes: Buffer): { body: Buffer; fields: unknown[] } {
  const [body] = decode(bytes) as [Uint8Array]
  return { body: Buffer.from(body), fields: decode(body) as unknown[] }
}

function transcript(init: readonly unknown[], name: string, ik: Buffer): Buffer {
  const [suite, bundleRef, otkRef, nameA, ikA, dkA, e, kemCt] = init
  return H(
    C([label("handshake"), suite, name, ik, bundleRef, otkRef, nameA, ikA, dkA, e, kemCt] as never),
  )
}

function derived(th: Buffer, suite: number, dhs: readonly Buffer[], ss: Buffer | null): Results {
  const prk = Extract(th, Buffer.concat([...dhs, ...(ss ? [ss] : [])]))
  const rk = Ex(prk, "root", suite, 32)
  const named = Object.fromEntries(dhs.map((dh, i) => [`~dh${i + 1}`, dh]))
  return {
    th,
    sid: th.subarray(0, 16),
    rk,
    "~prk": prk,
    "~rk0": rk,
    ...named,
    ...(ss ? { "~ss": ss } : {}),
  }
}

/** The points of small order, canonical: OpenSSL takes them as keys, §4 does not. */
const SMALL_ORDER: readonly string[] = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]

const OPERATIONS: Readonly<Record<string, Compute>> = {
  "suite.dh": (a) => ({ shared: X25519(x(a["secret"]), x(a["remote"])) }),
  "suite.hkdf"(a) {
    const [salt, ikm, length] = [x(a["salt"]), x(a["ikm"]), a["length"] as number]
    return { okm: HKDF(salt, ikm, x(a["info"]), length), "~prk": Extract(salt, ikm) }
  },
  "suite.draw"(a) {
    const [name, i] = [a["name"] as string, a["i"] as number]
    const bytes = drawn(x(a["seed"]), name, i, a["length"] as number)
    return { bytes, "~info": C([label("test"), name, i]) }
  },
  "suite.sign": (a) => ({ signature: Sign(x(a["seed"]), x(a["message"])) }),
  "suite.verify"(a) {
    const parts = [x(a["key"]), x(a["message"]), x(a["signature"])] as const
    return Verify(...parts) ? { digest: H(Buffer.concat(parts)) } : null
  },
  "suite.seal": (a) => ({ ct: seal(x(a["key"]), x(a["nonce"]), x(a["aad"]), x(a["plaintext"])) }),
  "suite.open"(a) {
    const plaintext = open(x(a["key"]), x(a["nonce"]), x(a["aad"]), x(a["ct"]))
    return plaintext && { plaintext }
  },
  "suite.encaps": (a) => ({ ...Encaps(x(a["ek"]), x(a["m"])) }),
  "suite.decaps": (a) => ({ ss: Decaps(x(a["seed"]), x(a["ct"])) }),

  "keyschedule.expand"(a) {
    const info = C([
      label(a["purpose"] as string),
      a["suite"] as number,
      ...list(a, "context").map(untag),
    ])
    return { okm: Expand(x(a["secret"]), info, a["length"] as number), "~info": info }
  },
  "keyschedule.ratchet"(a) {
    const [block, answered] = [object(a, "block"), object(a, "answered")]
    const blockHash = H(C([label("block"), x(block["x"]), n(block["ek"]), n(block["kemCt"])]))
    const peerKey = H(C([label("peer-key"), x(answered["x"]), n(answered["ek"])]))
    const info = C([label("ratchet"), a["suite"] as number, x(a["th"]), blockHash, peerKey])
    const okm = HKDF(x(a["rk"]), x(a["secret"]), info, 64)
    const hashes = { "~block-hash": blockHash, "~peer-key-hash": peerKey, "~okm": okm }
    return { rk: okm.subarray(0, 32), ck: okm.subarray(32), ...hashes }
  },
  "keyschedule.message"(a) {
    const suite = a["suite"] as number
    let ck = x(a["ck"])
    for (let i = 0; i < (a["n"] as number); i++) ck = Ex(ck, "chain-key", suite, 32)
    const mk = Ex(ck, "message-key", suite, 32)
    const key = sealKey(suite, x(a["th"]), mk, x(a["guard"]))
    return {
      mk,
      ck: Ex(ck, "chain-key", suite, 32),
      sealKey: key,
      "~ck": ck,
      "~nonce": key.subarray(32),
    }
  },
  "keyschedule.exchange"(a) {
    const [own, block] = [object(a, "own"), object(a, "block")]
    const shared = X25519(x(own["x"]), x(block["x"]))
    const ss = own["kem"] ? Decaps(x(own["kem"]), x(block["kemCt"])) : null
    return { secret: ss ? Buffer.concat([shared, ss]) : shared }
  },

  "handshake.derive"(a) {
    const responder = object(a, "responder")
    const init = decode(x(a["init"])) as unknown[]
    const th = transcript(init, responder["name"] as string, x(responder["ik"]))
    return derived(th, init[0] as number, list(a, "dh").map(x), n(a["ss"]))
  },
  "handshake.initiate"(a) {
    const own = object(a, "identity")
    const { body, fields } = signedBody(x(a["bundle"]))
    const [, nameB, ikB, dkB] = fields as [string, string, Uint8Array, Uint8Array]
    const prekeys = fields[8] as [number, Uint8Array, Uint8Array | null][]
    const suite = Math.max(
      ...prekeys.map(([id]) => id).filter((id) => list(a, "suites").includes(id)),
    )
    const [, spk, ek] = prekeys.find(([id]) => id === suite) as (typeof prekeys)[number]
    const oneTime = a["oneTime"] ? signedBody(x(a["oneTime"])) : null
    const e = drawn(x(a["seed"]), "ephemeral", 0, 32)
    const [dk, used] = [x(own["dkSecret"]), oneTime?.fields]
    const dhs = [X25519(dk, spk), X25519(e, dkB), X25519(e, spk)]
    if (used) dhs.push(X25519(e, used[4] as Uint8Array))
    const to = (used ? used[5] : ek) as Uint8Array | null
    const kem = suite === 2 && to ? Encaps(to, drawn(x(a["seed"]), "encaps", 0, 32)) : null
    const init = [
      ...[suite, H(body), oneTime ? H(oneTime.body) : null, own["name"]],
      ...[publicOf("ed", x(own["ikSecret"])), publicOf("x", dk), publicOf("x", e), kem?.ct ?? null],
    ]
    const th = transcript(init, nameB, Buffer.from(ikB))
    return { suite, init: C(init as never), ...derived(th, suite, dhs, kem?.ss ?? null) }
  },
  "handshake.respond"(a) {
    const own = object(a, "identity")
    const header = decode(
      Buffer.from((decode(x(a["envelope"])) as Uint8Array[])[0] as Uint8Array),
    ) as unknown[]
    const init = header[6] as [
      number,
      Uint8Array,
      Uint8Array | null,
      string,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array | null,
    ]
    const [suite, ref, otkRef, nameA, ikA, dkA, e, kemCt] = init
    const find = (items: readonly JsonObject[], key: string, want: Uint8Array): JsonObject =>
      items.find((item) => H(signedBody(x(item[key])).body).equals(want)) as JsonObject
    const bundle = find(list(a, "bundles") as readonly JsonObject[], "bundle", ref)
    const secrets = list(bundle, "prekeys") as readonly JsonObject[]
    const prekey = secrets.find((item) => item["suite"] === suite) as JsonObject
    const used = otkRef ? find(list(a, "oneTimes") as readonly JsonObject[], "key", otkRef) : null
    const spk = x(prekey["x"])
    const dhs = [X25519(spk, dkA), X25519(x(own["dkSecret"]), e), X25519(spk, e)]
    if (used) dhs.push(X25519(x(used["x"]), e))
    const ss = kemCt ? Decaps(x((used ?? prekey)["kem"]), kemCt) : null
    const th = transcript(init, own["name"] as string, publicOf("ed", x(own["ikSecret"])))
    const first = derived(th, suite, dhs, ss)
    // The first chain: a step that answers the prekey, then the message key of n.
    const [bx, bek, bct] = header[2] as [Uint8Array, Uint8Array | null, Uint8Array | null]
    const shared = X25519(spk, bx)
    const secret = bct ? Buffer.concat([shared, Decaps(x(prekey["kem"]), bct)]) : shared
    const pub = { x: publicOf("x", spk), ek: suite === 2 ? kemKey(x(prekey["kem"])).ek : null }
    const blockHash = H(C([label("block"), bx, bek, bct]))
    const info = C([
      label("ratchet"),
      suite,
      th,
      blockHash,
      H(C([label("peer-key"), pub.x, pub.ek])),
    ])
    const okm = HKDF(first["rk"] as Buffer, secret, info, 64)
    let ck = okm.subarray(32)
    for (let i = 0; i < (header[4] as number); i++) ck = Ex(ck, "chain-key", suite, 32)
    const mk = Ex(ck, "message-key", suite, 32)
    const opened = openInner({
      ...{ suite, th, mk, envelope: x(a["envelope"]), recipient: own["name"] as string },
      sender: { name: nameA, ik: Buffer.from(ikA) },
    })
    if (opened === null) return null
    const contents = opened.contents.map((item) => item.toString("hex"))
    return { ...first, contents, "~ck": ck, "~mk": mk, "~secret": secret, "~inner": opened.inner }
  },

  "envelope.open"(a) {
    const sender = object(a, "sender")
    const opened = openInner({
      ...{
        suite: a["suite"] as number,
        th: x(a["th"]),
        mk: x(a["mk"]),
        envelope: x(a["envelope"]),
      },
      sender: { name: sender["name"] as string, ik: x(sender["ik"]) },
      recipient: a["recipient"] as string,
    })
    if (opened === null) return null
    const { key, nonce, aad, inner, padded, sig } = opened
    const traced = { "~key": key, "~nonce": nonce, "~aad": aad, "~inner": inner, "~padded": padded }
    return { contents: opened.contents.map((item) => item.toString("hex")), sig, ...traced }
  },
  "envelope.seal"(a) {
    const [sender, block] = [object(a, "sender"), object(a, "block")]
    const [suite, th, guard] = [a["suite"] as number, x(a["th"]), x(a["guard"])]
    const init = a["init"] ? (decode(x(a["init"])) as never) : null
    const keys = [x(block["x"]), n(block["ek"]), n(block["kemCt"])]
    const header = C([
      1,
      th.subarray(0, 16),
      keys,
      a["pn"] as number,
      a["n"] as number,
      guard,
      init,
    ])
    const contents = list(a, "contents").map(x)
    const context = {
      suite,
      th,
      sender: { name: sender["name"] as string, ik: null },
      recipient: a["recipient"] as string,
    }
    const sig = Sign(x(sender["ikSecret"]), signedBytes(context, header, contents.map(contentHash)))
    const inner = C([contents, sig])
    const padded = Buffer.alloc(paddedLength(inner.length))
    inner.copy(padded)
    padded[inner.length] = 0x80
    const key = sealKey(suite, th, x(a["mk"]), guard)
    const ct = seal(
      key.subarray(0, 32),
      key.subarray(32),
      C([label("envelope"), th, header]),
      padded,
    )
    return { envelope: C([header, ct]), "~inner": inner }
  },
  "envelope.pad": (a) => ({ padded: paddedLength(a["length"] as number) }),
  "envelope.unpad"(a) {
    const inner = unpad(x(a["padded"]))
    return inner && { length: inner.length }
  },
  "envelope.proof"(a) {
    const sender = object(a, "sender")
    const hashes = list(a, "hashes").map(x)
    const index = a["index"] as number
    if (index >= hashes.length || SMALL_ORDER.includes(String(sender["ik"]))) return null
    hashes[index] = contentHash(x(a["content"]))
    const context = {
      suite: a["suite"] as number,
      th: x(a["th"]),
      sender: { name: sender["name"] as string, ik: null },
      recipient: a["recipient"] as string,
    }
    const signed = signedBytes(context, x(a["header"]), hashes)
    return Verify(x(sender["ik"]), signed, x(a["sig"])) ? { digest: H(signed) } : null
  },
}

/** The results of an operation; null if it refuses; "unknown" if the oracle does not know it. */
export async function recompute(op: string, args: JsonObject): Promise<Results | null | "unknown"> {
  const compute = OPERATIONS[op]
  return compute === undefined ? "unknown" : compute(args)
}
