// Vectors of SPEC §11 hub: limits.

import { HubPlay, words } from "./hub-play.ts"
import { type Add, people, ready, sending } from "./hub-ready.ts"
import { context } from "./kit.ts"

type Limits = Readonly<Record<string, number>>

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

  const quotas: readonly (readonly [number, string, Limits, readonly number[], number])[] = [
    [332, "more messages of one sender than allowed", { "per-sender": 2 }, [40, 40], 40],
    [333, "more messages than a mailbox takes", { "mailbox-messages": 1 }, [40], 40],
    [334, "more bytes of one sender than allowed", { "per-sender-bytes": 100 }, [60], 41],
    [335, "more bytes than a mailbox takes", { "mailbox-bytes": 100 }, [60], 41],
  ]
  for (const [n, title, bounds, sizes, more] of quotas) {
    const { play } = ready(bounds)
    for (const [i, size] of sizes.entries()) play.ask("1", sending("bob", i + 1, size))
    const frame = play.encode("1", sending("bob", 3, more))
    play.refuse("1", "hub/mailbox-full", frame, context("state", title), play.steps.length + 2)
    play.ask("2", { type: "ack", mseqs: [1] })
    play.frame("1", frame)
    add(n, "hub/mailbox-full", "HUB-49", title, play, "a mailbox is bounded")
  }

  const exact = ready({ "per-sender": 1 })
  exact.play.ask("1", sending("bob", 1))
  exact.play.ask("1", sending("bob", 1))
  add(336, "ok", "HUB-48 HUB-49", "a repetition is judged before the quota", exact.play)

  const spent = (n: number, title: string, why: string, perSecond: number, idle: number) => {
    const play = new HubPlay({ "requests-per-s": perSecond })
    play.login("1", people().alice)
    play.now += idle
    for (let i = 0; i < 2 * perSecond; i++) play.ping("1")
    const frame = play.encode("1", { type: "ping" })
    play.refuse("1", "hub/rate-limited", frame, context("now", play.now), play.steps.length + 1)
    play.now += 1
    play.frame("1", frame)
    for (let i = 1; i < perSecond; i++) play.ping("1")
    add(n, "hub/rate-limited", "HUB-22", title, play, why)
  }
  const others = "one agent must not starve the others"
  spent(337, "the burst is spent, a second later there is more", others, 2, 0)
  spent(338, "tokens are capped at twice the rate", "a burst is bounded", 1, 1000)
}
