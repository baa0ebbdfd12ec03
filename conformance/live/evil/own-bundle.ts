// The hostile hub, seventh part: what it says of the agent's own bundle, or does not say (SPEC §6,
// §12.3).

import { importState } from "../../../src/agent/backup.ts"
import { createBundle, openBundle } from "../../../src/bundle.ts"
import { decode, encode, type Value } from "../../../src/encoding.ts"
import { FRAME, signReceipt } from "../../../src/hub/frames.ts"
import { createIdentity, type OwnIdentity, restoreIdentity } from "../../../src/identity.ts"
import { osDraw } from "../../../src/suite.ts"
import { hex, unhex } from "../../values.ts"
import { check, same } from "../hub/trial.ts"
import { fetches } from "./delays.ts"
import type { Frame } from "./hub.ts"
import type { Draft } from "./post.ts"
import { reborn } from "./publishing.ts"
import type { World } from "./world.ts"

/** The hub calls every bundle stale and shows another one as the agent's; which seq comes next. */
function stale(
  title: string,
  show: (w: World, own: OwnIdentity) => { by: OwnIdentity; seq: number },
  raises: boolean,
): Draft {
  return {
    title,
    req: ["BUNDLE-8", "HUB-6"],
    options: { offline: true },
    async run(w) {
      const key = hex(osDraw("identity", 32))
      const { bytes } = await w.ok("agent.export", { agent: w.handle, key })
      const state = importState(unhex(String(bytes)), unhex(key))
      const { by, seq } = show(w, restoreIdentity(w.name, state.ikSecret, state.dkSecret))
      const shown = createBundle(by, { seq, now: w.seconds, suites: [1] }, osDraw)
      const signed = decode(shown.bytes)
      const key0 = { ik: w.hub.hubIk, secret: w.hub.secret }
      const about = { name: w.name, ik: by.ik, bundleRef: shown.ref, seq, time: w.seconds }
      w.hub.attack = {
        up(frame, link) {
          const rid = frame[1] as Value
          const low = frame[0] === FRAME.putBundle && seqOf(frame) <= seq
          if (low) link.inject([FRAME.error, rid, 8, 0])
          const asks = frame[0] === FRAME.getBundle && frame[2] === w.name
          if (asks) link.inject([FRAME.reply, rid, [signed, null, signReceipt(key0, about)]])
          return low || asks ? null : frame
        },
      }
      await w.connect()
      await w.until(() => fetches(w, w.name).length > 0, "the agent asks for its own bundle")
      same(fetches(w, w.name)[0]?.[3], [], "suites of which it wants a key")
      const seqs = (): readonly number[] => w.hub.of(FRAME.putBundle).map(seqOf)
      if (raises) await w.until(() => seqs().at(-1) === seq + 1, "the next seq is one higher")
      else {
        await w.jump(65)
        await w.until(() => fetches(w, w.name).length > 1, "the agent tries again")
        check(
          seqs().every((one) => one < seq),
          `no seq follows the one that is shown: ${seqs()}`,
        )
        const before = w.hub.of(FRAME.putBundle).length
        w.hub.attack = {}
        const again = (): boolean => w.hub.of(FRAME.putBundle).length > before
        await w.until(again, "the bundle leaves again", () => w.jump(60))
      }
    },
  }
}

/** The seq of a PUT_BUNDLE. */
const seqOf = (frame: Frame): number => openBundle(encode(frame[2] as Value)).seq

export const OWN_BUNDLE: readonly Draft[] = [
  stale(
    "a bundle that is called stale: the own one at the hub raises the seq",
    (w, by) => ({ by, seq: w.seconds + 1_000_000 }),
    true,
  ),
  stale(
    "the own bundle at the hub is too far ahead: it raises nothing",
    (w, by) => ({ by, seq: w.seconds + 2_678_400 + 1_000 }),
    false,
  ),
  stale(
    "a bundle of another key in the place of the own one raises nothing",
    (w) => ({ by: createIdentity(w.name, osDraw), seq: w.seconds + 1_000_000 }),
    false,
  ),
  {
    title: "after an import keys have drop 1 also at a hub that shows no bundle of the agent",
    req: ["AGENT-32"],
    async run(w) {
      await w.until(() => w.hub.of(FRAME.putOneTime).length > 0, "keys leave")
      const before = w.hub.of(FRAME.putOneTime).length
      await reborn(w)
      w.hub.attack = {
        down(frame) {
          if (frame[0] !== FRAME.ready) return frame
          const [mail, keys] = frame[2] as readonly Value[]
          return [FRAME.ready, 0, [mail as Value, keys as Value, null]]
        },
      }
      await w.connect()
      await w.until(() => w.hub.of(FRAME.putOneTime).length > before, "new keys leave")
      same(w.hub.of(FRAME.putOneTime)[before]?.[2], 1, "drop after an import")
    },
  },
]
