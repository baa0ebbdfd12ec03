// Vectors of SPEC §11 hub: what an ACK makes room for, in the mailbox and in the window.

import type { Request } from "../../src/hub/requests.ts"
import { HubPlay } from "./hub-play.ts"
import type { Book } from "./kit.ts"
import { Person } from "./people.ts"

/** Alice and bob, both with a bundle: she on link 1, he on link 2. */
function ready(limits: Readonly<Record<string, number>>): HubPlay {
  const play = new HubPlay(limits)
  for (const [link, who] of [
    ["1", new Person("alice")],
    ["2", new Person("bob")],
  ] as const) {
    play.login(link, who)
    play.publish(link, who)
  }
  return play
}

/** Mail to bob, of so many bytes. */
function mail(i: number, size: number = 40): Request {
  const mid = new Uint8Array(16).fill(i)
  return { type: "send", to: "bob", mid, envelope: new Uint8Array(size).fill(i) }
}

/** Adds the cases. */
export function roomCases(book: Book): void {
  const needs = ["deterministic", "role-hub"]

  const bytes = ready({ "per-sender-bytes": 100 })
  for (const [i, size] of [60, 40].entries()) bytes.ask("1", mail(i + 1, size))
  const frame = bytes.encode("1", mail(3, 60))
  const title = "bytes of one sender: an ACK gives back those of what it deletes, and no others"
  const put = { level: "context", field: "state", put: "both envelopes are stored" } as const
  bytes.refuse("1", "hub/mailbox-full", frame, put, bytes.steps.length + 2)
  bytes.ask("2", { type: "ack", mseqs: [1] })
  bytes.frame("1", frame)
  bytes.refuse("1", "hub/mailbox-full", bytes.encode("1", mail(4, 1)), put, bytes.steps.length - 1)
  const why = "a quota that is never given back ends the conversation"
  book.steps(350, "hub/mailbox-full", "HUB-49 HUB-51", title, bytes.steps, { needs, why })

  const window = ready({ unacked: 1 })
  for (const i of [1, 2, 3]) window.ask("1", mail(i))
  for (const mseq of [2, 1]) window.ask("2", { type: "ack", mseqs: [mseq] })
  const early = "an ACK of mail that was not delivered yet: it never is"
  book.steps(351, "ok", "HUB-51 HUB-34", early, window.steps, { needs })

  const stored = ready({ unacked: 1 })
  stored.steps.push({ op: "hub.close", args: { hub: "$h", link: "2" } })
  for (const i of [1, 2, 3]) stored.ask("1", mail(i))
  stored.login("3", new Person("bob"))
  for (const mseq of [2, 1]) stored.ask("3", { type: "ack", mseqs: [mseq] })
  book.steps(352, "ok", "HUB-51 HUB-34", `${early}, after a login`, stored.steps, { needs })
}
