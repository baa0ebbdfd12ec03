// Properties of SPEC §9: what a header and a content may look like.

import fc from "fast-check"
import { replaceItem } from "../cbor.ts"
import type { Property } from "../property.ts"
import { array, bstr, NULL, uint } from "../vectorgen/raw.ts"
import { property } from "./define.ts"
import { prepare, shape } from "./envelope.ts"
import { content, forge, idOf } from "./forge.ts"
import { NOW, permuted, pick } from "./gen.ts"

/** Verdict on a content, from the table of kinds (SPEC §9.2, §9.4 steps 8 and 9). */
function judgeKind(kind: number, ask: number, re: boolean, body: "payload" | "empty" | "receipts") {
  if (kind > 2 || ask > 1) return "envelope/content"
  if (kind === 0) return body === "payload" ? "ok" : "agent/payload"
  if (ask !== 0 || re) return "envelope/content"
  return body === (kind === 1 ? "empty" : "receipts") ? "ok" : "envelope/content"
}

export const ENVELOPE_SHAPE_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{ id: "envelope-p06", title: "a content is judged by the table of kinds" },
      ...{ req: "ENVELOPE-16", tier: 0, runs: 150 },
    },
    () =>
      fc.tuple(
        ...([fc.constantFrom(0, 1, 2, 3, 255), fc.constantFrom(0, 0, 1, 2), fc.boolean()] as const),
        ...([fc.constantFrom("payload", "empty", "receipts"), fc.nat(0xffff)] as const),
      ),
    async (trial, [kind, ask, re, what, i]) => {
      const receipts = array(array(bstr(idOf(i)), uint(1)))
      const body = { payload: "a0", empty: "", receipts }[what]
      const fields = { kind, ask, re: re ? idOf(i) : null, body }
      const bytes = content(i, "", fields)
      const verdict = judgeKind(kind, ask, re, what)
      const output = { kind, ask, sentMs: NOW * 1000 + i }
      await trial.ends("envelope.content", { content: bytes }, verdict, output)
    },
  ),
  property(
    {
      ...{ id: "envelope-p07", title: "receipts: 1 to 256 pairs of an id and a status of 1 to 3" },
      ...{ req: "ENVELOPE-15 ENVELOPE-16", tier: 0, runs: 80 },
    },
    () =>
      fc.tuple(
        fc.oneof(fc.constantFrom(0, 1, 255, 256, 257), fc.nat(40)),
        ...([
          fc.nat(300),
          fc.constantFrom(1, 2, 3, 0, 4, 24),
          fc.constantFrom(16, 16, 15, 17),
        ] as const),
      ),
    async (trial, [count, place, status, size]) => {
      const at = count === 0 ? -1 : place % count
      const statuses = Array.from({ length: count }, (_, i) => (i === at ? status : 1 + (i % 3)))
      const list = statuses.map((value, i) => {
        return array(bstr(i === at ? "00".repeat(size) : idOf(i)), uint(value))
      })
      const good = count >= 1 && count <= 256 && status >= 1 && status <= 3 && size === 16
      const bytes = content(0, "", { kind: 2, body: array(...list) })
      const verdict = good ? "ok" : "envelope/content"
      await trial.ends("envelope.content", { content: bytes }, verdict, { statuses })
    },
  ),
  property(
    {
      ...{ id: "envelope-p09", title: "sizes, version and shape of a header are judged in order" },
      ...{ req: "ENVELOPE-8 ENVELOPE-9 ENVELOPE-10 ENVELOPE-11 ENVELOPE-12", tier: 0, runs: 120 },
    },
    (setting) => fc.tuple(shape(setting), fc.nat(30), fc.array(fc.nat(15), { maxLength: 15 })),
    async (trial, [it, which, picks]) => {
      const { parts, context } = await prepare(trial, it)
      const envelope = await forge(trial.oracle, parts)
      await trial.ok("envelope.open", { ...context, envelope })
      const item = (path: readonly number[], put: string) => replaceItem(envelope, path, put)
      const others = permuted([uint(2), NULL, bstr("00"), array(), uint(7)], picks).slice(0, 3)
      const faults: readonly (readonly [() => string, string])[] = [
        [() => item([1], bstr("00".repeat(271))), "encoding/limit"],
        [() => item([1], bstr("00".repeat(1_081_361))), "encoding/limit"],
        [() => item([0], bstr("00".repeat(8_193))), "encoding/limit"],
        [() => item([0], bstr(array(uint(2), ...others))), "envelope/version"],
        [() => item([0], bstr(array(uint(0), ...others))), "envelope/version"],
        [() => item([0, 0], uint(2)), "envelope/version"],
        [() => item([0], bstr(array(NULL, ...others))), "encoding/shape"],
        [() => item([0], bstr(array())), "encoding/shape"],
        [() => item([0], bstr("01")), "encoding/shape"],
        [() => item([0], bstr("")), "encoding/malformed"],
        [() => item([0], bstr(`${array(uint(1))}00`)), "encoding/malformed"],
        [() => item([0], bstr(array("1801"))), "encoding/profile"],
        [() => item([0, 1], bstr("00".repeat(15))), "encoding/shape"],
        [() => item([0, 5], bstr("00".repeat(17))), "encoding/shape"],
        [() => item([0, 2], array(bstr("00".repeat(32)), NULL)), "encoding/shape"],
        [() => item([0, 2, 0], bstr("00".repeat(31))), "encoding/shape"],
        [() => item([0, 2, 1], bstr("00".repeat(1_183))), "encoding/shape"],
        [() => item([0, 3], NULL), "encoding/shape"],
        [() => item([0, 4], array()), "encoding/shape"],
        [() => item([0, 6], array(uint(1))), "encoding/shape"],
        [() => item([0], NULL), "encoding/shape"],
        [() => array(bstr("00")), "encoding/shape"],
        [() => `${envelope}00`, "encoding/malformed"],
      ]
      const [make, code] = pick(faults, which)
      await trial.reject("envelope.open", { ...context, envelope: make() }, code)
    },
  ),
]
