// The limit that all strangers share (SPEC §8): a flood of them puts out the session that was silent
// longest, and none of a peer that the agent has written to.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { type Agent, agentOf, Puppet, receiving, sending } from "./agents.ts"
import { property } from "./define.ts"
import { content } from "./forge.ts"
import { NOW, seed } from "./gen.ts"
import type { Trial } from "./trial.ts"

/** MAX_STRANGER_SESSIONS. */
const MOST = 1_000

/** Somebody with a bundle of `me`, as name and number. */
function meet(trial: Trial, me: Agent, suite: number, name: string, n: number): Promise<Puppet> {
  return Puppet.meet(trial.oracle, me, { name, n: 5_000 + n, draws: n, suite })
}

/** `me` hears somebody once more: a heal, which leaves nothing behind. */
async function hear(trial: Trial, me: Agent, who: Puppet, code: string = "ok"): Promise<void> {
  const args = receiving(me, await who.seal([content(1, "", { kind: 1, body: "" })]))
  await trial.ends("agent.receive", args, code)
}

export const STRANGER_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{ id: "handshake-p10", title: "of 1,001 strangers the one that was silent longest goes" },
      ...{ req: "HANDSHAKE-40", tier: 2, runs: 1 },
    },
    () => fc.noShrink(seed), // a smaller number is no simpler flood
    async (trial, drawn, { suites }) => {
      const suite = Math.min(...suites)
      const options = { suites: [suite], trust: { accept: "any" } }
      const me = await agentOf(trial, "me", Number.parseInt(drawn.slice(0, 6), 16), options)
      const at = (now: number) => trial.ok("agent.clock", { agent: me.handle, now })
      const peer = await meet(trial, me, suite, "peer", 0)
      await hear(trial, me, peer)
      await trial.ok("agent.send", sending(me, "peer"))
      const [first, second] = [
        await meet(trial, me, suite, "first", 1),
        await meet(trial, me, suite, "second", 2),
      ]
      for (const [i, who] of [first, second, first].entries()) {
        await at(NOW + i)
        await hear(trial, me, who)
      }
      await at(NOW + 3)
      const third = await meet(trial, me, suite, "third", 3)
      await hear(trial, me, third)
      for (let n = 4; n <= MOST + 1; n++) {
        await hear(trial, me, await meet(trial, me, suite, `stranger-${n}`, n))
      }
      for (const who of [peer, first, third]) await hear(trial, me, who)
      // Its session is gone, and an init is accepted once.
      await hear(trial, me, second, "handshake/replay")
    },
  ),
]
