// Properties of SPEC §4: primitives and the keys and signatures that they accept.

import fc from "fast-check"
import type { Property } from "../property.ts"
import {
  keyWithTorsion,
  LOW_ORDER_U,
  matchingTorsion,
  NON_CANONICAL_KEYS,
  NON_CANONICAL_U,
  OFF_CURVE_KEYS,
  SMALL_ORDER_KEYS,
  signWithTorsion,
  withLargeS,
} from "../vectorgen/points.ts"
import { array, tstr, uint } from "../vectorgen/raw.ts"
import { property } from "./define.ts"
import { bytes, cut, extended, flip, flipped, key32, lengths, pick, seed, uint53 } from "./gen.ts"

const BASE = `09${"00".repeat(31)}`

const text = fc.oneof(
  fc.constantFrom("", "guard", "ratchet-encaps"),
  fc.constantFrom("a".repeat(24)),
)

export const SUITE_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{ id: "suite-p01", title: "X25519 commutes, with secrets as drawn" },
      ...{ req: "SUITE-4", tier: 0, runs: 60 },
    },
    () => fc.tuple(key32, key32),
    async (trial, [a, b]) => {
      const [ofA, ofB] = await Promise.all(
        [a, b].map((secret) => trial.oracle.ok("suite.dh", { secret, remote: BASE })),
      )
      const { shared } = await trial.oracle.ok("suite.dh", {
        secret: a,
        remote: ofB?.["shared"] as string,
      })
      await trial.ok("suite.dh", { secret: a, remote: BASE }, { shared: ofA?.["shared"] as string })
      const args = { secret: b, remote: ofA?.["shared"] as string }
      await trial.ok("suite.dh", args, { shared: shared as string })
    },
  ),
  property(
    {
      ...{ id: "suite-p02", title: "X25519 keys of other encodings and of low order are refused" },
      ...{ req: "SUITE-8 SUITE-12", tier: 0, runs: 60 },
    },
    () => fc.tuple(key32, key32, fc.nat(30)),
    async (trial, [secret, other, which]) => {
      const { shared } = await trial.oracle.ok("suite.dh", { secret: other, remote: BASE })
      const remote = shared as string
      await trial.ok("suite.dh", { secret, remote })
      const high = trial.mutated(remote, { at: 31, xor: "80" })
      await trial.reject("suite.dh", { secret, remote: high }, "suite/bad-key")
      const bad = pick([...NON_CANONICAL_U, ...LOW_ORDER_U], which)[1]
      await trial.reject("suite.dh", { secret, remote: bad }, "suite/bad-key")
    },
  ),
  property(
    {
      ...{ id: "suite-p03", title: "a signature verifies, and nothing that differs in a bit does" },
      ...{ req: "SUITE-13 SUITE-14", tier: 0, runs: 60 },
    },
    () => fc.tuple(seed, bytes(lengths(300)), flip, fc.constantFrom("message", "signature", "S+L")),
    async (trial, [secret, message, where, what]) => {
      const { signature } = await trial.oracle.ok("suite.sign", { seed: secret, message })
      const { ik } = await trial.oracle.ok("bundle.create", ownKey(secret)).then(keyOf)
      const args = { key: ik, message, signature: signature as string }
      await trial.ok("suite.verify", args)
      const bad =
        what === "S+L"
          ? { ...args, signature: withLargeS(args.signature) }
          : what === "message" && message !== ""
            ? { ...args, message: flipped(trial, message, where) }
            : { ...args, signature: flipped(trial, args.signature, where) }
      await trial.reject("suite.verify", bad, "bundle/signature")
    },
  ),
  property(
    {
      ...{ id: "suite-p04", title: "verification knows no cofactor, whatever the torsion" },
      ...{ req: "SUITE-13", tier: 0, runs: 30 },
    },
    // Small scalars: the arithmetic of these test points is slow, and the verdict does not see them.
    () => fc.tuple(fc.nat(7), fc.nat(7), fc.nat(14), fc.nat(14), bytes(lengths(40))),
    async (trial, [i, j, a, r, message]) => {
      const [by, nonce] = [keyWithTorsion(BigInt(a + 1), i), BigInt(r + 1)]
      const signature = signWithTorsion(by, nonce, j, message)
      const verdict = matchingTorsion(by, nonce, i, j, message) ? "ok" : "bundle/signature"
      await trial.ends("suite.verify", { key: by.key, message, signature }, verdict)
    },
  ),
  property(
    {
      ...{ id: "suite-p05", title: "draws follow from seed, name and number alone" },
      ...{ req: "SUITE-6", tier: 0, needs: ["deterministic"], runs: 60 },
    },
    () => fc.tuple(seed, text, uint53, fc.integer({ min: 1, max: 300 })),
    async (trial, [of, name, i, length]) => {
      const info = array(tstr("AgentMesh/1 test"), tstr(name), uint(i))
      const { bytes: drawn } = await trial
        .same("suite.draw", { seed: of, name, i, length })
        .then((reply) => reply.ok as { bytes: string })
      trial.check(drawn.length === 2 * length, "another length")
      const next = await trial.same("suite.draw", {
        seed: of,
        name,
        i: i === 0 ? 1 : i - 1,
        length,
      })
      if (length > 3) trial.check(next.ok?.["bytes"] !== drawn, `two draws are equal: ${info}`)
    },
  ),
  property(
    {
      ...{ id: "suite-p06", title: "what is sealed opens, and nothing that differs in a bit does" },
      ...{ req: "SUITE-1 SUITE-3", tier: 0, runs: 80 },
    },
    () =>
      fc.tuple(
        ...[key32, bytes(12), bytes(lengths(300)), bytes(lengths(300))],
        ...([flip, fc.constantFrom("key", "nonce", "aad", "ct", "cut", "extend")] as const),
      ),
    async (trial, [key, nonce, aad, plaintext, where, what]) => {
      const { ct } = await trial.oracle.ok("suite.seal", { key, nonce, aad, plaintext })
      const args: Record<string, string> = { key, nonce, aad, ct: ct as string }
      await trial.ok("suite.open", args, { plaintext })
      if (what === "cut") args["ct"] = cut(trial, ct as string, where.at)
      else if (what === "extend") args["ct"] = extended(trial, ct as string, "00")
      else {
        const field = args[what] === "" ? "ct" : what
        args[field] = flipped(trial, args[field] as string, where)
      }
      await trial.reject("suite.open", args, "envelope/open")
    },
  ),
  property(
    {
      ...{
        id: "suite-p07",
        title: "a KEM secret is shared; a changed ciphertext gives another one",
      },
      ...{ req: "SUITE-15", tier: 0, needs: ["suite-2"], runs: 25 },
    },
    () => fc.tuple(seed, seed, key32, flip),
    async (trial, [who, source, m, where]) => {
      const { bundle, prekeys } = await trial.oracle.ok("bundle.create", {
        ...{ identity: { name: "a", ikSecret: who, dkSecret: source }, seed: source, seq: 1 },
        ...{ now: 1_767_225_600, suites: [2] },
      })
      const kd = (prekeys as unknown as { kem: string }[])[0]?.kem as string
      const ek = encapsulationKey(bundle as string)
      const { ct, ss } = await trial.oracle.ok("suite.encaps", { ek, m })
      await trial.ok("suite.decaps", { seed: kd, ct: ct as string }, { ss: ss as string })
      const changed = flipped(trial, ct as string, where)
      const { ss: other } = await trial.oracle.ok("suite.decaps", { seed: kd, ct: changed })
      await trial.ok("suite.decaps", { seed: kd, ct: changed }, { ss: other as string })
      trial.check(other !== ss, "a changed ciphertext gives the same secret")
    },
  ),
  property(
    {
      ...{
        id: "suite-p08",
        title: "Ed25519 keys that prove nothing are refused before a signature",
      },
      ...{ req: "SUITE-9 SUITE-11", tier: 0, runs: 40 },
    },
    () => fc.tuple(fc.nat(30), bytes(64), bytes(lengths(40))),
    async (trial, [which, signature, message]) => {
      const key = pick([...SMALL_ORDER_KEYS, ...NON_CANONICAL_KEYS, ...OFF_CURVE_KEYS], which)
      await trial.reject("suite.verify", { key, message, signature }, "suite/bad-key")
      await trial.reject("identity.fingerprint", { ik: key }, "suite/bad-key")
    },
  ),
]

function ownKey(ikSecret: string): Record<string, never> {
  const identity = { name: "a", ikSecret, dkSecret: "77".repeat(32) }
  return { identity, seed: ikSecret, seq: 1, now: 1_767_225_600, suites: [1] } as never
}

/** The identity key in a bundle whose name has one letter. */
function keyOf({ bundle }: { readonly bundle?: unknown }): { ik: string } {
  const label = "AgentMesh/1 bundle"
  const at = 2 * (1 + 2 + 1 + 1 + label.length + 2 + 2)
  return { ik: (bundle as string).slice(at, at + 64) }
}

/** The encapsulation key in a bundle with the prekey of suite 2 alone. */
function encapsulationKey(bundle: string): string {
  return bundle.slice(-2 * (66 + 1_184), -2 * 66)
}
