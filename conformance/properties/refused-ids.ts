// Property of SPEC §9: which refused contents get a receipt.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { array, bstr, NULL, tstr, uint } from "../vectorgen/raw.ts"
import { agentOf, Puppet, receiving, sending } from "./agents.ts"
import { property } from "./define.ts"
import { content, idOf } from "./forge.ts"
import { NOW } from "./gen.ts"

/** The items of a content of kind 0, some replaced. */
function items(i: number, put: Readonly<Record<number, string>>): string {
  const all = [uint(0), bstr(idOf(i)), uint(NOW * 1000 + i), NULL, uint(0), bstr("a0")]
  for (const [at, item] of Object.entries(put)) all[Number(at)] = item
  return array(...all)
}

/** Makes a content from its number: whether the id of what is refused is readable. */
const REFUSED: readonly (readonly [receipted: boolean, make: (i: number) => string])[] = [
  [true, (i) => items(i, { 4: uint(2) })],
  [true, (i) => items(i, { 4: NULL })],
  [true, (i) => items(i, { 2: tstr("now") })],
  [true, (i) => items(i, { 3: uint(0) })],
  [true, (i) => items(i, { 5: NULL })],
  [true, (i) => items(i, { 5: array(array()) })],
  // More than MAX_CONTENT, less than MAX_OBJECT.
  [true, (i) => items(i, { 5: bstr("00".repeat(1_000_001)) })],
  [false, (i) => items(i, { 6: NULL })],
  [false, (i) => items(i, { 6: bstr("a0"), 7: NULL })],
  [false, (i) => array(uint(0), bstr(idOf(i)), uint(NOW * 1000), NULL, uint(0))],
  [false, (i) => array(uint(0), bstr(idOf(i)))],
  [false, (i) => items(i, { 0: uint(1), 4: uint(1) })],
  [false, (i) => items(i, { 0: uint(3) })],
  [false, (i) => items(i, { 0: NULL })],
  [false, (i) => items(i, { 1: bstr(idOf(i).slice(2)) })],
  [false, (i) => items(i, { 1: bstr(`${idOf(i)}00`) })],
  [false, (i) => items(i, { 1: tstr(idOf(i).slice(16)) })],
  [false, (i) => `${items(i, {})}00`],
  [false, (i) => items(i, { 4: "1800" })],
  [false, (i) => items(i, { 5: array(tstr("\u0000")).replace("00", "ff") })],
]

export const REFUSED_ID_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{ id: "envelope-p10", title: "a refused content is receipted if its id is readable" },
      ...{ req: "ENVELOPE-15 ENVELOPE-16 ENVELOPE-17 ENVELOPE-18", tier: 2, runs: 8 },
    },
    ({ suites }) =>
      fc.record({
        suite: fc.constantFrom(...suites),
        chosen: fc.shuffledSubarray([...REFUSED.keys()], { minLength: 10 }),
        good: fc.nat(9),
      }),
    async (trial, { suite, chosen, good }) => {
      const me = await agentOf(trial, "me", 5, { suites: [suite], trust: { accept: "any" } })
      const how = { name: "peer", n: 77, draws: 0, suite }
      const puppet = await Puppet.meet(trial.oracle, me, how)
      const statuses: number[] = []
      const said = chosen.map((which, at) => {
        const [receipted, make] = REFUSED[which] as (typeof REFUSED)[number]
        if (receipted) statuses.push(3)
        if (at === good) statuses.push(1)
        return at === good ? [make(at), content(100)] : [make(at)]
      })
      const refused = chosen.map(() => "envelope/content")
      const envelope = await puppet.seal(said.flat())
      await trial.ok("agent.receive", receiving(me, envelope), { refused })
      const answer = await trial.ok("agent.send", sending(me, "peer"))
      const due: number[] = []
      for (const one of await puppet.open(answer["envelope"] as string)) {
        const read = await trial.oracle.ok("envelope.content", { content: one })
        due.push(...((read["statuses"] ?? []) as number[]))
      }
      trial.equal(due, statuses, "statuses of the receipts")
    },
  ),
]
