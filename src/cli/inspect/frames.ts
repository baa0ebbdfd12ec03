// Frames between an agent and its hub (SPEC §11): what their items are called.

import { FRAME, HUB_ERRORS } from "../../hub/wire.ts"
import type { Item } from "./cbor.ts"
import { envelope, type Part, part, seconds, signed } from "./parts.ts"

const rid = part("rid: number of the request", "HUB-24")
const name = part("name", "IDENTITY-6")
const counts: Part = {
  name: "counts",
  items: [
    part("mail: envelopes that are stored"),
    {
      name: "one-time keys left",
      each: { name: "of a suite", items: [part("suite"), part("left")] },
    },
    part("bundle-seq, or null", undefined, seconds),
  ],
}
const limits: Part = {
  name: "limits",
  req: "HUB-27",
  items: [
    part("mailbox-messages"),
    part("mailbox-bytes"),
    part("per-sender"),
    part("per-sender-bytes"),
    part("ttl-s"),
    part("envelope"),
    part("requests-per-s", "HUB-22"),
    part("unacked", "HUB-34"),
  ],
}
const found: Part = { name: "found", items: [signed, signed, signed] }

/** An OK says by its shape what it answers. */
function result(item: Item): Part {
  const [first] = item.items
  if (item.kind !== "array" || first === undefined) return part("result")
  if (first.kind === "text") return { name: "names", each: name }
  return first.kind === "uint" ? counts : found
}

const ERROR = (item: Item): string => HUB_ERRORS[Number(item.value) - 1] ?? "unknown: hub/internal"

const FRAMES: Readonly<Record<number, readonly [name: string, req: string, ...Part[]]>> = {
  [FRAME.hello]: ["HELLO", "HUB-26", { name: "versions", each: part("version") }, part("cnonce")],
  [FRAME.welcome]: [
    ...(["WELCOME", "HUB-27", part("version"), part("hub-ik", "HUB-8"), part("snonce")] as const),
    ...[limits, part("sig")],
  ],
  [FRAME.auth]: ["AUTH", "HUB-28", name, part("ik", "HUB-29, HUB-30"), part("sig", "HUB-28")],
  [FRAME.ready]: ["READY", "HUB-34", counts],
  [FRAME.putBundle]: ["PUT_BUNDLE", "", signed],
  [FRAME.putOneTime]: ["PUT_ONE_TIME", "", part("drop"), { name: "keys", each: signed }],
  [FRAME.getBundle]: ["GET_BUNDLE", "", name, { name: "suites", each: part("suite") }],
  [FRAME.send]: ["SEND", "", part("to"), part("mid"), { name: "envelope", inside: envelope }],
  [FRAME.ack]: ["ACK", "AGENT-40", { name: "mseqs", each: part("mseq") }],
  [FRAME.list]: ["LIST", "", part("after")],
  [FRAME.ping]: ["PING", ""],
  [FRAME.counts]: ["COUNTS", ""],
  [FRAME.reply]: ["OK", "", part("result")],
  [FRAME.error]: ["ERR", "", part("code", undefined, ERROR), part("retry-after-s")],
  [FRAME.deliver]: [
    ...(["DELIVER", "HUB-34", part("mseq"), part("from", "HANDSHAKE-26")] as const),
    { name: "envelope", inside: envelope },
  ],
  [FRAME.lowOneTime]: ["LOW_ONE_TIME", "", part("suite"), part("left")],
}

/** The parts of a frame; undefined if no frame has this type. */
export function frameOf(item: Item): Part | undefined {
  const [type, second] = item.items
  if (item.kind !== "array" || type?.kind !== "uint" || second?.kind !== "uint") return undefined
  const known = FRAMES[Number(type.value)]
  if (known === undefined) return undefined
  const [title, req, ...rest] = known
  const third = item.items[2]
  const tail = title === "OK" && third !== undefined ? [result(third)] : rest
  const items = [part(`type: ${title}`, "HUB-23"), rid, ...tail]
  return { name: `frame ${title} (SPEC §11)`, ...(req ? { req } : {}), items }
}
