// Vectors of SPEC §12 agent: two agents without a hub, and contents that only a forger makes.

import { toHex } from "../../src/bytes.ts"
import { encodeContent, encodeReceipts } from "../../src/envelope.ts"
import { fingerprint } from "../../src/identity.ts"
import type { Suite } from "../../src/suite.ts"
import type { JsonObject, Mutation } from "../driver.ts"
import { judgingCases } from "./agent-judging.ts"
import { keyCases } from "./agent-keys.ts"
import { type Add, bobAgent, body, Forger, item, pair, Script } from "./agent-script.ts"
import { stampCases } from "./agent-stamps.ts"
import { application, forge } from "./flight.ts"
import type { Book } from "./kit.ts"
import { NOW, Person, SEEDS } from "./people.ts"
import { array, bstr, map, NULL, tstr, uint } from "./raw.ts"

const MS = NOW * 1000

/** Adds the cases of `agent.new` and what follows. */
export function agentCases(book: Book): void {
  const add: Add = (n, code, req, title, steps, why) => {
    // Agents offer both suites unless they are told otherwise.
    const both = steps.some(({ op, args }) => {
      return op === "agent.new" && JSON.stringify(args["suites"]) !== "[1]"
    })
    book.steps(n, code, req, title, steps, {
      needs: ["deterministic", "role-agent", ...(both ? ["suite-2"] : [])],
      ...(why ? { why } : {}),
    })
  }
  conversations(add)
  trusting(add)
  addresses(add)
  replays(add)
  oneTimeKeys(add)
  contents(add)
  copies(add)
  clones(add)
  times(add)
  exports(add)
  keyCases(add)
  judgingCases(add)
  stampCases(add)
}

function conversations(add: Add): void {
  for (const suites of [[1], [1, 2]]) {
    const suite = suites.length
    const talk = pair(suites)
    talk.receive("b", talk.send("a", "bob", "hello"))
    talk.receive("a", talk.send("b", "alice", "hello back"))
    talk.receive("b", talk.send("a", "bob", "and again"))
    talk.receive("a", talk.send("b", "alice", "fine"))
    add(
      99 + suite,
      "ok",
      "AGENT-36 AGENT-37 AGENT-47 HANDSHAKE-7 SUITE-6",
      `a conversation without a hub, suite ${suite}`,
      talk.steps,
    )
  }
  const order = pair()
  const sent = ["zero", "one", "two"].map((text) => order.send("a", "bob", text))
  for (const i of [2, 0, 1]) order.receive("b", sent[i] as string)
  order.receive("a", order.send("b", "alice", "three receipts with this"))
  add(
    102,
    "ok",
    "AGENT-37 SESSION-15",
    "receipts of contents out of order travel in the next seal",
    order.steps,
  )

  let at = 190
  for (const [one, two] of [
    ["alice", "bob"],
    ["carol", "bob"],
    ["mallory", "bob"],
    ["alice", "carol"],
  ] as const) {
    for (const gap of [0, 60, 61]) {
      const extra = { suites: [1], trust: { accept: "any" } }
      const script = new Script().agent("a", one, extra).agent("b", two, extra)
      script.trust("a", "b")
      script.trust("b", "a")
      const [x, y] = [
        script.send("a", two, "from the first"),
        script.send("b", one, "from the second"),
      ]
      if (gap > 0) script.do("agent.clock", { agent: "$b", now: NOW + gap })
      script.receive("b", x)
      script.receive("a", y)
      script.receive("b", script.send("a", two, "on the confirmed one"))
      script.receive("a", script.send("b", one, "on the one that both choose"))
      const title = `${one} and ${two} found a session at once, ${gap} s apart at ${two}`
      add(at++, "ok", "SESSION-5 SESSION-6", title, script.steps)
    }
  }

  at = 230
  for (const [one, two] of [
    ["alice", "bob"],
    ["carol", "bob"],
    ["mallory", "bob"],
    ["alice", "carol"],
  ] as const) {
    const extra = { suites: [1], trust: { accept: "any" } }
    const script = new Script().agent("a", one, extra).agent("b", two, extra)
    script.trust("a", "b")
    script.receive("b", script.send("a", two, "on the first session"))
    script.do("agent.forget", { agent: "$a", name: two })
    script.trust("a", "b")
    script.receive("b", script.send("a", two, "on the second session"))
    script.receive("a", script.send("b", one, "on the second session too"))
    add(
      at++,
      "ok",
      "SESSION-5",
      `${one} founds two sessions with ${two}: no glare, the second counts`,
      script.steps,
    )
  }

  const reply = pair()
  reply.receive("b", reply.send("a", "bob", "question"))
  const question = reply.steps.length - 2
  const name = reply.steps[question]?.as
  reply.receive("a", reply.send("b", "alice", "answer", { re: `$${name}.id` }))
  add(104, "ok", "AGENT-12", "an answer names what it answers", reply.steps)

  const restart = pair()
  restart.receive("b", restart.send("a", "bob", "before"))
  restart.do("agent.snapshot", { agent: "$b" }, "s")
  restart.do(
    "agent.restore",
    {
      snapshot: "$s",
      name: "bob",
      seed: toHex(SEEDS.carol),
      now: NOW + 60,
      trust: { accept: "any" },
    },
    "b2",
  )
  restart.receive("b2", restart.send("a", "bob", "after"))
  restart.receive("a", restart.send("b2", "alice", "here again"))
  add(105, "ok", "AGENT-2 AGENT-5", "sessions survive a restart", restart.steps)
}

function trusting(add: Add): void {
  const policy = "it is the owner's choice"
  const state = (put: string): Mutation => ({ level: "context", field: "state", put })
  const unknown = new Script().agent("a", "alice").agent("b", "bob")
  unknown.trust("a", "b")
  const first = unknown.send("a", "bob", "hello")
  unknown.refuse(
    "agent.receive",
    "identity/untrusted",
    { agent: "$b", envelope: first },
    state("alice is not pinned yet"),
    unknown.next + 2,
  )
  unknown.trust("b", "a")
  unknown.receive("b", first)
  add(
    110,
    "identity/untrusted",
    "HANDSHAKE-29 AGENT-59",
    "without a hub first use pins nobody",
    unknown.steps,
    policy,
  )

  for (const [i, accept] of ["pinned", "verified"].entries()) {
    const script = new Script().agent("a", "alice").agent("b", "bob", { trust: { accept } })
    script.trust("a", "b")
    const envelope = script.send("a", "bob", "hello")
    if (accept === "verified") script.trust("b", "a")
    script.refuse(
      "agent.receive",
      "identity/untrusted",
      { agent: "$b", envelope },
      state(`alice is not ${accept} yet`),
      script.next + 2,
    )
    if (accept === "pinned") script.trust("b", "a")
    else
      script.do("agent.verify", {
        agent: "$b",
        address: `alice#${fingerprint(new Person("alice").own.ik)}`,
      })
    script.receive("b", envelope)
    add(
      111 + i,
      "identity/untrusted",
      "HANDSHAKE-29 AGENT-59 AGENT-61",
      `policy ${accept}, accepting`,
      script.steps,
      policy,
    )
  }
  const sending = new Script()
    .agent("a", "alice", { trust: { send: "verified" } })
    .agent("b", "bob")
  sending.trust("a", "b")
  const args = { agent: "$a", to: "bob", body: body("hello") }
  sending.refuse(
    "agent.send",
    "identity/untrusted",
    args,
    state("bob is not verified yet"),
    sending.next + 2,
  )
  sending.do("agent.verify", {
    agent: "$a",
    address: `bob#${fingerprint(new Person("bob").own.ik)}`,
  })
  sending.steps.push({ op: "agent.send", args })
  add(
    113,
    "identity/untrusted",
    "AGENT-19 AGENT-61",
    "policy verified, sending",
    sending.steps,
    policy,
  )

  const changed = new Script()
    .agent("a", "alice")
    .agent("b", "bob", { trust: { accept: "any" } })
    .agent("m", "mallory", { name: "alice" })
  changed.trust("a", "b")
  changed.trust("m", "b")
  const genuine = changed.receive("b", changed.send("a", "bob", "hello"))
  const forged = changed.send("m", "bob", "hello too")
  changed.refuse(
    "agent.receive",
    "identity/changed",
    { agent: "$b", envelope: forged },
    { level: "context", field: "envelope", put: forged },
    genuine,
  )
  add(
    114,
    "identity/changed",
    "HANDSHAKE-27 IDENTITY-9 AGENT-60",
    "an init of another key for a pinned name",
    changed.steps,
    "a silent change is the classic attack",
  )

  const bundle = new Script()
    .agent("a", "alice")
    .agent("b", "bob")
    .agent("m", "mallory", { name: "bob" })
  const good = bundle.trust("a", "b")
  bundle.refuse(
    "agent.trust",
    "identity/changed",
    { agent: "$a", bundle: "$m.bundle" },
    { level: "context", field: "bundle", put: "$m.bundle" },
    good,
  )
  add(
    115,
    "identity/changed",
    "IDENTITY-9 BUNDLE-21",
    "a bundle of another key for a pinned name",
    bundle.steps,
    "a silent change is the classic attack",
  )

  const again = new Script()
    .agent("a", "alice")
    .agent("b", "bob")
    .agent("m", "mallory", { name: "bob" })
  again.trust("a", "b")
  again.send("a", "bob", "to the first")
  again.do("agent.forget", { agent: "$a", name: "bob" })
  again.trust("a", "m")
  again.send("a", "bob", "to the second")
  add(
    116,
    "ok",
    "IDENTITY-12 IDENTITY-14 AGENT-62",
    "after forgetting, another key is accepted for the name",
    again.steps,
  )

  const claim = pair()
  const envelope = claim.send("a", "bob", "hello")
  claim.refuse(
    "agent.receive",
    "identity/untrusted",
    { agent: "$b", envelope, from: "mallory" },
    { level: "context", field: "from", put: "mallory" },
    claim.next + 1,
  )
  claim.receive("b", envelope, {}, { from: "alice" })
  add(
    117,
    "identity/untrusted",
    "HANDSHAKE-26 HUB-57",
    "an init under the from-name of another agent",
    claim.steps,
    "an honest hub authenticates that name",
  )

  const old = pair([1, 2], { accept: "any", maxAge: 60 })
  const [late, fresh] = [old.send("a", "bob", "late"), old.send("a", "bob", "late too")]
  old.do("agent.clock", { agent: "$b", now: NOW + 60 })
  old.receive("b", fresh)
  old.do("agent.clock", { agent: "$b", now: NOW + 61 })
  old.refuse(
    "agent.receive",
    "identity/untrusted",
    { agent: "$b", envelope: late },
    { level: "context", field: "envelope", put: late },
    old.next - 2,
    "committed",
  )
  add(
    118,
    "identity/untrusted",
    "AGENT-52",
    "a content older than maxAge: the session goes on",
    old.steps,
    "an old order is not to be carried out",
  )
}

function addresses(add: Add): void {
  const print = fingerprint(new Person("bob").own.ik)
  const other = fingerprint(new Person("mallory").own.ik)
  const verified = new Script().agent("a", "alice").agent("b", "bob")
  verified.trust("a", "b", { fingerprint: print })
  verified.send("a", `bob#${print}`, "hello")
  add(120, "ok", "IDENTITY-10 AGENT-61", "an address with fingerprint verifies", verified.steps)

  const policy = new Script().agent("a", "alice", { trust: { send: "verified" } }).agent("b", "bob")
  policy.trust("a", "b")
  policy.send("a", `bob#${print}`, "hello")
  add(
    119,
    "ok",
    "AGENT-61",
    "policy verified, sending to an address with the fingerprint",
    policy.steps,
  )

  const meant = "the address says which key is meant"
  const connect = new Script().agent("a", "alice").agent("b", "bob")
  connect.refuse(
    "agent.trust",
    "identity/fingerprint",
    { agent: "$a", bundle: "$b.bundle", fingerprint: other },
    { level: "context", field: "fingerprint", put: other },
    connect.next + 1,
  )
  connect.trust("a", "b", { fingerprint: print })
  add(
    121,
    "identity/fingerprint",
    "IDENTITY-8 BUNDLE-20",
    "a bundle of another fingerprint",
    connect.steps,
    meant,
  )

  const to = (
    n: number,
    code: string,
    req: string,
    address: string,
    title: string,
    why: string,
  ) => {
    const script = pair()
    const args = (name: string): JsonObject => ({ agent: "$a", to: name, body: body("hello") })
    // The accepted call comes first: whether a refused one has drawn an id is nobody's business.
    const twin = script.do("agent.send", args("bob"))
    const mutation = { level: "context", field: "to", put: address } as const
    script.refuse("agent.send", code, args(address), mutation, twin)
    add(n, code, req, title, script.steps, why)
  }
  to(
    122,
    "identity/fingerprint",
    "IDENTITY-8",
    `bob#${other}`,
    "sending to a name with another fingerprint",
    meant,
  )
  to(
    123,
    "identity/fingerprint",
    "IDENTITY-7",
    `bob#${print.toUpperCase()}`,
    "a fingerprint in upper case",
    "a fingerprint is read in one form",
  )
  to(
    124,
    "identity/name",
    "IDENTITY-6",
    "Bob",
    "sending to a name of the wrong form",
    "names are compared byte by byte",
  )
  to(
    125,
    "agent/no-hub",
    "AGENT-36",
    "carol",
    "sending to a name without a bundle",
    "there is nobody to seal for",
  )

  const payload = pair()
  const bad = map([tstr("n"), "fb7ff8000000000000"])
  payload.refuse(
    "agent.send",
    "agent/payload",
    { agent: "$a", to: "bob", body: bad },
    { level: "context", field: "body", put: bad },
    payload.next + 1,
  )
  payload.do("agent.send", { agent: "$a", to: "bob", body: body("hello") })
  add(
    126,
    "agent/payload",
    "ENCODING-9 AGENT-7",
    "a payload outside the profile",
    payload.steps,
    "nothing outside the profile is sealed",
  )

  const size = pair()
  const filler = (length: number): string => map([tstr("t"), tstr("x".repeat(length))])
  const large = { agent: "$a", to: "bob", body: filler(999_945) }
  size.refuse(
    "agent.send",
    "agent/payload",
    { ...large, body: filler(999_990) },
    { level: "context", field: "body", put: filler(999_990) },
    size.next + 1,
  )
  size.steps.push({ op: "agent.send", args: large, output: {} })
  add(
    129,
    "agent/payload",
    "ENVELOPE-3 ENVELOPE-4",
    "a content of more than 1,000,000 bytes",
    size.steps,
    "no envelope would take it",
  )

  const self = new Script().agent("a", "alice").agent("b", "bob")
  self.refuse(
    "agent.trust",
    "handshake/self",
    { agent: "$a", bundle: "$a.bundle" },
    { level: "context", field: "bundle", put: "$a.bundle" },
    self.next + 1,
  )
  self.trust("a", "b")
  add(
    127,
    "handshake/self",
    "HANDSHAKE-1",
    "its own bundle",
    self.steps,
    "a reflected session would authenticate nobody",
  )

  const required = new Script()
    .agent("a", "alice")
    .agent("b", "bob")
    .agent("c", "carol", { requireOneTime: true })
  required.trust("a", "b")
  required.trust("a", "c")
  const flagged = (to: string): JsonObject => ({ agent: "$a", to, body: body("hello") })
  const flag = { level: "context", field: "to", put: "carol" } as const
  const unflagged = required.do("agent.send", flagged("bob"))
  required.refuse("agent.send", "handshake/one-time-required", flagged("carol"), flag, unflagged)
  add(
    128,
    "handshake/one-time-required",
    "HANDSHAKE-5",
    "a bundle that asks for one-time keys, without a hub",
    required.steps,
    "the owner would refuse",
  )
}

function bundleOf(who: Person, options: Parameters<Person["bundle"]>[0]): string {
  return toHex(who.bundle(options).bytes)
}

function replays(add: Add): void {
  const state = (put: string): Mutation => ({ level: "context", field: "state", put })
  const once = "each init is accepted once"
  const erased = pair()
  const envelope = erased.send("a", "bob", "hello")
  const at = erased.receive("b", envelope)
  erased.do("agent.forget", { agent: "$b", name: "alice" })
  erased.refuse(
    "agent.receive",
    "handshake/replay",
    { agent: "$b", envelope },
    state("its session was erased"),
    at,
  )
  add(
    130,
    "handshake/replay",
    "HANDSHAKE-19 HANDSHAKE-35 IDENTITY-14",
    "an init again after its session was erased",
    erased.steps,
    once,
  )

  const restart = pair()
  const sent = restart.send("a", "bob", "hello")
  const before = restart.receive("b", sent)
  restart.do("agent.forget", { agent: "$b", name: "alice" })
  restart.do("agent.snapshot", { agent: "$b" }, "s")
  const reopened = {
    snapshot: "$s",
    name: "bob",
    seed: toHex(SEEDS.carol),
    now: NOW,
    trust: { accept: "any" },
  }
  restart.do("agent.restore", reopened, "b2")
  restart.refuse(
    "agent.receive",
    "handshake/replay",
    { agent: "$b2", envelope: sent },
    { level: "context", field: "agent", put: "$b2" },
    before,
  )
  add(131, "handshake/replay", "HANDSHAKE-35", "the same after a restart", restart.steps, once)

  const twice = pair()
  const m = twice.send("a", "bob", "hello")
  const first = twice.receive("b", m)
  twice.refuse(
    "agent.receive",
    "session/replay",
    { agent: "$b", envelope: m },
    state("after the same envelope"),
    first,
  )
  add(
    132,
    "session/replay",
    "HANDSHAKE-18 SESSION-9",
    "an init again while its session lives",
    twice.steps,
    once,
  )

  const second = pair()
  const [one, two] = [second.send("a", "bob", "one"), second.send("a", "bob", "two")]
  second.receive("b", two)
  second.receive("b", one)
  add(
    133,
    "ok",
    "HANDSHAKE-18",
    "two envelopes of the first flight, the second first",
    second.steps,
  )

  const restored = pair()
  const early = restored.send("a", "bob", "to the old state")
  const accepted = restored.receive("b", early)
  restored.do("agent.export", { agent: "$b", key: "6b".repeat(32) }, "x")
  restored.do(
    "agent.new",
    {
      name: "bob",
      seed: toHex(SEEDS.carol),
      now: NOW,
      file: "$x.bytes",
      key: "6b".repeat(32),
      trust: { accept: "any" },
    },
    "b2",
  )
  restored.refuse(
    "agent.receive",
    "handshake/unknown-prekey",
    { agent: "$b2", envelope: early },
    { level: "context", field: "agent", put: "$b2" },
    accepted,
  )
  add(
    134,
    "handshake/unknown-prekey",
    "HANDSHAKE-21 AGENT-38",
    "an old init at an agent restored from an export",
    restored.steps,
    "an export opens no traffic",
  )

  const gone = pair()
  gone.receive("b", gone.send("a", "bob", "one"))
  gone.receive("a", gone.send("b", "alice", "two"))
  const third = gone.send("a", "bob", "three")
  const opened = gone.receive("b", third)
  gone.do("agent.export", { agent: "$b", key: "6b".repeat(32) }, "x")
  gone.do(
    "agent.new",
    {
      name: "bob",
      seed: toHex(SEEDS.carol),
      now: NOW,
      file: "$x.bytes",
      key: "6b".repeat(32),
      trust: { accept: "any" },
    },
    "b2",
  )
  gone.refuse(
    "agent.receive",
    "session/unknown",
    { agent: "$b2", envelope: third },
    { level: "context", field: "agent", put: "$b2" },
    opened,
  )
  add(
    135,
    "session/unknown",
    "SESSION-7 AGENT-38",
    "an envelope of a session that was not exported",
    gone.steps,
    "an export opens no traffic",
  )

  const suites = new Script().agent("a", "alice").agent("b", "bob")
  const both = suites.trust("a", "b")
  suites.send("a", "bob", "in suite 2")
  const single = bundleOf(new Person("bob"), { suites: [1], seq: NOW + 1 })
  suites.refuse(
    "agent.trust",
    "suite/downgrade",
    { agent: "$a", bundle: single },
    { level: "context", field: "bundle", put: single },
    both,
  )
  add(
    136,
    "suite/downgrade",
    "HANDSHAKE-3 HANDSHAKE-11",
    "only suite 1 after suite 2 was used",
    suites.steps,
    "an older bundle may have been served to weaken the session",
  )

  const stale = (n: number, code: string, req: string, title: string, seq: number) => {
    const script = new Script().agent("a", "alice").agent("b", "bob")
    const twin = script.trust("a", "b")
    const put = bundleOf(new Person("bob"), { seq, flags: 0, now: NOW - 5 })
    script.refuse(
      "agent.trust",
      code,
      { agent: "$a", bundle: put },
      { level: "context", field: "bundle", put },
      twin,
    )
    add(n, code, req, title, script.steps, "it would bring old prekeys back")
  }
  stale(
    137,
    "bundle/rollback",
    "BUNDLE-22 BUNDLE-24",
    "a bundle with a lower seq than the pinned one",
    NOW - 1,
  )
  stale(138, "bundle/equivocation", "BUNDLE-23", "another bundle with the pinned seq", NOW)

  const five = pair()
  const first5 = five.send("a", "bob", "on the first session")
  const taken = five.receive("b", first5)
  for (let i = 0; i < 4; i++) {
    five.do("agent.forget", { agent: "$a", name: "bob" })
    five.trust("a", "b")
    five.receive("b", five.send("a", "bob", `on session ${i + 2}`))
  }
  five.refuse(
    "agent.receive",
    "handshake/replay",
    { agent: "$b", envelope: first5 },
    state("five sessions later"),
    taken,
  )
  add(
    139,
    "handshake/replay",
    "HANDSHAKE-39 KEYSCHEDULE-1",
    "a fifth session is not refused, it puts the oldest one out",
    five.steps,
    once,
  )
}

/** A one-time key serves for one handshake, and for no forged one. */
function oneTimeKeys(add: Add): void {
  const state = (put: string): Mutation => ({ level: "context", field: "state", put })
  const held = (suite: Suite, extra: JsonObject = {}): Script => {
    const script = new Script().agent("b", "bob", { trust: { accept: "any" }, ...extra })
    script.do("agent.oneTime", { agent: "$b", suite })
    return script
  }
  for (const suite of [1, 2] as const) {
    const base = 200 + 10 * suite
    const again = held(suite)
    const first = new Forger(suite, true)
    const envelope = first.seal(application("hello"))
    const taken = again.receive("b", envelope)
    again.do("agent.forget", { agent: "$b", name: "alice" })
    again.refuse(
      "agent.receive",
      "handshake/unknown-prekey",
      { agent: "$b", envelope },
      state("its session was erased"),
      taken,
    )
    add(
      base,
      "handshake/unknown-prekey",
      "HANDSHAKE-25 HANDSHAKE-34",
      `an init on a used one-time key, suite ${suite}`,
      again.steps,
      "a one-time key serves once",
    )

    const second = held(suite)
    const twin = second.receive("b", envelope)
    const other = new Forger(suite, true, { again: true }).seal(application("hello again"))
    second.refuse(
      "agent.receive",
      "handshake/unknown-prekey",
      { agent: "$b", envelope: other },
      { level: "field", field: "envelope", put: "another init on the same one-time key" },
      twin,
    )
    add(
      base + 1,
      "handshake/unknown-prekey",
      "HANDSHAKE-25 HANDSHAKE-34",
      `a second init on one one-time key, suite ${suite}`,
      second.steps,
      "a one-time key serves once",
    )

    const kept = held(suite)
    const { flight } = new Forger(suite, true)
    const parts = flight.parts([application("hello")])
    const forged = forge(parts, { ikSecret: flight.mallory.own.ikSecret })
    kept.refuse(
      "agent.receive",
      "envelope/open",
      { agent: "$b", envelope: forged },
      { level: "field", field: "envelope", put: "signature by another key", follows: [[1]] },
      kept.next + 1,
    )
    kept.receive("b", forge(parts))
    add(
      base + 2,
      "envelope/open",
      "HANDSHAKE-34 SESSION-19",
      `a forged init leaves the one-time key, suite ${suite}`,
      kept.steps,
      "junk costs nothing",
    )
  }
  const flags = 1
  const required = held(1, { requireOneTime: true })
  const bare = new Forger(1, false, { flags, bare: true }).seal(application("no key"))
  required.refuse(
    "agent.receive",
    "handshake/one-time-required",
    { agent: "$b", envelope: bare },
    { level: "field", field: "envelope", put: "an init without a one-time key" },
    required.next + 1,
  )
  required.receive("b", new Forger(1, true, { flags }).seal(application("with one")))
  add(
    205,
    "handshake/one-time-required",
    "HANDSHAKE-24",
    "an agent that asks for one-time keys",
    required.steps,
    "the owner asked for it",
  )
}

function contents(add: Add): void {
  const refused = (
    n: number,
    code: string,
    req: string,
    title: string,
    bad: string,
    good: string,
    why: string,
  ) => {
    const forger = new Forger()
    const script = bobAgent()
    const envelope = forger.seal(bad)
    const genuine = forger.seal(good)
    script.refuse(
      "agent.receive",
      code,
      { agent: "$b", envelope },
      { level: "field", field: "envelope", put: title },
      script.next + 1,
      "committed",
    )
    script.receive("b", genuine)
    script.send("b", "alice", "with receipts for both")
    add(n, code, req, title, script.steps, why)
  }
  const form = "each content is judged alone, the session goes on"
  const id = (i: number): Readonly<Record<number, string>> => ({
    1: bstr(i.toString(16).padStart(2, "0").repeat(16)),
  })
  refused(
    140,
    "envelope/content",
    "ENVELOPE-16 AGENT-48 ENVELOPE-14",
    "a content of an unknown kind",
    item({ 0: uint(3) }),
    item(),
    form,
  )
  refused(
    141,
    "envelope/content",
    "ENVELOPE-15 AGENT-48",
    "a content that is no CBOR",
    "ff",
    item(),
    form,
  )
  refused(
    142,
    "envelope/content",
    "ENVELOPE-15 AGENT-48",
    "a content of five items",
    array(uint(0), bstr("1d".repeat(16)), uint(MS), NULL, uint(0)),
    item(),
    form,
  )
  refused(
    143,
    "agent/payload",
    "AGENT-53 ENVELOPE-17",
    "a body that is no payload",
    item({ 5: bstr("80") }),
    item(),
    form,
  )
  refused(
    144,
    "agent/payload",
    "AGENT-53",
    "a body with keys not sorted",
    item({ 5: bstr(map([tstr("b"), uint(1)], [tstr("a"), uint(1)])) }),
    item(),
    form,
  )
  refused(
    145,
    "envelope/content",
    "AGENT-51",
    "a content signed more than a day ahead",
    item({ 2: uint(MS + 86_400_001) }),
    item({ ...id(2), 2: uint(MS + 86_400_000) }),
    "a clock that far ahead would close the door behind it",
  )

  const mixed = new Forger()
  const some = bobAgent()
  some.receive(
    "b",
    mixed.seal(
      item(id(1)),
      item({ 0: uint(9) }),
      item(id(2)),
      item({ ...id(3), 5: bstr("80") }),
      item(id(4)),
    ),
  )
  some.send("b", "alice", "with five receipts")
  add(
    146,
    "ok",
    "AGENT-48 AGENT-53 AGENT-54",
    "two bad contents among five: the others are delivered",
    some.steps,
  )

  const heal = new Forger()
  const quiet = bobAgent()
  quiet.receive("b", heal.seal(item({ 0: uint(1), 5: bstr("") })))
  quiet.send("b", "alice", "no receipt goes with this")
  add(
    147,
    "ok",
    "AGENT-49 ENVELOPE-18",
    "a heal delivers nothing and is not receipted",
    quiet.steps,
  )

  const told = new Forger()
  const receipts = bobAgent()
  const foreign = encodeReceipts([{ id: new Uint8Array(16).fill(7), status: 1 }])
  receipts.receive(
    "b",
    told.seal(
      encodeContent({
        kind: 2,
        id: new Uint8Array(16).fill(8),
        sentMs: MS,
        re: null,
        ask: 0,
        body: foreign,
      }),
    ),
  )
  add(
    148,
    "ok",
    "AGENT-49",
    "a receipt for a content that was never sent changes nothing",
    receipts.steps,
  )

  const many = new Forger()
  const all = bobAgent()
  all.receive("b", many.seal(...Array.from({ length: 64 }, (_, i) => item(id(i + 1)))))
  all.send("b", "alice", "with 64 receipts")
  add(149, "ok", "ENVELOPE-5 AGENT-54", "64 contents, delivered in order", all.steps)
}

function copies(add: Add): void {
  const once = new Forger()
  const script = bobAgent()
  const content = application("once")
  script.receive("b", once.seal(content))
  script.receive("b", once.seal(content))
  script.send("b", "alice", "with what is due")
  add(150, "ok", "AGENT-50", "one content twice on one session is dispatched once", script.steps)

  const both = new Forger()
  const inside = bobAgent()
  inside.receive("b", both.seal(content, content))
  inside.receive("b", both.seal(content, item(), content))
  inside.send("b", "alice", "with three receipts")
  const title = "one content twice in an envelope is dispatched once, and receipted once"
  add(151, "ok", "AGENT-29 AGENT-50", title, inside.steps)

  const across = bobAgent()
  const [first, second] = [new Forger(1), new Forger(2)]
  across.receive("b", first.seal(content))
  across.receive("b", second.seal(content))
  across.send("b", "alice", "with what is due")
  add(
    152,
    "ok",
    "AGENT-50 AGENT-21",
    "one content on two sessions is dispatched once",
    across.steps,
  )

  const known = new Forger()
  const spoiled = bobAgent()
  spoiled.receive("b", known.seal(item()))
  spoiled.refuse(
    "agent.receive",
    "envelope/content",
    { agent: "$b", envelope: known.seal(item({ 5: NULL })) },
    { level: "field", field: "envelope", put: "the same id, body null" },
    spoiled.next - 1,
    "committed",
  )
  spoiled.send("b", "alice", "with the last status of the id")
  add(
    154,
    "envelope/content",
    "AGENT-48",
    "a content of wrong shape under a known id",
    spoiled.steps,
    "a delivered content stays delivered",
  )

  const floor = pair([1])
  floor.agent("c", "carol", { suites: [1] })
  floor.trust("b", "c")
  const begun = floor.receive("b", floor.send("a", "bob", "hello"))
  floor.receive("a", floor.send("b", "alice", "hello back"))
  const equal = floor.send("a", "bob", "of the same second")
  floor.do("agent.clock", { agent: "$a", now: NOW + 1 })
  const above = floor.send("a", "bob", "a second later")
  for (const day of [6, 12, 18, 23]) {
    floor.do("agent.clock", { agent: "$b", now: NOW + day * 86_400 })
    floor.send("b", "carol", `day ${day}`)
  }
  floor.refuse(
    "agent.receive",
    "envelope/content",
    { agent: "$b", envelope: equal },
    { level: "context", field: "envelope", put: equal },
    begun,
    "committed",
  )
  floor.receive("b", above)
  add(
    155,
    "envelope/content",
    "AGENT-51 AGENT-55 AGENT-56",
    "a content not above the floor, once its neighbour's id was dropped",
    floor.steps,
    "it may have been dispatched before",
  )

  const fixed = new Forger()
  const late = bobAgent()
  late.refuse(
    "agent.receive",
    "agent/payload",
    { agent: "$b", envelope: fixed.seal(item({ 5: bstr("80") })) },
    { level: "field", field: "envelope", put: "the same id with a body that is no payload" },
    late.next + 1,
    "committed",
  )
  late.receive("b", fixed.seal(item()))
  late.send("b", "alice", "with what is due")
  add(
    153,
    "agent/payload",
    "AGENT-53 AGENT-54",
    "what was refused is not remembered: a copy is judged anew",
    late.steps,
    "only what was committed is known",
  )
}

function clones(add: Add): void {
  const clone = pair()
  clone.receive("b", clone.send("a", "bob", "one"))
  clone.do("agent.snapshot", { agent: "$a" }, "s")
  clone.do(
    "agent.restore",
    { snapshot: "$s", name: "alice", seed: toHex(SEEDS.carol), now: NOW },
    "a2",
  )
  const [original, copy] = [
    clone.send("a", "bob", "from the original"),
    clone.send("a2", "bob", "from the clone"),
  ]
  const at = clone.receive("b", original)
  clone.refuse(
    "agent.receive",
    "session/replay",
    { agent: "$b", envelope: copy },
    { level: "context", field: "envelope", put: copy },
    at,
  )
  add(
    160,
    "session/replay",
    "KEYSCHEDULE-6 SESSION-9",
    "the clone's envelope of the same number",
    clone.steps,
    "a key opens one envelope",
  )

  const damaged = pair()
  const genuine = damaged.send("a", "bob", "hello")
  damaged.refuse(
    "agent.receive",
    "envelope/open",
    { agent: "$b", envelope: genuine },
    { level: "bytes", field: "envelope", at: -1, xor: "01" },
    damaged.next + 1,
  )
  damaged.receive("b", genuine)
  add(
    161,
    "envelope/open",
    "AGENT-41 SESSION-19",
    "a damaged first envelope, then the genuine one",
    damaged.steps,
    "junk costs nothing",
  )

  const reflected = pair()
  const own = reflected.send("a", "bob", "hello")
  reflected.refuse(
    "agent.receive",
    "handshake/self",
    { agent: "$a", envelope: own },
    { level: "context", field: "agent", put: "$a" },
    reflected.next + 1,
  )
  reflected.receive("b", own)
  add(
    162,
    "handshake/self",
    "HANDSHAKE-16",
    "its own first envelope",
    reflected.steps,
    "a reflected session would authenticate nobody",
  )

  const passed = pair()
  passed.agent("c", "carol", { trust: { accept: "any" } })
  const forBob = passed.send("a", "bob", "for bob")
  passed.refuse(
    "agent.receive",
    "envelope/open",
    { agent: "$c", envelope: forBob },
    { level: "context", field: "agent", put: "$c" },
    passed.next + 1,
  )
  passed.receive("b", forBob)
  add(
    163,
    "envelope/open",
    "HANDSHAKE-17",
    "an envelope for another agent",
    passed.steps,
    "the init was made for somebody else",
  )
}

/** Time passes for an agent: `kept` follows in steps, at commits. */
function wait(script: Script, agent: string, seconds: number): void {
  for (const day of [6, 12, 18, 24, 29].filter((one) => one * 86_400 < seconds)) {
    script.do("agent.clock", { agent: `$${agent}`, now: NOW + day * 86_400 })
    script.send(agent, "carol", `day ${day}`)
  }
  script.do("agent.clock", { agent: `$${agent}`, now: NOW + seconds })
  const address = `carol#${fingerprint(new Person("carol").own.ik)}`
  script.do("agent.verify", { agent: `$${agent}`, address })
}

function times(add: Add): void {
  const idle = (seconds: number): { script: Script; late: string; first: number } => {
    const script = pair()
    script.agent("c", "carol", { now: NOW })
    script.trust("b", "c")
    const first = script.receive("b", script.send("a", "bob", "hello"))
    script.receive("a", script.send("b", "alice", "hello back"))
    // One second later: behind the floor that the first content leaves, it could not be accepted.
    script.do("agent.clock", { agent: "$a", now: NOW + 1 })
    const late = script.send("a", "bob", "a month on the way")
    wait(script, "b", seconds)
    return { script, late, first }
  }
  const alive = idle(30 * 86_400 - 1)
  alive.script.receive("b", alive.late)
  add(180, "ok", "SESSION-22", "a second less than 30 days without a receive", alive.script.steps)
  const dead = idle(30 * 86_400)
  dead.script.refuse(
    "agent.receive",
    "session/unknown",
    { agent: "$b", envelope: dead.late },
    { level: "context", field: "envelope", put: dead.late },
    dead.first,
  )
  add(
    181,
    "session/unknown",
    "SESSION-22",
    "30 days without a receive",
    dead.script.steps,
    "an idle session is erased",
  )

  const jump = pair()
  jump.receive("b", jump.send("a", "bob", "hello"))
  jump.receive("a", jump.send("b", "alice", "hello back"))
  const sent = jump.send("a", "bob", "while the clock is wrong")
  jump.do("agent.clock", { agent: "$b", now: NOW + 3650 * 86_400 })
  jump.receive("b", sent)
  jump.do("agent.clock", { agent: "$b", now: NOW + 60 })
  jump.receive("a", jump.send("b", "alice", "nothing was lost"))
  add(
    182,
    "ok",
    "SESSION-22 AGENT-1",
    "one clock reading ten years ahead erases nothing",
    jump.steps,
  )

  const jumped = (n: number, code: string, seconds: number, title: string) => {
    const script = pair()
    script.agent("c", "carol")
    script.trust("b", "c")
    const first = script.receive("b", script.send("a", "bob", "hello"))
    script.receive("a", script.send("b", "alice", "hello back"))
    script.do("agent.clock", { agent: "$a", now: NOW + 1 })
    const late = script.send("a", "bob", "after a month")
    const address = `carol#${fingerprint(new Person("carol").own.ik)}`
    for (const now of [NOW + 31 * 86_400, NOW + 31 * 86_400 + seconds]) {
      script.do("agent.clock", { agent: "$b", now })
      script.do("agent.verify", { agent: "$b", address })
    }
    if (code === "ok") script.receive("b", late)
    else
      script.refuse(
        "agent.receive",
        code,
        { agent: "$b", envelope: late },
        { level: "context", field: "envelope", put: late },
        first,
      )
    add(
      n,
      code,
      "SESSION-22",
      title,
      script.steps,
      code === "ok" ? undefined : "an idle session is erased",
    )
  }
  jumped(183, "ok", 86_399, "a clock 31 days ahead is not followed for 24 hours")
  jumped(184, "session/unknown", 86_400, "a clock 31 days ahead for 24 hours is followed")

  const away = pair([1])
  away.receive("b", away.send("a", "bob", "hello"))
  away.receive("a", away.send("b", "alice", "hello back"))
  for (const agent of ["$a", "$b"]) away.do("agent.clock", { agent, now: NOW + 22 * 86_400 })
  away.receive("b", away.send("a", "bob", "back after 22 days"))
  const title = "after 22 days away a new session, though kept stays behind"
  add(281, "ok", "SESSION-5", title, away.steps)

  const slow = new Forger()
  const due = bobAgent()
  const ids = (from: number): readonly string[] =>
    Array.from({ length: 64 }, (_, i) =>
      item({ 1: bstr((from + i).toString(16).padStart(32, "0")) }),
    )
  for (let from = 1; from <= 257; from += 64) due.receive("b", slow.seal(...ids(from)))
  due.send("b", "alice", "with 256 receipts")
  due.send("b", "alice", "with the other 64")
  add(282, "ok", "AGENT-37 AGENT-29", "320 due receipts leave in two envelopes", due.steps)
}

function exports(add: Add): void {
  const key = "6b".repeat(32)
  const script = new Script().agent("a", "alice").agent("b", "bob")
  script.trust("a", "b")
  script.do("agent.export", { agent: "$a", key }, "x")
  script.do("agent.import", { bytes: "$x.bytes", key })
  script.do(
    "agent.new",
    { name: "alice", seed: toHex(SEEDS.carol), now: NOW + 60, file: "$x.bytes", key },
    "a2",
  )
  script.trust("a2", "b")
  script.send("a2", "bob", "hello")
  add(
    170,
    "ok",
    "AGENT-38 AGENT-64 SUITE-6",
    "export and import: identity and pins, nothing else",
    script.steps,
  )

  const wrong = new Script().agent("a", "alice")
  wrong.do("agent.export", { agent: "$a", key }, "x")
  const into = { name: "alice", seed: toHex(SEEDS.carol), now: NOW, file: "$x.bytes" }
  const other = "6c".repeat(32)
  wrong.steps.push({
    op: "agent.new",
    args: { ...into, key: other },
    expect: "agent/store-corrupt",
    mutation: { level: "context", field: "key", put: other },
    twin: 3,
    state: "unchanged",
  })
  wrong.do("agent.new", { ...into, key }, "a2")
  add(
    171,
    "agent/store-corrupt",
    "AGENT-63",
    "an import with another key",
    wrong.steps,
    "a wrong passphrase and a damaged file look alike",
  )
}
