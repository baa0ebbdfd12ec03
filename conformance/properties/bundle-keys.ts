// Properties of SPEC §6: one-time keys and contact cards.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { array, bstr, NULL, tstr, uint } from "../vectorgen/raw.ts"
import { publicOf } from "./bundle.ts"
import { property } from "./define.ts"
import { flip, flipped, key32, NOW, seed } from "./gen.ts"
import { bundleOf, oneTimeOf, person, signed } from "./people.ts"

const DAY = 86_400
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

export const BUNDLE_KEY_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{ id: "bundle-p06", title: "a one-time key with any fault is refused, and never is none" },
      ...{ req: "BUNDLE-28", tier: 0, runs: 100 },
    },
    () => fc.tuple(seed, fc.nat(15), flip, fc.constantFrom(0, 1), key32),
    async (trial, [of, which, where, late, other]) => {
      const { oracle } = trial
      const owner = await person(oracle, "bob", of)
      const { bundle } = await bundleOf(oracle, owner, [1])
      const made = await oneTimeOf(oracle, owner, 1)
      const args = { bundle, suite: 1, now: NOW, key: made.key }
      await trial.ok("bundle.acceptOneTime", args, { ref: made.ref })
      const x = await publicOf(oracle, 7)
      const fields = { label: "one-time", name: "bob", ik: owner.peer.ik, suite: 1, x, ek: NULL }
      const good = { ...fields, notAfter: NOW + 60 * DAY + 300, by: owner.identity.ikSecret }
      const prekey = bundle.slice(-2 * (66 + 1 + 32), -2 * 67)
      const faults: readonly Partial<typeof good>[] = [
        ...[{ label: "bundle" }, { name: "bobby" }, { ik: other }, { suite: 2 }, { suite: 3 }],
        ...[{ x: owner.dk }, { x: prekey }, { x: "ff".repeat(32) }, { ek: bstr(other) }],
        ...[{ notAfter: NOW - 301 }, { notAfter: NOW + 60 * DAY + 301 }, { by: other }],
      ]
      const write = (it: typeof good) =>
        signed(
          oracle,
          array(
            ...[tstr(`AgentMesh/1 ${it.label}`), tstr(it.name), bstr(it.ik), uint(it.suite)],
            ...[bstr(it.x), it.ek, uint(it.notAfter)],
          ),
          it.by,
        )
      await trial.ok("bundle.acceptOneTime", { ...args, key: await write(good) })
      const edge = { ...good, notAfter: NOW - 300 }
      await trial.ok("bundle.acceptOneTime", { ...args, key: await write(edge) })
      const fault = faults[which]
      const key = fault ? await write({ ...good, ...fault }) : flipped(trial, made.key, where)
      await trial.reject("bundle.acceptOneTime", { ...args, key }, "bundle/one-time")
      if (late) {
        const now = NOW + 59 * DAY + 301
        await trial.reject("bundle.acceptOneTime", { ...args, now }, "bundle/one-time")
      }
    },
  ),
  property(
    {
      ...{ id: "bundle-p07", title: "a card is written in one form and read in no other" },
      ...{ req: "BUNDLE-9 BUNDLE-30", tier: 1, runs: 50 },
    },
    () =>
      fc.tuple(seed, fc.nat(9), fc.constantFrom("pad", "space", "case", "std", "bit", "prefix")),
    async (trial, [of, trailing, how]) => {
      const owner = await person(trial.oracle, `b${"o".repeat(trailing)}b`, of)
      const { bundle } = await bundleOf(trial.oracle, owner, [1])
      const { card: text } = await trial.oracle.ok("bundle.card", { bundle })
      const card = text as string
      await trial.ok("bundle.card", { bundle }, { card })
      await trial.ok("bundle.readCard", { card }, { bundle })
      const last = ALPHABET.indexOf(card.at(-1) as string)
      const spare = (card.length - "agentmesh1:".length) % 4
      const bad = {
        pad: `${card}=`,
        space: `${card.slice(0, 40)}\n${card.slice(40)}`,
        case: card.replace("agentmesh1:", "AgentMesh1:"),
        std: card.replace(/[-_]/, (char) => (char === "-" ? "+" : "/")),
        // The lowest bit of the last character is unused unless the length is a multiple of three.
        bit: spare === 0 ? `${card} ` : card.slice(0, -1) + ALPHABET[last ^ 1],
        prefix: card.slice(1),
      }[how]
      if (bad === card) return
      await trial.reject("bundle.readCard", { card: bad }, "encoding/malformed")
    },
  ),
]
