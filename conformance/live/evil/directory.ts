// The hostile hub, second part: what it serves as a bundle, a one-time key, a receipt (HUB-58 to
// HUB-60). Each lie is refused with its code, nothing is sent; the truth works afterwards.

import { createBundle, createOneTimeKey } from "../../../src/bundle.ts"
import { decode, encode, type Value } from "../../../src/encoding.ts"
import { compareReceipts, FRAME } from "../../../src/hub/frames.ts"
import { createIdentity, type OwnIdentity } from "../../../src/identity.ts"
import { ed25519Public, osDraw, sign } from "../../../src/suite.ts"
import { hex, unhex } from "../../values.ts"
import { check, same } from "../hub/trial.ts"
import type { Frame } from "./hub.ts"
import type { Draft } from "./post.ts"
import { type Found, receiptFor, rewrite, type Signed, serve, signedOf, whole } from "./served.ts"
import type { World } from "./world.ts"

/** Served to the agent at first contact with b. `b` is the owner, for insiders. */
function lie(
  title: string,
  req: readonly string[],
  code: string,
  make: (w: World, found: Found, b: OwnIdentity) => Partial<Found>,
  options: { requireOneTime?: boolean; to?: (address: string) => string } = {},
): Draft {
  return {
    title,
    req: [...req, "HUB-58"],
    async run(w) {
      await w.meet("c") // the agent works
      const b = await w.peer("b", options)
      const owner = createIdentity("b", osDraw) // an impostor, until a case says otherwise
      serve(w, "b", (found) => make(w, found, owner))
      const { to = () => "b" } = options
      await w.refusesToSend(to(b.agent.address), "for b alone", code)
      same(w.hub.sendsTo("b").length, 0, "envelopes to b")
      w.hub.attack = {}
      await w.send("b", "after the lie")
      await w.until(() => b.texts.length > 0, "b gets the message that was sent after the lie")
    },
  }
}

const bundleBy = (
  w: World,
  who: OwnIdentity,
  change: { seq?: number; flags?: number; now?: number } = {},
): Signed =>
  signedOf(
    createBundle(
      who,
      {
        seq: change.seq ?? 4_000_000_000,
        now: change.now ?? w.seconds,
        suites: [1],
        flags: change.flags ?? 0,
      },
      osDraw,
    ).bytes,
  )

/** The agent knows an identity of b's before it meets the hub's lie; b's keys are the case's. */
function pinned(
  title: string,
  req: readonly string[],
  code: string,
  make: (w: World, b: OwnIdentity, seq: number) => Signed,
  after?: (w: World) => Promise<void>,
): Draft {
  return {
    title,
    req,
    async run(w) {
      const c = await w.meet("c")
      const b = createIdentity("b", osDraw)
      const seq = w.seconds
      const known = createBundle(b, { seq, now: w.seconds, suites: [1] }, osDraw)
      await w.ok("agent.trust", { agent: w.handle, bundle: hex(known.bytes) })
      // The honest hub knows nobody of that name: the answer is the lie alone.
      w.hub.attack = {
        down: (frame, asked) => {
          if (asked?.[0] !== FRAME.getBundle || asked[2] !== "b") return frame
          const bundle = make(w, b, seq)
          return [
            FRAME.reply,
            frame[1] as Value,
            [bundle, null, receiptFor(w, bundle)],
          ] as unknown as Frame
        },
      }
      await w.refusesToSend("b", "for b alone", code)
      same(w.hub.sendsTo("b").length, 0, "envelopes to b")
      await after?.(w)
      await w.barrier(c)
    },
  }
}

/** The receipt of an answer that was refused is kept. */
async function receipted(w: World): Promise<void> {
  const { receipts } = await w.ok("agent.receipts", { agent: w.handle, name: "b" })
  same((receipts as readonly string[]).length, 1, "receipts kept of the refused answer")
}

export const DIRECTORY: readonly Draft[] = [
  lie("the bundle of somebody else", ["BUNDLE-19"], "bundle/name-mismatch", (w) =>
    whole(w, bundleBy(w, createIdentity("m", osDraw))),
  ),
  lie(
    "dk swapped under the same identity key",
    ["BUNDLE-15"],
    "bundle/signature",
    (w, { bundle }, m) => whole(w, rewrite(bundle, 3, m.dk)),
  ),
  lie(
    "a prekey swapped under the same identity key",
    ["BUNDLE-15"],
    "bundle/signature",
    (w, { bundle }, m) => whole(w, rewrite(bundle, 8, [[1, m.dk, null]])),
  ),
  lie(
    "ONE_TIME_REQUIRED stripped",
    ["BUNDLE-15"],
    "bundle/signature",
    (w, { bundle }) => whole(w, rewrite(bundle, 7, 0)),
    { requireOneTime: true },
  ),
  lie("a lifetime made longer", ["BUNDLE-15"], "bundle/signature", (w, { bundle }) =>
    whole(w, rewrite(bundle, 6, w.seconds + 2_000_000)),
  ),
  lie("a bundle that expired long ago", ["BUNDLE-18"], "bundle/expired", (w, _found, m) =>
    whole(w, bundleBy(w, m, { now: w.seconds - 40 * 86_400 })),
  ),
  lie("a bundle of next week", ["BUNDLE-17"], "bundle/not-yet-valid", (w, _found, m) =>
    whole(w, bundleBy(w, m, { now: w.seconds + 7 * 86_400 })),
  ),
  lie("an unknown flag", ["BUNDLE-13"], "bundle/flags", (w, _found, m) =>
    whole(w, bundleBy(w, m, { flags: 2 })),
  ),
  lie(
    "an impostor's good bundle, for an address with a fingerprint",
    ["BUNDLE-20", "IDENTITY-8"],
    "identity/fingerprint",
    (w, _found, m) => whole(w, bundleBy(w, m)),
    { to: (address) => address },
  ),
  lie(
    "a one-time key of another identity key",
    ["BUNDLE-28"],
    "bundle/one-time",
    (w, _found, m) => ({
      oneTime: signedOf(createOneTimeKey(m, 1, w.seconds, osDraw).bytes),
    }),
  ),
  lie("a one-time key of another name", ["BUNDLE-28"], "bundle/one-time", (w) => ({
    oneTime: signedOf(createOneTimeKey(createIdentity("m", osDraw), 1, w.seconds, osDraw).bytes),
  })),
  lie(
    "a one-time key with its x swapped",
    ["BUNDLE-28"],
    "bundle/one-time",
    (_w, { oneTime }, m) => ({
      oneTime: rewrite(oneTime as Signed, 4, m.dk),
    }),
  ),
  lie("junk as a one-time key", ["BUNDLE-28"], "bundle/one-time", () => ({
    oneTime: [new Uint8Array(8), new Uint8Array(64)],
  })),
  lie(
    "the one-time key withheld where it is required",
    ["HANDSHAKE-5"],
    "handshake/one-time-required",
    () => ({
      oneTime: null,
    }),
    { requireOneTime: true },
  ),
  lie("a receipt signed by nobody", ["HUB-59"], "hub/malformed", (_w, { receipt }) => ({
    receipt: [receipt[0], new Uint8Array(64)],
  })),
  lie("a receipt of another hub", ["HUB-59"], "hub/malformed", (_w, { receipt }) => {
    const secret = osDraw("identity", 32)
    const items = [...(decode(receipt[0]) as readonly Value[])]
    items[1] = ed25519Public(secret)
    const body = encode(items)
    return { receipt: [body, sign(secret, body)] }
  }),
  lie("a receipt for another seq", ["HUB-59"], "hub/malformed", (w, { bundle }) => ({
    receipt: receiptFor(w, bundle, { seq: 1 }),
  })),
  lie("a receipt for another bundle", ["HUB-59"], "hub/malformed", (w, { bundle }) => ({
    receipt: receiptFor(w, bundle, { ref: new Uint8Array(32).fill(3) }),
  })),
  lie("a receipt for another name", ["HUB-59"], "hub/malformed", (w, { bundle }) => ({
    receipt: receiptFor(w, bundle, { name: "m" }),
  })),
  lie("a receipt of ten minutes ago", ["HUB-59"], "hub/malformed", (w, { bundle }) => ({
    receipt: receiptFor(w, bundle, { time: w.seconds - 600 }),
  })),
  pinned(
    "another identity key for a name that is pinned",
    ["BUNDLE-21", "IDENTITY-9", "HUB-60"],
    "identity/changed",
    (w) => bundleBy(w, createIdentity("b", osDraw)),
    async (w) => {
      await w.until(() => w.changed.includes("b"), "the change of identity is reported")
      await receipted(w)
      const { receipts } = await w.ok("agent.receipts", { agent: w.handle, name: "b" })
      const lie = unhex((receipts as readonly string[])[0] as string)
      const truth = receiptFor(w, bundleBy(w, createIdentity("b", osDraw)))
      const proof = compareReceipts(lie, encode(truth as Value), ed25519Public(w.hub.secret))
      same(proof, "hub-fault", "what the kept receipt proves together with another agent's")
    },
  ),
  pinned(
    "an older bundle than the one that is known",
    ["BUNDLE-22", "HUB-60"],
    "bundle/rollback",
    (w, b, seq) => bundleBy(w, b, { seq: seq - 1 }),
    receipted,
  ),
  pinned(
    "another bundle with the seq that is known",
    ["BUNDLE-23", "HUB-60"],
    "bundle/equivocation",
    (w, b, seq) => bundleBy(w, b, { seq }),
    receipted,
  ),
  {
    title: "one one-time key served for two handshakes: the second goes without it",
    req: ["BUNDLE-29"],
    async run(w) {
      const b = await w.peer("b")
      let first: Signed | null = null
      serve(w, "b", ({ oneTime }) => {
        first ??= oneTime
        return { oneTime: first }
      })
      await w.send("b", "the first message")
      await w.until(() => b.texts.length === 1, "b gets the first message")
      await w.ok("agent.forget", { agent: w.handle, name: "b" })
      await w.send("b", "the second message")
      await w.until(() => b.texts.length === 2, "b gets the second message")
      const refs = w.hub.sendsTo("b").map((frame) => {
        const [header] = decode(frame[4] as Uint8Array) as readonly [Uint8Array]
        const init = (decode(header) as readonly Value[])[6]
        return init === null ? "none" : ((init as readonly Value[])[2] as Uint8Array | null)
      })
      const used = refs
        .filter((ref) => ref instanceof Uint8Array)
        .map((ref) => hex(ref as Uint8Array))
      const inits = new Set(used).size
      check(inits === 1 && refs.includes(null), "the key serves the first handshake alone")
    },
  },
]
