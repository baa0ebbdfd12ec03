// Reference driver, SPEC §6: bundles, one-time keys, contact cards.

import {
  acceptBundle,
  acceptOneTimeKey,
  createBundle,
  createOneTimeKey,
  decodeCard,
  encodeCard,
  type OwnBundle,
  type OwnOneTimeKey,
  openBundle,
  openOneTimeKey,
} from "../../../src/bundle.ts"
import { type ExchangeSecret, type Suite, sha256 } from "../../../src/suite.ts"
import type { JsonObject } from "../../driver.ts"
import { deterministicDraw } from "../../vectorgen/draws.ts"
import {
  bytesArg,
  hex,
  identityArg,
  numberArg,
  type Ops,
  objectArg,
  objectsArg,
  optionalBytes,
  secretArg,
  suiteArg,
  suitesArg,
  textArg,
} from "./args.ts"

function secretJson(secret: ExchangeSecret): JsonObject {
  return { x: hex(secret.x), kem: secret.kem && hex(secret.kem) }
}

/** `{bundle, prekeys: [{suite, x, kem}]}`: a bundle at its owner. */
export function ownBundleArg(it: JsonObject): OwnBundle {
  const secrets = new Map<Suite, ExchangeSecret>()
  for (const entry of objectsArg(it, "prekeys")) secrets.set(suiteArg(entry), secretArg(entry))
  return { ...openBundle(bytesArg(it, "bundle")), secrets }
}

/** `{key, x, kem}`: a one-time key at its owner. */
export function ownOneTimeArg(it: JsonObject): OwnOneTimeKey {
  return { ...openOneTimeKey(bytesArg(it, "key")), secret: secretArg(it) }
}

export const bundleOps: Ops = {
  "bundle.accept"(args) {
    const context = objectArg(args, "context")
    const known = context["known"] === undefined ? null : objectArg(context, "known")
    const bundle = acceptBundle(bytesArg(args, "bytes"), {
      now: numberArg(context, "now"),
      name: context["name"] === undefined ? undefined : textArg(context, "name"),
      fingerprint: context["fingerprint"] === undefined ? null : textArg(context, "fingerprint"),
      pinned: optionalBytes(context, "pinned") ?? undefined,
      known: known ? { seq: numberArg(known, "seq"), ref: optionalBytes(known, "ref") } : undefined,
    })
    return {
      digest: hex(sha256(bundle.bytes)),
      seq: bundle.seq,
      suites: bundle.prekeys.map((prekey) => prekey.suite),
      trace: [["bundle-ref", hex(bundle.ref)]],
    }
  },
  "bundle.acceptOneTime"(args) {
    const bundle = openBundle(bytesArg(args, "bundle"))
    const now = numberArg(args, "now")
    const key = acceptOneTimeKey(bytesArg(args, "key"), bundle, suiteArg(args), now)
    return { ref: hex(key.ref), notAfter: key.notAfter }
  },
  "bundle.create"(args) {
    const own = identityArg(args)
    const draw = deterministicDraw(bytesArg(args, "seed"))
    const lifetime = args["lifetime"] === undefined ? {} : { lifetime: numberArg(args, "lifetime") }
    const bundle = createBundle(
      own,
      {
        seq: numberArg(args, "seq"),
        now: numberArg(args, "now"),
        suites: suitesArg(args, "suites"),
        flags: numberArg(args, "flags", 0),
        ...lifetime,
      },
      draw,
    )
    const prekeys = [...bundle.secrets].map(([suite, secret]) => ({ suite, ...secretJson(secret) }))
    return { bundle: hex(bundle.bytes), ref: hex(bundle.ref), prekeys }
  },
  "bundle.createOneTime"(args) {
    const draw = deterministicDraw(bytesArg(args, "seed"))
    const key = createOneTimeKey(identityArg(args), suiteArg(args), numberArg(args, "now"), draw)
    return { key: hex(key.bytes), ref: hex(key.ref), ...secretJson(key.secret) }
  },
  "bundle.card"(args) {
    return { card: encodeCard(bytesArg(args, "bundle")) }
  },
  "bundle.readCard"(args) {
    return { bundle: hex(decodeCard(textArg(args, "card"))) }
  },
}
