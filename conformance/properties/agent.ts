// Properties of SPEC §12 without sequences: export files and payloads.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { agentOf, bodyOf, receiving, sending } from "./agents.ts"
import { payload, write } from "./cbor.ts"
import { property } from "./define.ts"
import { cut, extended, flip, flipped, key32, NOW, names, seedOf } from "./gen.ts"

export const AGENT_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{
        id: "agent-p01",
        title: "an export brings the identity back, and opens in no other form",
      },
      ...{ req: "AGENT-38 AGENT-63 AGENT-64", tier: 2, runs: 25 },
    },
    ({ suites }) =>
      fc.tuple(
        ...([names, fc.nat(0xffff), key32, flip, fc.nat(0xffff)] as const),
        ...([fc.constantFrom("flip", "cut", "extend", "key"), fc.constantFrom(...suites)] as const),
      ),
    async (trial, [[own, other], n, key, where, keep, how, suite]) => {
      const peer = await agentOf(trial.oracle, other, n + 1, { suites: [suite] })
      const agent = await agentOf(trial, own, n, { suites: [suite] })
      await trial.ok("agent.trust", { agent: agent.handle, bundle: peer.bundle })
      const made = await trial.ok("agent.export", { agent: agent.handle, key })
      const bytes = made["bytes"] as string
      const seen = await trial.oracle.ok("agent.import", { bytes, key })
      trial.equal(seen["name"], own, "name in the export")
      trial.equal(seen["fingerprint"], agent.fingerprint, "fingerprint in the export")
      trial.equal(seen["peers"], [`${other} pinned ${suite}`], "peers in the export")
      const { seq, peers } = seen as { seq: number; peers: string[] }
      const all = { name: own, fingerprint: agent.fingerprint, seq, peers }
      await trial.ok("agent.import", { bytes, key }, all)
      const later = { name: own, seed: seedOf(n + 7), now: NOW, suites: [suite] }
      const again = await trial.ok("agent.new", { ...later, file: bytes, key })
      trial.equal(again["fingerprint"], agent.fingerprint, "fingerprint after the import")
      const bad = {
        flip: () => ({ key, bytes: flipped(trial, bytes, where) }),
        cut: () => ({ key, bytes: cut(trial, bytes, keep) }),
        extend: () => ({ key, bytes: extended(trial, bytes, "00") }),
        key: () => ({ bytes, key: flipped(trial, key, where) }),
      }[how]()
      await trial.reject("agent.import", bad, "agent/store-corrupt")
    },
  ),
  property(
    {
      ...{ id: "agent-p02", title: "any payload arrives as it was sent, with its author's name" },
      ...{ req: "AGENT-7 AGENT-47 AGENT-54 ENCODING-9", tier: 2, runs: 30 },
    },
    ({ suites }) =>
      fc.tuple(
        ...([names, fc.nat(0xffff), payload(3), fc.constantFrom(...suites)] as const),
        fc.constantFrom("80", "01", "", "a161610000", "a2616200616100", "f6", "a1616101ff"),
      ),
    async (trial, [[own, other], n, value, suite, bad]) => {
      const options = { suites: [suite], trust: { accept: "any" } }
      const alice = await agentOf(trial, own, n, options)
      const bob = await agentOf(trial, other, n + 1, options)
      await trial.ok("agent.trust", { agent: alice.handle, bundle: bob.bundle })
      const body = write(value)
      const sent = await trial.ok("agent.send", sending(alice, other, body))
      const { fingerprint } = alice
      const sender = { name: own, fingerprint, trust: "pinned" }
      const contents = [{ id: sent["id"] as string, body }]
      const args = receiving(bob, sent["envelope"] as string)
      await trial.ok("agent.receive", args, { sender, contents, refused: [] })
      await trial.reject("agent.send", sending(alice, other, bad), "agent/payload", "unchanged")
      const back = await trial.ok("agent.send", sending(bob, own, bodyOf(n)))
      // The receipt for what arrived travels with the answer.
      const receipts = [{ id: sent["id"] as string, status: 1 }]
      const answer = receiving(alice, back["envelope"] as string)
      await trial.ok("agent.receive", answer, { receipts })
    },
  ),
]
