// Checks the primitives and the codec against other people's test vectors, on both backends.
//
//   npm run build && node scripts/external-vectors.mjs FOLDER
//
// FOLDER holds wycheproof/, ed25519/ and cbor/ as published by C2SP, novifinancial and the CBOR
// working group. The expected verdict of a case follows from SPEC §3, §4 and §6; where that is not
// what the file says, the rule stands here.

import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const [folder = "external-vectors", only] = process.argv.slice(2)
const CONDITIONS = { node: [], noble: ["--conditions=agentmesh-portable"] }

if (!existsSync(folder)) {
  console.log(`external vectors are absent: no folder ${folder}`)
  process.exit(0)
}
if (only === undefined) {
  const runs = Object.entries(CONDITIONS).map(([backend, conditions]) => {
    const self = fileURLToPath(import.meta.url)
    const args = [...conditions, self, folder, backend]
    return spawnSync(process.execPath, args, { stdio: "inherit" }).status
  })
  process.exit(runs.every((status) => status === 0) ? 0 : 1)
}

const dist = (path) => import(new URL(`../dist/src/${path}`, import.meta.url))
const { backend } = await import("#crypto")
const suite = await dist("suite.js")
const encoding = await dist("encoding.js")
const { AgentMeshError } = await dist("errors.js")
if (backend.name !== only) throw new Error(`asked for ${only}, got ${backend.name}`)

const P = 2n ** 255n - 19n
const hex = (bytes) => Buffer.from(bytes).toString("hex")
const unhex = (digits) => new Uint8Array(Buffer.from(digits, "hex"))
const littleEndian = (bytes) => BigInt(`0x${hex(bytes.slice().reverse())}`)
const read = (path) => JSON.parse(readFileSync(join(folder, path), "utf8"))

/** The result, or the code of the refusal; anything else that is thrown is a fault. */
function outcome(action) {
  try {
    return action()
  } catch (error) {
    if (error instanceof AgentMeshError) return error.code
    throw error
  }
}

/** Every test of a Wycheproof file, with its group. */
function* wycheproof(name) {
  for (const group of read(`wycheproof/${name}`).testGroups) {
    for (const test of group.tests) yield { ...test, group, id: test.tcId }
  }
}

/** Ed25519: key acceptable, then S < L, R' = [S]B - [k]A equal to R as bytes. */
function verifies(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64) return false // §6: bstr .size 32, .size 64
  const accepted = outcome(() => suite.checkEd25519(key)) === undefined
  return accepted && suite.verify(key, message, signature)
}

const files = {
  *"wycheproof/ed25519_test.json"() {
    for (const { id, group, msg, sig, result } of wycheproof("ed25519_test.json")) {
      const got = verifies(unhex(group.publicKey.pk), unhex(msg), unhex(sig))
      yield { id, got, expected: result === "valid" }
    }
  },

  *"ed25519/cctv-ed25519vectors.json"() {
    // SPEC §4: keys of small order and non-canonical encodings are refused, and so is a residue of
    // small order, which only the equation with the cofactor hides. R of small order and torsion
    // in A or R are no reason to refuse.
    const refused = ["low_order_A", "non_canonical_A", "non_canonical_R", "low_order_residue"]
    for (const { number, key, msg, sig, flags } of read("ed25519/cctv-ed25519vectors.json")) {
      const got = verifies(unhex(key), new TextEncoder().encode(msg), unhex(sig))
      const expected = !(flags ?? []).some((flag) => refused.includes(flag))
      yield { id: number, got, expected }
    }
  },

  *"ed25519/speccheck-cases.json"() {
    // 0, 1: A of small order. 2: R of small order, equation holds. 3: A and R of mixed order,
    // equation holds. 4, 5: only the equation with the cofactor holds. 6, 7: S >= L. 8, 9: R not
    // canonical. 10, 11: A not canonical.
    const accepted = [2, 3]
    for (const [id, test] of read("ed25519/speccheck-cases.json").entries()) {
      const got = verifies(unhex(test.pub_key), unhex(test.message), unhex(test.signature))
      yield { id, got, expected: accepted.includes(id) }
    }
  },

  *"wycheproof/x25519_test.json"() {
    for (const test of wycheproof("x25519_test.json")) {
      const [remote, secret] = [unhex(test.public), unhex(test.private)]
      const got = outcome(() => {
        suite.checkX25519(remote)
        return hex(suite.dh(secret, remote))
      })
      // SPEC §4 decides what the file calls acceptable: u < p with bit 255 clear, or no key; an
      // all-zero result aborts; the twist is as good as the curve.
      const bad = littleEndian(remote) >= P || /^0+$/.test(test.shared)
      yield { id: test.id, got, expected: bad ? "suite/bad-key" : test.shared }
    }
  },

  *"wycheproof/aes_gcm_test.json"() {
    for (const test of wycheproof("aes_gcm_test.json")) {
      const { keySize, ivSize, tagSize } = test.group
      if (keySize !== 256 || ivSize !== 96 || tagSize !== 128) continue // the only form of §4
      const secret = unhex(test.key + test.iv)
      const [aad, sealed] = [unhex(test.aad), unhex(test.ct + test.tag)]
      const opened = suite.aeadOpen(secret, aad, sealed)
      const got = [opened && hex(opened), hex(suite.aeadSeal(secret, aad, unhex(test.msg)))]
      if (test.result === "valid") {
        yield { id: test.id, got: got.join(), expected: [test.msg, test.ct + test.tag].join() }
      } else yield { id: test.id, got: got[0], expected: null }
    }
  },

  *"wycheproof/hkdf_sha256_test.json"() {
    for (const test of wycheproof("hkdf_sha256_test.json")) {
      const [salt, ikm, info] = [test.salt, test.ikm, test.info].map(unhex)
      let got
      try {
        got = hex(suite.hkdf(salt, ikm, info, test.size))
      } catch (error) {
        got = error instanceof RangeError ? "misuse" : String(error)
      }
      yield { id: test.id, got, expected: test.result === "valid" ? test.okm : "misuse" }
    }
  },

  *"wycheproof/mlkem_768_keygen_seed_test.json"() {
    for (const { id, seed, ek } of wycheproof("mlkem_768_keygen_seed_test.json")) {
      yield { id, got: hex(backend.kemPublic(unhex(seed))), expected: ek }
    }
  },

  *"wycheproof/mlkem_768_encaps_test.json"() {
    for (const test of wycheproof("mlkem_768_encaps_test.json")) {
      const ek = unhex(test.ek)
      const got = outcome(() => {
        if (ek.length !== 1184) return "encoding/shape" // §6: ek is bstr .size 1184
        suite.checkKem(ek)
        const { ct, ss } = suite.encapsulate(ek, unhex(test.m))
        return [ct, ss].map(hex).join()
      })
      const refusal = ek.length === 1184 ? "suite/bad-key" : "encoding/shape"
      yield {
        id: test.id,
        got,
        expected: test.result === "valid" ? `${test.c},${test.K}` : refusal,
      }
    }
  },

  *"wycheproof/mlkem_768_test.json"() {
    for (const test of wycheproof("mlkem_768_test.json")) {
      const [seed, ct] = [unhex(test.seed), unhex(test.c)]
      // §6, §9: kem-ct is bstr .size 1088; a seed has 64 bytes and never comes from outside.
      const shaped = seed.length === 64 && ct.length === 1088
      const got = shaped ? hex(suite.decapsulate(seed, ct)) : "refused"
      yield { id: test.id, got, expected: test.result === "valid" ? test.K : "refused" }
    }
  },

  *"cbor/appendix_a.json"() {
    for (const [id, test] of read("cbor/appendix_a.json").entries()) {
      const bytes = unhex(test.hex)
      const inside = Uint8Array.of(0xa1, 0x60, ...bytes) // as the value of the key ""
      const protocol = outcome(() => encoding.decode(bytes))
      const payload = outcome(() => encoding.decodePayload(inside)[""])
      const kind = profileOf(bytes)
      const got = [judged(protocol, test), judged(payload, test)].join()
      const expected = [kind === "protocol", kind !== "neither"].map((ok) =>
        ok ? "value" : "refused",
      )
      yield { id, got, expected: expected.join() }
    }
  },
}

/** "refused" for a code of §3, "value" for what the file says is the value. */
function judged(result, test) {
  if (typeof result === "string" && result.startsWith("encoding/")) return "refused"
  if (result instanceof Uint8Array)
    return `h'${hex(result)}'` === test.diagnostic ? "value" : "other"
  if (!("decoded" in test)) return "other"
  return JSON.stringify(result) === JSON.stringify(test.decoded) ? "value" : "other"
}

/** The narrowest profile of SPEC §3 that a well-formed item is in. */
function profileOf(bytes) {
  const view = new DataView(bytes.buffer)
  let at = 0
  let rank = 0
  const need = (least) => {
    rank = Math.max(rank, least)
  }
  const item = () => {
    const [major, info] = [bytes[at] >> 5, bytes[at] & 31]
    at++
    if (info > 27 || major === 6) return need(2) // indefinite lengths and tags
    const size = info < 24 ? 0 : 2 ** (info - 24)
    let argument = BigInt(info)
    if (size > 0) argument = BigInt(`0x${hex(bytes.subarray(at, at + size))}`)
    at += size
    if (major === 7) {
      const float = size === 8 ? view.getFloat64(at - 8) : Number.NaN
      const fine = Number.isFinite(float) && !Number.isSafeInteger(float)
      return need(info === 22 ? 0 : info === 20 || info === 21 || fine ? 1 : 2)
    }
    if (major < 2 && argument + BigInt(major) > 2n ** 53n - 1n) return need(2)
    if (major === 1 || major === 5) need(1)
    if (major === 2 || major === 3) at += Number(argument)
    for (let i = 0; major > 3 && i < argument && rank < 2; i++) {
      if (major === 5 && bytes[at] >> 5 !== 3) need(2)
      if (major === 5) item()
      item()
    }
  }
  item()
  return ["protocol", "payload", "neither"][rank]
}

let bad = 0
for (const [file, cases] of Object.entries(files)) {
  if (!existsSync(join(folder, file))) {
    console.log(`${only} ${file}: absent`)
    bad++
    continue
  }
  let [count, wrong] = [0, 0]
  for (const { id, got, expected } of cases()) {
    count++
    if (got === expected) continue
    wrong++
    console.log(`  ${file} case ${id}: expected ${expected}, got ${got}`.slice(0, 300))
  }
  if (count === 0) wrong++
  bad += wrong
  console.log(`${only} ${file}: ${count} cases, ${wrong} wrong`)
}
process.exit(bad === 0 ? 0 : 1)
