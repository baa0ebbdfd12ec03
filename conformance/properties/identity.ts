// Properties of SPEC §5: names, fingerprints, addresses, safety numbers.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { sha256Hex } from "../values.ts"
import { property } from "./define.ts"
import { name, names, pick, seed } from "./gen.ts"
import type { Performer } from "./trial.ts"

async function fingerprintOf(ik: string): Promise<string> {
  const groups = (await sha256Hex(ik)).slice(0, 32).match(/.{4}/g)
  return groups?.join(":") as string
}

async function keyOf(by: Performer, of: string): Promise<string> {
  return (await by.ok("identity.create", { name: "a", seed: of }))["ik"] as string
}

/** Characters that no name has, or not at its beginning. */
const BAD = ["A", "|", "\u0000", " ", "\u0430", "/", ":", "\n", "%", "\u00df"]

export const IDENTITY_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{ id: "identity-p01", title: "an address is of one key, in one form" },
      ...{ req: "IDENTITY-4 IDENTITY-7 IDENTITY-8", tier: 0, runs: 80 },
    },
    () =>
      fc.tuple(name, seed, fc.nat(38), fc.constantFrom("digit", "case", "cut", "more", "colon")),
    async (trial, [who, of, at, how]) => {
      const ik = await keyOf(trial.oracle, of)
      const print = await fingerprintOf(ik)
      await trial.ok("identity.fingerprint", { ik }, { fingerprint: print })
      await trial.ok("identity.address", { address: `${who}#${print}`, ik })
      await trial.ok("identity.address", { address: who, ik })
      const put = (char: string) => print.slice(0, at) + char + print.slice(at + 1)
      const char = print[at] as string
      const changed = {
        digit: put(char === ":" ? "0" : char === "0" ? "1" : "0"),
        case: print.toUpperCase(),
        cut: print.slice(0, at),
        more: `${print}${char}`,
        colon: print.replaceAll(":", ""),
      }[how]
      if (changed === print) return
      const address = `${who}#${changed}`
      await trial.reject("identity.address", { address, ik }, "identity/fingerprint")
    },
  ),
  property(
    {
      ...{ id: "identity-p02", title: "names have the one form, and no other passes" },
      ...{ req: "IDENTITY-1 IDENTITY-6", tier: 0 },
    },
    () => fc.tuple(name, fc.nat(63), fc.nat(20), fc.constantFrom("put", "long", "first", "empty")),
    async (trial, [good, at, which, how]) => {
      const ik = await keyOf(trial.oracle, "11".repeat(32))
      await trial.ok("identity.address", { address: good, ik })
      const place = at % (good.length + 1)
      const bad = {
        put: good.slice(0, place) + pick(BAD, which) + good.slice(place),
        long: good + "a".repeat(65 - good.length),
        first: `${pick([".", "_", "-"], which)}${good.slice(1)}`,
        empty: "",
      }[how]
      await trial.reject("identity.address", { address: bad, ik }, "identity/name")
    },
  ),
  property(
    {
      ...{ id: "identity-p03", title: "a safety number is the two sorted lines, from both ends" },
      ...{ req: "IDENTITY-5", tier: 0, runs: 60 },
    },
    () => fc.tuple(names, seed, seed),
    async (trial, [[p, q], one, other]) => {
      const a = { name: p, ik: await keyOf(trial.oracle, one) }
      const b = { name: q, ik: await keyOf(trial.oracle, other) }
      const lines = await Promise.all(
        [a, b].map(async (peer) => `${peer.name} ${await fingerprintOf(peer.ik)}`),
      )
      const safety = lines.sort().join("\n")
      await trial.ok("identity.safety", { a, b }, { safety })
      await trial.ok("identity.safety", { a: b, b: a }, { safety })
    },
  ),
  property(
    {
      ...{ id: "identity-p04", title: "an identity has two independent keys from its own draws" },
      ...{ req: "IDENTITY-2 IDENTITY-4 SUITE-6", tier: 1, needs: ["deterministic"], runs: 40 },
    },
    () => fc.tuple(name, seed, seed),
    async (trial, [who, of, other]) => {
      const { ok: made = {} } = await trial.same("identity.create", { name: who, seed: of })
      const print = await fingerprintOf(made["ik"] as string)
      trial.equal(made["fingerprint"], print, "fingerprint")
      trial.check(made["ik"] !== made["dk"], "both keys are one")
      const { ok: second = {} } = await trial.same("identity.create", { name: who, seed: other })
      const shared = of !== other && (made["ik"] === second["ik"] || made["dk"] === second["dk"])
      trial.check(!shared, "two seeds give one key")
    },
  ),
]
