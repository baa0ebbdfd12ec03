// SPEC §4: both backends give the same output and the same verdict on every input.

import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { backend as chosen } from "#crypto"
import type { Backend } from "../src/crypto/backend.ts"
import { backend as noble } from "../src/crypto/noble.ts"
import { backend as node } from "../src/crypto/node.ts"
import { checkEd25519, checkKem, checkX25519, dh, verify } from "../src/suite.ts"
import { challenge, L, SMALL_ORDER, toBytes, toNumber, torsionCase } from "./support/ed25519.ts"
import { holds, verdict } from "./support/property.ts"
import { hexOf, unhex } from "./support/raw-cbor.ts"

const P = 2n ** 255n - 19n
const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const data = fc
  .record({ size: fc.oneof(fc.nat(80), fc.constantFrom(127, 128, 129, 4096)), fill: fc.nat(255) })
  .map(({ size, fill }) => new Uint8Array(size).map((_, i) => (i * 7 + fill) & 255))

/** The result of both backends as hex digits or null; fails unless they are one. */
function both(call: (backend: Backend) => Uint8Array | boolean | null): string | boolean | null {
  const [a, b] = [call(node), call(noble)].map((result) => {
    if (!(result instanceof Uint8Array)) return result
    expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype)
    expect(result.buffer.byteLength, "a result of its own").toBe(result.length)
    return hexOf(result)
  })
  expect(a).toBe(b)
  return a ?? null
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice()
  const at = (bit >> 3) % copy.length
  copy[at] = (copy[at] as number) ^ (1 << (bit & 7))
  return copy
}

test("each project runs on the backend of its name", () => {
  expect(chosen.name).toBe(process.env.AGENTMESH_BACKEND)
  expect(node.name).not.toBe(noble.name)
})

describe("hashes and random", () => {
  test("sha256, hmac, scrypt", () => {
    holds(fc.record({ key: data, data }), ({ key, data }) => {
      both((backend) => backend.sha256(data))
      both((backend) => backend.hmac(key, data))
    })
    both((backend) => backend.scrypt(unhex("70"), unhex("00".repeat(16)), 1024, 32))
    both((backend) => backend.scrypt(unhex(""), unhex(""), 16, 64))
    expect(both((backend) => backend.sha256(unhex("616263")))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    )
  })

  test("random bytes have the length asked for and do not repeat (SUITE-5)", () => {
    for (const backend of [node, noble]) {
      expect(backend.random(0)).toHaveLength(0)
      expect(backend.random(33)).toHaveLength(33)
      expect(hexOf(backend.random(32))).not.toBe(hexOf(backend.random(32)))
      expect(backend.random(16).buffer.byteLength).toBe(16)
    }
  })
})

describe("X25519", () => {
  test("public keys and shared secrets of secrets as drawn (SUITE-4)", () => {
    holds(fc.record({ secret: key32, other: key32 }), ({ secret, other }) => {
      both((backend) => backend.x25519Public(secret))
      const remote = node.x25519Public(other)
      const shared = both((backend) => backend.x25519(secret, remote))
      expect(shared).toBe(both((backend) => backend.x25519(other, node.x25519Public(secret))))
    })
  })

  test("any canonical public key, on the curve or its twist", () => {
    holds(fc.record({ secret: key32, remote: key32 }), ({ secret, remote }) => {
      remote[31] = (remote[31] as number) & 0x7f
      both((backend) => backend.x25519(secret, remote))
    })
  })

  const lowOrder = [
    0n,
    1n,
    325606250916557431795983626356110631294008115727848805560023387167927233504n,
    39382357235489614581723060781553021112529911719440698176882885853963445705823n,
    P - 1n,
  ]

  test("low order public keys give nothing, and are keys all the same (SUITE-12)", () => {
    for (const u of lowOrder) {
      const remote = toBytes(u)
      expect(verdict(() => checkX25519(remote))).toBe("ok")
      holds(
        key32,
        (secret) => {
          expect(both((backend) => backend.x25519(secret, remote))).toBe(null)
          expect(verdict(() => dh(secret, remote))).toBe("suite/bad-key")
        },
        20,
      )
    }
  })

  test("u from p on, and bit 255, are no keys (SUITE-8)", () => {
    for (let u = P - 20n; u < 2n ** 255n; u++) {
      expect(verdict(() => checkX25519(toBytes(u)))).toBe(u < P ? "ok" : "suite/bad-key")
      expect(verdict(() => checkX25519(toBytes(u + 2n ** 255n)))).toBe("suite/bad-key")
      both((backend) => backend.x25519(new Uint8Array(32).fill(9), toBytes(u)))
    }
    holds(key32, (key) => {
      expect(verdict(() => checkX25519(key))).toBe(toNumber(key) < P ? "ok" : "suite/bad-key")
    })
  })
})

describe("Ed25519", () => {
  const signed = fc.record({ seed: key32, message: data })

  test("keys, signatures, verification", () => {
    holds(
      signed,
      ({ seed, message }) => {
        both((backend) => backend.ed25519Public(seed))
        both((backend) => backend.ed25519Sign(seed, message))
        const key = node.ed25519Public(seed)
        const signature = node.ed25519Sign(seed, message)
        expect(both((backend) => backend.ed25519Verify(key, message, signature))).toBe(true)
      },
      60,
    )
  })

  test("a flipped bit in signature, message or key (SUITE-14)", () => {
    const flips = fc.record({ seed: key32, message: data, bit: fc.nat(511), what: fc.nat(2) })
    holds(
      flips,
      ({ seed, message, bit, what }) => {
        const key = node.ed25519Public(seed)
        const signature = node.ed25519Sign(seed, message)
        const longer = Uint8Array.of(...message, 0)
        const forged = what === 0 ? flip(signature, bit) : signature
        const text = what === 1 ? flip(longer, bit) : message
        const other = what === 2 ? flip(key, bit % 256) : key
        if (!noble.ed25519Valid(other)) return
        expect(both((backend) => backend.ed25519Verify(other, text, forged))).toBe(false)
      },
      120,
    )
  })

  test("signatures of another length", () => {
    const seed = new Uint8Array(32).fill(3)
    const [key, message] = [node.ed25519Public(seed), unhex("61")]
    const signature = node.ed25519Sign(seed, message)
    for (const length of [0, 1, 32, 63]) {
      const cut = signature.subarray(0, length)
      expect(both((backend) => backend.ed25519Verify(key, message, cut))).toBe(false)
    }
    const longer = Uint8Array.of(...signature, 0)
    expect(both((backend) => backend.ed25519Verify(key, message, longer))).toBe(false)
  })

  test("S + L, and every larger S", () => {
    const seed = new Uint8Array(32).fill(5)
    const [key, message] = [node.ed25519Public(seed), unhex("626c6f62")]
    const signature = node.ed25519Sign(seed, message)
    const s = toNumber(signature.subarray(32))
    for (let multiple = 0n; s + multiple * L < 2n ** 256n; multiple++) {
      const raised = Uint8Array.of(...signature.subarray(0, 32), ...toBytes(s + multiple * L))
      const valid = both((backend) => backend.ed25519Verify(key, message, raised))
      expect(valid).toBe(multiple === 0n)
    }
  })

  test("S = 0 and S = L, R the identity in each encoding", () => {
    // With r = 0 and k a = S the equation holds for the identity as R; only its one canonical
    // encoding is equal to what is computed.
    const a = 7n
    const key = torsionCase(a, 0n, 0, 0, unhex("")).key
    for (const [i, r] of SMALL_ORDER.entries()) {
      const message = unhex("01")
      const s = (challenge(r, key, message) * a) % L
      const signature = Uint8Array.of(...r, ...toBytes(s))
      expect(both((backend) => backend.ed25519Verify(key, message, signature))).toBe(i === 0)
      for (const scalar of [0n, L]) {
        const other = Uint8Array.of(...r, ...toBytes(scalar))
        expect(both((backend) => backend.ed25519Verify(key, message, other))).toBe(false)
      }
    }
  })

  test("all 64 combinations of torsion in the key and in R (SUITE-13)", () => {
    const verdicts = new Set<string>()
    for (let i = 0; i < 8; i++) {
      for (let j = 0; j < 8; j++) {
        for (let m = 0; m < 8; m++) {
          // Every second R is of small order itself, which Node judges for itself from 24 on.
          const r = m % 2 === 0 ? 13n : 0n
          const forged = torsionCase(11n + BigInt(m), r, i, j, Uint8Array.of(m))
          const { key, message, signature, valid } = forged
          expect(
            verdict(() => checkEd25519(key)),
            "mixed order is accepted",
          ).toBe("ok")
          const result = both((backend) => backend.ed25519Verify(key, message, signature))
          expect(result, `${i} ${j} ${m}`).toBe(valid)
          expect(verify(key, message, signature)).toBe(valid)
          verdicts.add(`${i} ${r} ${valid}`)
        }
      }
    }
    expect(verdicts.size, "both verdicts occur for every torsion of the key").toBe(32)
  })

  test("the points of small order, in all 14 encodings, are no keys (SUITE-9)", () => {
    for (const key of SMALL_ORDER) {
      expect(both((backend) => backend.ed25519Valid(key))).toBe(false)
      expect(verdict(() => checkEd25519(key))).toBe("suite/bad-key")
    }
  })

  test("y from p on is no key; below it, half of all are", () => {
    let accepted = 0
    for (let y = P - 40n; y < 2n ** 255n; y++) {
      for (const sign of [0n, 2n ** 255n]) {
        const valid = both((backend) => backend.ed25519Valid(toBytes(y + sign))) as boolean
        if (y >= P) expect(valid).toBe(false)
        else if (valid) accepted++
      }
    }
    expect(accepted).toBeGreaterThan(20)
    expect(accepted).toBeLessThan(60)
  })
})

describe("AES-256-GCM", () => {
  const sealing = fc.record({ key: key32, nonce: fc.uint8Array({ minLength: 12, maxLength: 12 }) })

  test("seal and open, empty parts included", () => {
    holds(fc.tuple(sealing, data, data), ([{ key, nonce }, aad, plaintext]) => {
      both((backend) => backend.gcmSeal(key, nonce, aad, plaintext))
      const sealed = node.gcmSeal(key, nonce, aad, plaintext)
      expect(both((backend) => backend.gcmOpen(key, nonce, aad, sealed))).toBe(hexOf(plaintext))
    })
  })

  test("a flipped bit anywhere opens nothing", () => {
    const flips = fc.tuple(sealing, data, data, fc.nat(), fc.nat(3))
    holds(flips, ([{ key, nonce }, aad, plaintext, bit, what]) => {
      const sealed = node.gcmSeal(key, nonce, aad, plaintext)
      const parts = [key, nonce, Uint8Array.of(...aad, 0), sealed] as const
      const changed = flip(parts[what] as Uint8Array, bit)
      const [k, n, a, s] = parts.map((part, i) => (i === what ? changed : i === 2 ? aad : part))
      const open = (backend: Backend) =>
        backend.gcmOpen(k as Uint8Array, n as Uint8Array, a as Uint8Array, s as Uint8Array)
      expect(both(open)).toBe(null)
    })
  })

  test("a cut tag, and nothing at all, open nothing", () => {
    const [key, nonce, aad] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(0)]
    const sealed = node.gcmSeal(key, nonce, aad, new Uint8Array(5))
    for (let length = 0; length < sealed.length; length++) {
      const cut = sealed.subarray(0, length)
      expect(both((backend) => backend.gcmOpen(key, nonce, aad, cut))).toBe(null)
    }
    expect(both((backend) => backend.gcmOpen(key, nonce, aad, new Uint8Array(16)))).toBe(null)
  })

  test("a megabyte", () => {
    const [key, nonce, aad] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(8192)]
    both((backend) => backend.gcmSeal(key, nonce, aad, new Uint8Array(1_081_344)))
  })
})

describe("ML-KEM-768", () => {
  const seed = fc.uint8Array({ minLength: 64, maxLength: 64 })

  test("keys, encapsulation, decapsulation, implicit rejection (SUITE-15)", () => {
    holds(
      fc.record({ seed, m: key32, bit: fc.nat(1088 * 8 - 1) }),
      ({ seed, m, bit }) => {
        both((backend) => backend.kemPublic(seed))
        const ek = node.kemPublic(seed)
        expect(both((backend) => backend.kemValid(ek))).toBe(true)
        both((backend) => backend.kemEncaps(ek, m).ct)
        const ss = both((backend) => backend.kemEncaps(ek, m).ss)
        const { ct } = node.kemEncaps(ek, m)
        expect(both((backend) => backend.kemDecaps(seed, ct))).toBe(ss)
        expect(both((backend) => backend.kemDecaps(seed, flip(ct, bit)))).not.toBe(ss)
      },
      15,
    )
  })

  test("the modulus check, at every coefficient (SUITE-10)", () => {
    const ek = node.kemPublic(new Uint8Array(64).fill(1))
    for (let i = 0; i < 768; i++) {
      for (const [value, valid] of [
        [3328, true],
        [3329, false],
        [4095, false],
      ] as const) {
        const changed = withCoefficient(ek, i, value)
        expect(both((backend) => backend.kemValid(changed))).toBe(valid)
        expect(verdict(() => checkKem(changed))).toBe(valid ? "ok" : "suite/bad-key")
      }
    }
  })

  function withCoefficient(ek: Uint8Array, i: number, value: number): Uint8Array {
    const copy = ek.slice()
    const at = (i >> 1) * 3
    const [a, b, c] = copy.subarray(at, at + 3) as unknown as [number, number, number]
    const changed =
      i % 2 === 0
        ? [value & 255, (b & 0xf0) | (value >> 8), c]
        : [a, (b & 0x0f) | ((value & 15) << 4), value >> 4]
    copy.set(changed, at)
    return copy
  }
})

describe("arguments are neither kept nor changed", () => {
  const message = unhex("6d")

  test("a secret that was zeroized is the zero secret", () => {
    for (const backend of [node, noble]) {
      const secret = new Uint8Array(32).fill(7)
      const remote = backend.x25519Public(new Uint8Array(32).fill(8))
      const before = [backend.ed25519Sign(secret, message), backend.x25519(secret, remote)]
      secret.fill(0)
      const zero = new Uint8Array(32)
      expect(backend.ed25519Sign(secret, message)).toEqual(backend.ed25519Sign(zero, message))
      expect(backend.ed25519Public(secret)).toEqual(backend.ed25519Public(zero))
      expect(backend.x25519(secret, remote)).toEqual(backend.x25519(zero, remote))
      expect(backend.x25519Public(secret)).toEqual(backend.x25519Public(zero))
      expect(backend.ed25519Sign(secret, message)).not.toEqual(before[0])
      expect(backend.x25519(secret, remote)).not.toEqual(before[1])
    }
  })

  test("a public key whose bytes changed is another key", () => {
    for (const backend of [node, noble]) {
      const seeds = [1, 2].map((fill) => new Uint8Array(32).fill(fill)) as [Uint8Array, Uint8Array]
      const key = backend.ed25519Public(seeds[0])
      const signatures = seeds.map((seed) => backend.ed25519Sign(seed, message))
      const verdicts = () => signatures.map((sig) => backend.ed25519Verify(key, message, sig))
      expect(verdicts()).toEqual([true, false])
      key.set(backend.ed25519Public(seeds[1]))
      expect(verdicts()).toEqual([false, true])
      const remote = backend.x25519Public(seeds[0])
      const first = backend.x25519(seeds[1], remote)
      remote.set(backend.x25519Public(seeds[1]))
      expect(backend.x25519(seeds[1], remote)).not.toEqual(first)
    }
  })

  test("one array may be a key of both curves", () => {
    const secret = new Uint8Array(32).fill(42)
    both((backend) => backend.ed25519Public(secret))
    both((backend) => backend.x25519Public(secret))
    both((backend) => backend.ed25519Sign(secret, message))
    const key = node.ed25519Public(secret)
    const signature = node.ed25519Sign(secret, message)
    expect(both((backend) => backend.ed25519Verify(key, message, signature))).toBe(true)
    both((backend) => backend.x25519(secret, key))
    expect(both((backend) => backend.ed25519Verify(key, message, signature))).toBe(true)
  })

  test("nothing is written into an argument", () => {
    for (const backend of [node, noble]) {
      const args = [32, 12, 40, 50].map((length) => new Uint8Array(length).fill(length))
      const [key, nonce, aad, plaintext] = args as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
      const seed = new Uint8Array(64).fill(64)
      const ek = backend.kemPublic(seed)
      const { ct } = backend.kemEncaps(ek, key)
      const all = [...args, seed, ek, ct]
      const before = all.map(hexOf)
      const sealed = backend.gcmSeal(key, nonce, aad, plaintext)
      const sealedBefore = hexOf(sealed)
      backend.gcmOpen(key, nonce, aad, sealed)
      backend.gcmOpen(new Uint8Array(32), nonce, aad, sealed)
      backend.ed25519Verify(backend.ed25519Public(key), aad, backend.ed25519Sign(key, aad))
      backend.x25519(key, backend.x25519Public(key))
      backend.hmac(key, aad)
      backend.kemEncaps(ek, key)
      backend.kemDecaps(seed, ct)
      expect(all.map(hexOf)).toEqual(before)
      expect(hexOf(sealed)).toBe(sealedBefore)
    }
  })
})
