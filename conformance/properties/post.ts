// Mailboxes of a hub (SPEC §11) as a small post office of its own, and what can happen there.

import fc from "fast-check"
import type { Json } from "../driver.ts"
import { NOW, pick } from "./gen.ts"
import { brief, frames, framing, type Hub, leaving, login } from "./hubs.ts"
import { type Move, move } from "./model.ts"
import type { Person } from "./people.ts"
import type { Trial } from "./trial.ts"

interface Mail {
  readonly mseq: number
  readonly from: string
  readonly mid: string
  readonly envelope: string
  readonly time: number
}

/** One name, its mailbox, its link. */
export interface Box {
  readonly who: Person
  mail: Mail[]
  next: number
  /** The ready link, and what was delivered on it and is not acknowledged. */
  link: string | null
  flight: Set<number>
  tokens: number
  last: number
  /** Whether mail past its time was freed now: what follows it may come later (SPEC §11.4). */
  freed?: boolean
}

/** A hub and what it has to hold. */
export interface Post {
  readonly hub: Hub
  readonly boxes: readonly Box[]
  readonly limits: Limits
  /** `from to mid`: time of the ACK, or null while the mail is stored. */
  readonly known: Map<string, { readonly time: number | null }>
  now: number
  links: number
  rid: number
  sent: number
}

/** Limits of a hub. */
export interface Limits {
  readonly unacked: number
  readonly messages: number
  readonly perSender: number
  readonly bytes: number
  readonly perSenderBytes: number
  readonly ttl: number
  readonly rate: number
}

/** Limits under which nothing is refused. */
export const LIMITS: Limits = {
  ...{ unacked: 3, messages: 1_000, perSender: 200, bytes: 2 ** 26, perSenderBytes: 2 ** 23 },
  ...{ ttl: 604_800, rate: 1_000 },
}

/** Frames that a mailbox now sends on its link, by the window. */
function delivered(model: Post, box: Box): Json[] {
  const out: Json[] = []
  for (const { mseq, from, envelope } of box.mail) {
    if (box.link === null || box.flight.size >= model.limits.unacked) break
    if (box.flight.has(mseq)) continue
    box.flight.add(mseq)
    out.push([30, 0, mseq, from, envelope])
  }
  return out
}

const isOld = (model: Post, { time }: { readonly time: number }): boolean =>
  model.now - time > model.limits.ttl

/** What a use of a mailbox does first: mail past its time goes. */
function expire(model: Post, box: Box): void {
  box.mail = box.mail.filter((mail) => {
    const old = isOld(model, mail)
    if (old) {
      box.freed = true
      box.flight.delete(mail.mseq)
      model.known.delete(`${mail.from} ${box.who.peer.name} ${mail.mid}`)
    }
    return !old
  })
}

/** One token of the bucket; false if there is none. */
function spend(model: Post, box: Box): boolean {
  const { rate } = model.limits
  box.tokens = Math.min(2 * rate, box.tokens + rate * Math.max(0, model.now - box.last))
  box.last = model.now
  if (box.tokens === 0) return false
  box.tokens--
  return true
}

const isMail = (one: Json): one is readonly Json[] => Array.isArray(one) && one[0] === 30

/** What left on a link: answers, then mail, which freed mail lets out before the answer or after. */
function sent(list: readonly string[] | undefined): readonly Json[] {
  const all = brief(list) as readonly Json[]
  return [...all.filter((one) => !isMail(one)), ...all.filter(isMail)]
}

/** Where mail was freed, those that follow may come with the next event: they are not out yet. */
function late(box: Box, out: readonly Json[], list: readonly Json[]): readonly Json[] {
  const came = box.freed ? out.filter(isMail).length : list.length
  box.freed = false
  for (const one of list.slice(came).filter(isMail)) box.flight.delete(one[2] as number)
  return list.slice(0, came)
}

/** Performs a request; compares everything that leaves the hub, on every link. */
async function request(
  model: Post,
  trial: Trial,
  box: Box,
  frame: string,
  effect: () => { code?: string; reply?: Json; touched?: readonly Box[] },
): Promise<void> {
  const link = box.link as string
  const args = framing(model.hub, link, frame, model.now)
  if (!spend(model, box)) {
    await trial.reject("hub.frame", args, "hub/rate-limited", "unchanged")
    return
  }
  const { code, reply = null, touched = [] } = effect()
  if (code !== undefined) {
    await trial.reject("hub.frame", args, code)
    return
  }
  const out = leaving(await trial.ok("hub.frame", args))
  const expected = new Map<string, Json[]>([[link, [[20, model.rid, reply]]]])
  for (const other of touched) {
    const at = other.link
    const list = late(other, at === null ? [] : sent(out.get(at)), delivered(model, other))
    if (at !== null && list.length > 0) expected.set(at, [...(expected.get(at) ?? []), ...list])
  }
  for (const at of new Set([...out.keys(), ...expected.keys()])) {
    trial.equal(sent(out.get(at)), expected.get(at) ?? [], `frames on ${at}`)
  }
}

const guest = fc.nat(2)
const present = (model: Post): readonly Box[] => model.boxes.filter(({ link }) => link !== null)
const somebody = (model: Post): boolean => present(model).length > 0

export const enter: Move<Post> = move<Post, number>(
  "log in",
  guest,
  async (model, trial, which) => {
    const box = model.boxes[which] as Box
    const [old, link] = [box.link, `link-${String(++model.links).padStart(3, "0")}`]
    const out = await login(trial, model.hub, box.who, link, model.now)
    Object.assign(box, { link, flight: new Set(), tokens: 2 * model.limits.rate, last: model.now })
    expire(model, box)
    box.freed = false // the window of a new link is empty in any case
    trial.equal(brief(out.get(link)), [[4], ...delivered(model, box)], "frames after READY")
    if (old === null) return
    const rest = sent(out.get(old)).filter((one) => !isMail(one))
    trial.equal(rest, [[21, 0, 12, 0]], "frames of the old link")
  },
)

export const leave: Move<Post> = move<Post, number>(
  "log out",
  guest,
  async (model, trial, which) => {
    const box = pick(present(model), which)
    await trial.ok("hub.close", { hub: model.hub.handle, link: box.link as string })
    Object.assign(box, { link: null, flight: new Set() })
  },
  somebody,
)

interface Sending {
  readonly from: number
  readonly to: number
  readonly size: number
  /** Says an earlier mid again. */
  readonly again: number | null
}

function append(
  model: Post,
  from: Box,
  to: Box,
  mid: string,
  envelope: string,
): string | undefined {
  const { limits, now } = model
  expire(model, to)
  const key = `${from.who.peer.name} ${to.who.peer.name} ${mid}`
  const known = model.known.get(key)
  if (known && (known.time === null || now - known.time <= 600)) return undefined
  const size = envelope.length / 2
  const own = to.mail.filter((mail) => mail.from === from.who.peer.name)
  const bytes = (list: readonly Mail[]) =>
    list.reduce((sum, it) => sum + it.envelope.length / 2, size)
  const full =
    to.mail.length + 1 > limits.messages ||
    own.length + 1 > limits.perSender ||
    bytes(to.mail) > limits.bytes ||
    bytes(own) > limits.perSenderBytes
  if (full) return "hub/mailbox-full"
  to.mail.push({ mseq: to.next++, from: from.who.peer.name, mid, envelope, time: now })
  model.known.set(key, { time: null })
  return undefined
}

export const send: (repeats: boolean) => Move<Post> = (repeats: boolean): Move<Post> =>
  move<Post, Sending>(
    "send",
    fc.record({
      ...{ from: guest, to: guest, size: fc.constantFrom(1, 1, 40, 100) },
      again: repeats ? fc.option(fc.nat(5)) : fc.constant(null),
    }),
    (model, trial, { from, to, size, again }) => {
      const [sender, box] = [pick(present(model), from), model.boxes[to] as Box]
      const number = again === null || model.sent === 0 ? ++model.sent : 1 + (again % model.sent)
      const mid = number.toString(16).padStart(32, "0")
      const envelope = (number % 256).toString(16).padStart(2, "0").repeat(size)
      const frame = frames.send(++model.rid, box.who.peer.name, mid, envelope)
      return request(model, trial, sender, frame, () => {
        const code = append(model, sender, box, mid, envelope)
        return code ? { code } : { touched: [box] }
      })
    },
    somebody,
  )

export const ack: Move<Post> = move<Post, { who: number; picks: readonly number[] }>(
  "ack",
  fc.record({
    who: guest,
    picks: fc.array(fc.nat(7), { minLength: 1, maxLength: 3 }),
  }),
  (model, trial, { who, picks }) => {
    const box = pick(present(model), who)
    // Mostly its own mail, also of others and of none.
    const chosen = picks.map((n) => (n < 6 ? box.mail[n % (box.mail.length || 1)]?.mseq : n) ?? n)
    // What takes the place of mail past its time may come with this event (SPEC §11.4): whether an
    // ACK that names it undelivered was first is left open.
    const freeing = box.mail.some((mail) => isOld(model, mail))
    const waits = (mseq: number): boolean => freeing && mseq < box.next && !box.flight.has(mseq)
    const mseqs = chosen.map((mseq) => (waits(mseq) ? box.next + 9 : mseq))
    return request(model, trial, box, frames.ack(++model.rid, mseqs), () => {
      expire(model, box)
      for (const { mseq, from, mid } of box.mail.filter((mail) => mseqs.includes(mail.mseq))) {
        box.flight.delete(mseq)
        model.known.set(`${from} ${box.who.peer.name} ${mid}`, { time: model.now })
      }
      box.mail = box.mail.filter(({ mseq }) => !mseqs.includes(mseq))
      return { touched: [box] }
    })
  },
  somebody,
)

export const counts: Move<Post> = move<Post, number>(
  "counts",
  guest,
  (model, trial, which) => {
    const box = pick(present(model), which)
    return request(model, trial, box, frames.counts(++model.rid), () => {
      expire(model, box)
      return { reply: [box.mail.length, [[1, 0]], NOW], touched: [box] }
    })
  },
  somebody,
)

export const restart: Move<Post> = move<Post, null>(
  "restart",
  fc.constant(null),
  async (model, trial) => {
    await trial.ok("hub.restart", { hub: model.hub.handle })
    for (const box of model.boxes) Object.assign(box, { link: null, flight: new Set() })
  },
)

export const wait: Move<Post> = move<Post, number>(
  "wait",
  fc.constantFrom(1, 600, 601, 604_800, 604_801),
  async (model, _trial, seconds) => {
    model.now += seconds
  },
)

/** The next write of the store fails: nothing changes, and the request can be made again. */
export const fail: Move<Post> = move<Post, { from: number; to: number }>(
  "fail",
  fc.record({ from: guest, to: guest }),
  async (model, trial, { from, to }) => {
    const [sender, box] = [pick(present(model), from), model.boxes[to] as Box]
    const mid = (++model.sent).toString(16).padStart(32, "0")
    const frame = frames.send(++model.rid, box.who.peer.name, mid, "5a")
    if (!spend(model, sender)) return
    const args = { ...framing(model.hub, sender.link as string, frame, model.now), fail: true }
    await trial.reject("hub.frame", args, "hub/internal", "unchanged")
    await request(model, trial, sender, frame, () => {
      const code = append(model, sender, box, mid, "5a")
      return code ? { code } : { touched: [box] }
    })
  },
  somebody,
)
