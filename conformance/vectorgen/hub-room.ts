// Vectors of SPEC §11 hub: what an ACK makes room for, in the mailbox and in the window.

import { ready, sending } from "./hub-ready.ts"
import { type Book, context } from "./kit.ts"
import { Person } from "./people.ts"

/** Adds the cases. */
export function roomCases(book: Book): void {
  const needs = ["deterministic", "role-hub"]

  const bytes = ready({ "per-sender-bytes": 100 }).play
  for (const [i, size] of [60, 40].entries()) bytes.ask("1", sending("bob", i + 1, size))
  const frame = bytes.encode("1", sending("bob", 3, 60))
  const title = "bytes of one sender: an ACK gives back those of what it deletes, and no others"
  const put = context("state", "both envelopes are stored")
  bytes.refuse("1", "hub/mailbox-full", frame, put, bytes.steps.length + 2)
  bytes.ask("2", { type: "ack", mseqs: [1] })
  bytes.frame("1", frame)
  const more = bytes.encode("1", sending("bob", 4, 1))
  bytes.refuse("1", "hub/mailbox-full", more, put, bytes.steps.length + 2)
  bytes.ask("2", { type: "ack", mseqs: [2] })
  bytes.frame("1", more)
  const why = "a quota that is never given back ends the conversation"
  book.steps(350, "hub/mailbox-full", "HUB-49 HUB-51", title, bytes.steps, { needs, why })

  const window = ready({ unacked: 1 }).play
  for (const i of [1, 2, 3]) window.ask("1", sending("bob", i))
  for (const mseq of [2, 1]) window.ask("2", { type: "ack", mseqs: [mseq] })
  const early = "an ACK of mail that was not delivered yet: it never is"
  book.steps(351, "ok", "HUB-51 HUB-34", early, window.steps, { needs })

  const stored = ready({ unacked: 1 }).play
  stored.close("2")
  for (const i of [1, 2, 3]) stored.ask("1", sending("bob", i))
  stored.login("3", new Person("bob"))
  for (const mseq of [2, 1]) stored.ask("3", { type: "ack", mseqs: [mseq] })
  book.steps(352, "ok", "HUB-51 HUB-34", `${early}, after a login`, stored.steps, { needs })

  const past = ready({ "ttl-s": 60 }).play
  past.ask("1", sending("bob", 1))
  past.now += 61
  past.ask("2", { type: "ack", mseqs: [1] })
  past.ask("1", sending("bob", 1))
  const gone = "an ACK of mail past its time: the mail went before, and its mid with it"
  book.steps(353, "ok", "HUB-62 HUB-51 HUB-48", gone, past.steps, { needs })

  const exact = ready({ "ttl-s": 60 }).play
  exact.ask("1", sending("bob", 1))
  exact.now += 60
  exact.ask("2", { type: "ack", mseqs: [1] })
  exact.ask("1", sending("bob", 1))
  const counts = "an ACK of mail at exactly its time: its mid is still known"
  book.steps(354, "ok", "HUB-62 HUB-51 HUB-48", counts, exact.steps, { needs })

  const full = ready({ "ttl-s": 60, "per-sender": 1 }).play
  full.ask("1", sending("bob", 1))
  full.now += 60
  const late = full.encode("1", sending("bob", 2))
  const there = context("now", full.now) // at exactly its time it is still there
  full.refuse("1", "hub/mailbox-full", late, there, full.steps.length + 1)
  full.now += 1
  full.frame("1", late)
  const room = "a SEND to a mailbox with mail past its time finds the room of it"
  const why62 = "otherwise the moment of the timer would change answers"
  book.steps(355, "hub/mailbox-full", "HUB-62 HUB-49", room, full.steps, { needs, why: why62 })

  const counted = ready({ "ttl-s": 60 }).play
  for (const i of [1, 2]) {
    counted.ask("1", sending("bob", i))
    counted.ask("2", { type: "counts" })
    counted.now += 31
  }
  counted.ask("2", { type: "counts" })
  const number = "COUNTS do not count mail past its time"
  book.steps(356, "ok", "HUB-62", number, counted.steps, { needs })
}
