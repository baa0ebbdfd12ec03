// Reference driver, tier 3: agents at a hub over TCP (DRIVER.md).

import { readEvidence } from "../../../src/agent/evidence.ts"
import type { Network } from "../../../src/agent/network.ts"
import { type AgentEvents, Emitter } from "../../../src/agent/options.ts"
import type { Delivery } from "../../../src/agent/tracker.ts"
import { encodePayload } from "../../../src/encoding.ts"
import { NetworkHub } from "../../../src/node/network-hub.ts"
import type { Json } from "../../driver.ts"
import { bytesArg, hex, numberArg, type Ops, textArg } from "./args.ts"
import { type DrivenAgent, payloadOf } from "./driven-agent.ts"

const LISTS = [
  "messages",
  "receipts",
  "undelivered",
  "refused",
  "problems",
  "changed",
  "lost",
] as const

/** What has happened to an agent and was not told yet. */
class Diary {
  #entries: [(typeof LISTS)[number], Json][] = []
  #wake: () => void = () => undefined
  /** Messages that wait for their handler: the next poll that has them handled. */
  #waiting: { readonly entry: Json; readonly handled: () => void }[] = []

  /** A message reached its handler; resolves when a poll tells it. */
  handle(entry: Json): Promise<void> {
    return new Promise((handled) => {
      this.#waiting.push({ entry, handled })
      if (this.handles) this.#wake()
    })
  }

  /** Forgets what waits: its process has ended, its store has not. */
  forget(): void {
    this.#waiting = []
  }

  /** Whether the poll that waits has messages handled. */
  handles = true

  add(list: (typeof LISTS)[number], entry: Json): void {
    this.#entries.push([list, entry])
    this.#wake()
  }

  /** Waits until there is something to tell, or for so many milliseconds. */
  async wait(ms: number): Promise<void> {
    if (this.#entries.length > 0 || (this.handles && this.#waiting.length > 0)) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  tell(): Record<string, Json> {
    for (const { entry, handled } of this.handles ? this.#waiting.splice(0) : []) {
      this.#entries.push(["messages", entry])
      handled()
    }
    const entries = this.#entries
    this.#entries = []
    const of = (list: string): Json => entries.filter(([name]) => name === list).map(([, it]) => it)
    return Object.fromEntries(LISTS.map((list) => [list, of(list)]))
  }
}

const diaries = new WeakMap<DrivenAgent, Diary>()

function diaryOf(agent: DrivenAgent): Diary {
  const diary = diaries.get(agent) ?? new Diary()
  diaries.set(agent, diary)
  return diary
}

/** Writes down what the agent reports. */
function listen(emitter: Emitter, diary: Diary): void {
  const on = <K extends keyof AgentEvents>(
    kind: K,
    take: (event: AgentEvents[K]) => void,
  ): void => {
    emitter.on(kind, take)
  }
  on("receipt", ({ id, to, state }) => diary.add("receipts", { id, to, state }))
  on("undelivered", ({ id, to }) => diary.add("undelivered", { id, to }))
  on("rejected", ({ error }) => diary.add("refused", error.code))
  on("problem", ({ error }) => diary.add("problems", error.code))
  on("identity-changed", ({ name }) => diary.add("changed", name))
  on("disconnected", ({ error }) => diary.add("lost", error.code))
}

/** Hands messages to the diary; whoever polls it has handled them. */
function handle(agent: DrivenAgent, diary: Diary): void {
  const { core, inbox } = agent.parts
  inbox.addHandler(({ id, sender, fingerprint, payload, re }) => {
    const pin = core.pin(sender)
    const trust = pin ? core.view(pin).trust : "unknown"
    const body = hex(encodePayload(payload))
    return diary.handle({ id, from: sender, fingerprint, trust, body, re })
  })
}

export const liveOps: Ops = {
  async "agent.connect"(args, handles) {
    const agent = handles.get<DrivenAgent>(args, "agent")
    const print = args["hubFingerprint"]
    const hub = new NetworkHub({
      ...{ host: textArg(args, "host"), port: numberArg(args, "port") },
      ...(print === undefined ? {} : { fingerprint: textArg(args, "hubFingerprint") }),
    })
    agent.clock.run()
    const diary = diaryOf(agent)
    diary.forget()
    const emitter = new Emitter()
    listen(emitter, diary)
    const ready = new Promise<void>((resolve) => void emitter.on("connected", () => resolve()))
    await agent.reopen(hub, emitter)
    handle(agent, diary)
    const started = (agent.parts.network as Network).start()
    started.catch(() => undefined)
    await Promise.race([ready, started])
    return { connected: true }
  },
  async "agent.disconnect"(args, handles) {
    await handles.get<DrivenAgent>(args, "agent").reopen(null)
    return { disconnected: true }
  },
  async "agent.submit"(args, handles) {
    const agent = handles.get<DrivenAgent>(args, "agent")
    const { engine, post } = agent.parts
    const taken = new Promise<string>((resolve) => {
      agent.tracker.onTrack = resolve
    })
    const to = args["to"]
    const names = Array.isArray(to) ? to.map(String) : [textArg(args, "to")]
    const sending = post.sendMany(names, payloadOf(bytesArg(args, "body")), {
      ...(args["re"] === undefined ? {} : { re: textArg(args, "re") }),
      receipt: args["ask"] === 1 ? "processed" : "delivered",
    })
    sending.catch(() => undefined)
    // The hub's OK may never come: the commit is enough.
    const id = await Promise.race([taken, sending.then(([delivery]) => (delivery as Delivery).id)])
    await engine.run(() => undefined)
    return { id }
  },
  async "agent.poll"(args, handles) {
    const agent = handles.get<DrivenAgent>(args, "agent")
    const diary = diaryOf(agent)
    diary.handles = args["handle"] !== false
    await diary.wait(numberArg(args, "wait"))
    await new Promise<void>((turn) => setImmediate(turn)) // sockets are served also when it has news
    return { ...diary.tell(), connected: agent.parts.network?.connected ?? false }
  },
  async "agent.receipts"(args, handles) {
    const { core } = handles.get<DrivenAgent>(args, "agent").parts
    const { receipts } = await readEvidence(core, textArg(args, "name"))
    const all = receipts.flatMap(({ first, latest }) => [hex(first), hex(latest)])
    return { receipts: [...new Set(all)] }
  },
}
