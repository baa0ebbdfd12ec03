// Vectors of SPEC §11 hub: limits.

import type { Request } from "../../src/hub/requests.ts"
import { HubPlay, words } from "./hub-play.ts"
import { type Add, people, ready, sending } from "./hub-ready.ts"

/** Adds what is too much: bytes, mail, requests. */
export function limits(add: Add): void {
  const size = ready({ envelope: 300 })
  size.play.deny(
    "1",
    "hub/too-large",
    sending("bob", 1, 301),
    words("301 bytes where 300 are allowed"),
  )
  size.play.ask("1", sending("bob", 2, 300))
  add(
    330,
    "hub/too-large",
    "HUB-47",
    "an envelope above the announced limit",
    size.play,
    "a hub's memory is bounded",
  )

  const empty = ready()
  empty.play.deny("1", "hub/too-large", sending("bob", 1, 0), words("an envelope of no bytes"))
  empty.play.ask("1", sending("bob", 2, 1))
  add(
    331,
    "hub/too-large",
    "HUB-47",
    "an envelope of no bytes",
    empty.play,
    "there is no such envelope",
  )

  const full = (
    n: number,
    title: string,
    bounds: Readonly<Record<string, number>>,
    first: readonly Request[],
    refused: Request,
    then: (play: HubPlay) => void,
  ) => {
    const { play } = ready(bounds)
    for (const request of first) play.ask("1", request)
    const frame = play.encode("1", refused)
    const mutation = { level: "context", field: "state", put: title } as const
    play.refuse("1", "hub/mailbox-full", frame, mutation, play.steps.length + 2)
    then(play)
    play.frame("1", frame)
    add(n, "hub/mailbox-full", "HUB-49", title, play, "a mailbox is bounded")
  }
  const freed = (play: HubPlay): void => {
    play.ask("2", { type: "ack", mseqs: [1] })
  }
  full(
    332,
    "more messages of one sender than allowed",
    { "per-sender": 2 },
    [sending("bob", 1), sending("bob", 2)],
    sending("bob", 3),
    freed,
  )
  full(
    333,
    "more messages than a mailbox takes",
    { "mailbox-messages": 1 },
    [sending("bob", 1)],
    sending("bob", 3),
    freed,
  )
  full(
    334,
    "more bytes of one sender than allowed",
    { "per-sender-bytes": 100 },
    [sending("bob", 1, 60)],
    sending("bob", 3, 41),
    freed,
  )
  full(
    335,
    "more bytes than a mailbox takes",
    { "mailbox-bytes": 100 },
    [sending("bob", 1, 60)],
    sending("bob", 3, 41),
    freed,
  )

  const exact = ready({ "per-sender": 1 })
  exact.play.ask("1", sending("bob", 1))
  exact.play.ask("1", sending("bob", 1))
  add(336, "ok", "HUB-48 HUB-49", "a repetition is judged before the quota", exact.play)

  const rate = new HubPlay({ "requests-per-s": 2 })
  const { alice } = people()
  rate.login("1", alice)
  for (let i = 0; i < 4; i++) rate.ping("1")
  const frame = rate.encode("1", { type: "ping" })
  rate.refuse(
    "1",
    "hub/rate-limited",
    frame,
    { level: "context", field: "now", put: rate.now },
    rate.steps.length + 1,
  )
  rate.now += 1
  rate.frame("1", frame)
  rate.ping("1")
  add(
    337,
    "hub/rate-limited",
    "HUB-22",
    "the burst is spent, a second later there is more",
    rate,
    "one agent must not starve the others",
  )

  const late = new HubPlay({ "requests-per-s": 1 })
  late.login("1", alice)
  late.now += 1000
  for (let i = 0; i < 2; i++) late.ping("1")
  const third = late.encode("1", { type: "ping" })
  late.refuse(
    "1",
    "hub/rate-limited",
    third,
    { level: "context", field: "now", put: late.now },
    late.steps.length + 1,
  )
  late.now += 1
  late.frame("1", third)
  add(
    338,
    "hub/rate-limited",
    "HUB-22",
    "tokens are capped at twice the rate",
    late,
    "a burst is bounded",
  )
}
