// Founding a session: from the signed bundle and one-time key to the first opened envelope.

import { recordFloor } from "./floor.ts"
import type { Group } from "./group.ts"
import { timeCases } from "./measure.ts"
import { contentsOf, introduce, publish } from "./pair.ts"

/** The group. */
export const handshakes: Group = {
  name: "handshake",
  what: "handshake with a one-time key and first envelope, both sides",
  portable: true,
  run(pace) {
    const cases = ([1, 2] as const).map((suite) => {
      const keys = publish(suite)
      const [content] = contentsOf(600, 1) as [Uint8Array]
      const run = (): void => {
        introduce(keys, content)
      }
      const what = `suite ${suite}: bundle, handshake, first envelope, both sides`
      return { id: `handshake/${suite}`, what, run, floor: recordFloor(run).run }
    })
    return timeCases(cases, pace)
  },
}
