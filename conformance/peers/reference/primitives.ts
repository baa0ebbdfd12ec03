// Reference driver, SPEC §3 to §5: encoding, suite, identity.

import { concat, toUtf8 } from "../../../src/bytes.ts"
import {
  decode,
  decodePayload,
  encode,
  encodePayload,
  type Payload,
} from "../../../src/encoding.ts"
import { AgentMeshError, require } from "../../../src/errors.ts"
import * as identity from "../../../src/identity.ts"
import * as suite from "../../../src/suite.ts"
import { deterministicDraw, namedDraw } from "../../vectorgen/draws.ts"
import {
  bytesArg,
  hex,
  numberArg,
  type Ops,
  peerArg,
  tagged,
  textArg,
  untagged,
  untaggedProtocol,
} from "./args.ts"

export const encodingOps: Ops = {
  "encoding.decode"(args) {
    const bytes = bytesArg(args, "bytes")
    if (textArg(args, "profile") === "payload") return { value: tagged(decodePayload(bytes)) }
    const limit = args["limit"] === undefined ? undefined : numberArg(args, "limit")
    return { value: tagged(decode(bytes, limit)) }
  },
  "encoding.encode"(args) {
    const value = args["value"] ?? null
    if (textArg(args, "profile") === "protocol")
      return { bytes: hex(encode(untaggedProtocol(value))) }
    return { bytes: hex(encodePayload(untagged(value) as Payload)) }
  },
}

export const suiteOps: Ops = {
  "suite.dh"(args) {
    const remote = bytesArg(args, "remote")
    suite.checkX25519(remote)
    return { shared: hex(suite.dh(bytesArg(args, "secret"), remote)) }
  },
  "suite.hkdf"(args) {
    const prk = suite.extract(bytesArg(args, "salt"), bytesArg(args, "ikm"))
    const okm = suite.expand(prk, bytesArg(args, "info"), numberArg(args, "length"))
    return { okm: hex(okm), trace: [["prk", hex(prk)]] }
  },
  "suite.draw"(args) {
    const [name, i] = [textArg(args, "name"), numberArg(args, "i")]
    const info = hex(suite.labelled("test", name, i))
    const bytes = namedDraw(bytesArg(args, "seed"), name, i, numberArg(args, "length"))
    return { bytes: hex(bytes), trace: [["info", info]] }
  },
  "suite.verify"(args) {
    const [key, message] = [bytesArg(args, "key"), bytesArg(args, "message")]
    const signature = bytesArg(args, "signature")
    suite.checkEd25519(key)
    require(suite.verify(key, message, signature), "bundle/signature", "does not verify")
    return { digest: hex(suite.sha256(concat(key, message, signature))) }
  },
  "suite.sign"(args) {
    return { signature: hex(suite.sign(bytesArg(args, "seed"), bytesArg(args, "message"))) }
  },
  "suite.seal"(args) {
    const secret = concat(bytesArg(args, "key"), bytesArg(args, "nonce"))
    return { ct: hex(suite.aeadSeal(secret, bytesArg(args, "aad"), bytesArg(args, "plaintext"))) }
  },
  "suite.open"(args) {
    const secret = concat(bytesArg(args, "key"), bytesArg(args, "nonce"))
    const plaintext = suite.aeadOpen(secret, bytesArg(args, "aad"), bytesArg(args, "ct"))
    if (plaintext === null) throw new AgentMeshError("envelope/open", "the tag does not verify")
    return { plaintext: hex(plaintext) }
  },
  "suite.encaps"(args) {
    const ek = bytesArg(args, "ek")
    suite.checkKem(ek)
    const { ct, ss } = suite.encapsulate(ek, bytesArg(args, "m"))
    return { ct: hex(ct), ss: hex(ss) }
  },
  "suite.decaps"(args) {
    return { ss: hex(suite.decapsulate(bytesArg(args, "seed"), bytesArg(args, "ct"))) }
  },
}

export const identityOps: Ops = {
  "identity.create"(args) {
    const own = identity.createIdentity(
      textArg(args, "name"),
      deterministicDraw(bytesArg(args, "seed")),
    )
    return { ik: hex(own.ik), dk: hex(own.dk), fingerprint: identity.fingerprint(own.ik) }
  },
  "identity.fingerprint"(args) {
    const ik = bytesArg(args, "ik")
    suite.checkEd25519(ik)
    return { fingerprint: identity.fingerprint(ik) }
  },
  "identity.address"(args) {
    const { name, fingerprint } = identity.parseAddress(textArg(args, "address"))
    const print = identity.fingerprint(bytesArg(args, "ik"))
    const same = fingerprint === null || fingerprint === print
    require(same, "identity/fingerprint", "the address is of another key")
    return { digest: hex(suite.sha256(toUtf8(`${name} ${print}`))) }
  },
  "identity.safety"(args) {
    return { safety: identity.safetyNumber(peerArg(args, "a"), peerArg(args, "b")) }
  },
}
