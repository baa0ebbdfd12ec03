// Vectors of SPEC §11 hub: mail.

import { words } from "./hub-play.ts"
import { type Add, ready, sending } from "./hub-ready.ts"
import { context } from "./kit.ts"

/** Adds what becomes of mail. */
export function mail(add: Add): void {
  const { play } = ready()
  play.ask("1", sending("bob", 1))
  play.ask("1", sending("bob", 2))
  play.ask("2", { type: "ack", mseqs: [1, 2] })
  play.ask("2", { type: "counts" })
  add(310, "ok", "HUB-50 HUB-51", "sent, delivered in order, acknowledged", play)

  const again = ready()
  again.play.ask("1", sending("bob", 1))
  again.play.ask("1", sending("bob", 1))
  again.play.ask("2", { type: "ack", mseqs: [1] })
  again.play.now += 600
  again.play.ask("1", sending("bob", 1))
  again.play.now += 1
  again.play.ask("1", sending("bob", 1))
  add(311, "ok", "HUB-48 HUB-51", "one mid is one delivery, until 600 s after the ACK", again.play)

  const other = ready()
  other.play.ask("1", sending("bob", 1))
  other.play.ask("1", { type: "ack", mseqs: [1] }, { state: "unchanged" })
  other.play.ask("2", { type: "counts" })
  other.play.ask("2", { type: "ack", mseqs: [7] }, { state: "unchanged" })
  add(312, "ok", "HUB-51", "an ACK of another's mail has no effect", other.play)

  const offline = ready()
  offline.play.close("2")
  offline.play.ask("1", sending("bob", 1))
  offline.play.ask("1", sending("bob", 2))
  offline.play.restart()
  offline.play.login("3", offline.bob)
  offline.play.close("3")
  offline.play.login("4", offline.bob)
  offline.play.ask("4", { type: "ack", mseqs: [1, 2] })
  add(
    313,
    "ok",
    "HUB-34 HUB-50 HUB-52",
    "mail waits through a restart and comes again until its ACK",
    offline.play,
  )

  const large = ready()
  large.play.close("2")
  for (const i of [1, 2, 3]) large.play.ask("1", sending("bob", i, 600_000))
  large.play.login("3", large.bob)
  add(367, "ok", "HUB-34", "all mail that the window has room for comes, however large", large.play)

  const done = ready()
  done.play.ask("1", sending("bob", 1))
  done.play.ask("1", sending("bob", 2))
  done.play.ask("2", { type: "ack", mseqs: [1] })
  done.play.close("2")
  done.play.login("3", done.bob)
  add(340, "ok", "HUB-34 HUB-51", "what was acknowledged does not come again", done.play)

  const window = ready({ unacked: 1 })
  window.play.ask("1", sending("bob", 1))
  window.play.ask("1", sending("bob", 2))
  window.play.ask("2", { type: "ack", mseqs: [1] })
  add(
    314,
    "ok",
    "HUB-34 HUB-51",
    "no more unacknowledged mail than the window has room for",
    window.play,
  )

  const late = ready({ "ttl-s": 60 })
  late.play.close("2")
  late.play.ask("1", sending("bob", 1))
  late.play.now += 60
  late.play.login("3", late.bob)
  late.play.now += 1
  late.play.login("4", late.bob)
  add(315, "ok", "HUB-34 HUB-62", "mail past its time is not delivered", late.play)

  const unknown = ready()
  unknown.play.deny(
    "1",
    "hub/no-such-agent",
    sending("carol", 1),
    words("to a name without a bundle"),
  )
  unknown.play.ask("1", sending("bob", 1))
  add(
    316,
    "hub/no-such-agent",
    "HUB-47",
    "mail to an unknown name",
    unknown.play,
    "there is no mailbox",
  )

  const failing = ready()
  const frame = failing.play.encode("1", sending("bob", 1))
  failing.play.refuse(
    "1",
    "hub/internal",
    frame,
    context("fail", true),
    failing.play.steps.length + 1,
    { fail: true },
  )
  failing.play.frame("1", frame)
  add(
    317,
    "hub/internal",
    "HUB-14 HUB-15",
    "mail that could not be stored gets no OK",
    failing.play,
    "no OK without a durable write",
  )

  const moved = ready()
  moved.play.ask("1", sending("bob", 1))
  moved.play.login("3", moved.bob)
  moved.play.ask("3", { type: "ack", mseqs: [1] })
  moved.play.ping("2")
  add(
    318,
    "ok",
    "HUB-33",
    "what the replaced link had not acknowledged comes on the new one",
    moved.play,
  )
}
