// Black box, area 9: versions of the hub protocol (HUB-26).

import type { Value } from "../../../src/encoding.ts"
import { T } from "./link.ts"
import { area, check, type Draft, type HubCase, same } from "./trial.ts"

/** Hello with these versions gets a welcome that says 1, and the link works. */
function common(title: string, versions: Value): Draft {
  return {
    title,
    req: ["HUB-26", "HUB-27"],
    async run(t) {
      const link = await t.connect()
      const welcome = await link.greet(versions)
      same([welcome[0], welcome[2]], [T.welcome, 1], "type and version of the answer")
      await link.auth(t.newcomer())
      same((await link.next())[0], T.ready, "answer to auth")
      same(await link.ok(T.ping), null, "PING")
    },
  }
}

/** Hello with these versions is refused, while a good one gets a welcome. */
function refused(title: string, req: string, code: number, versions: readonly Value[]): Draft {
  return {
    title,
    req: [req],
    async run(t) {
      for (const list of versions) {
        const link = await t.connect()
        await link.send([T.hello, 0, list, new Uint8Array(32)])
        await link.closedWith(code)
        check((await (await t.connect()).greet())[0] === T.welcome, "a good hello gets a welcome")
      }
    },
  }
}

export const VERSION_CASES: readonly HubCase[] = area(9, [
  common("version 1 alone", [1]),
  common("versions of the future before and after 1", [2, 9, 1, 77]),
  common("eight versions, 1 the last", [8, 7, 6, 5, 4, 3, 2, 1]),
  common("1 twice", [1, 1]),
  common("the largest integer and 1", [Number.MAX_SAFE_INTEGER, 1]),
  refused("no common version", "HUB-26", 2, [
    [2],
    [0],
    [2, 3, 4, 5, 6, 7, 8, 9],
    [Number.MAX_SAFE_INTEGER],
  ]),
  refused("no version at all, and nine", "HUB-25", 1, [[], [1, 2, 3, 4, 5, 6, 7, 8, 9]]),
  refused("versions that are no integers", "HUB-25", 1, [["1"], [1, "2"], [null], 1, "1"]),
  {
    title: "hello on a ready link is an unknown request",
    req: ["HUB-23"],
    async run(t) {
      const link = await t.login()
      await link.send([T.hello, 0, [1], new Uint8Array(32)])
      same(await link.answer(0), { error: 13, retry: 0 }, "answer")
      same(await link.ok(T.ping), null, "PING after it")
    },
  },
  {
    title: "a hello without common version leaves other links alone",
    req: ["HUB-26", "HUB-16"],
    async run(t) {
      const witness = await t.join()
      const link = await t.connect()
      await link.send([T.hello, 0, [2], new Uint8Array(32)])
      await link.closedWith(2)
      same(await t.drain(witness, witness), [], "mail of the witness")
    },
  },
])
