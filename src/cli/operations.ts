// What commands and the MCP server do with an agent; arguments and results are JSON.

import type { Message, MessageInput } from "../agent/message.ts"
import type { Delivery, DeliveryState } from "../agent/tracker.ts"
import type { PeerView, TrustState } from "../agent/trust.ts"
import { AgentMeshError } from "../errors.ts"
import type { Agent } from "../node/agent.ts"
import { fromJson, type Json, type MessageJson, messageJson } from "./payload.ts"

/** How far a message has to have come. */
export type Goal = "queued" | "stored" | "delivered" | "processed"

interface Outgoing {
  readonly to: string
  readonly payload: { readonly [key: string]: Json }
  readonly re?: string
  /** Milliseconds. */
  readonly timeout: number
}

/** What became of a message. */
export interface Sent {
  readonly id: string
  readonly to: string
  readonly state: DeliveryState
  readonly reached: boolean
}

/** An identity as others may see it. */
export interface IdentityJson {
  readonly name: string
  readonly address: string
  readonly fingerprint: string
  /** The signed bundle as text; null while there is none yet. */
  readonly card: string | null
}

/** A peer, with the lines that two people compare. */
export interface PeerJson extends PeerView {
  readonly address: string
  readonly safetyNumber: string
}

/** Names, arguments and results of all operations. */
export interface Operations {
  identity(args: object): Promise<IdentityJson>
  status(args: object): Promise<object>
  send(args: Outgoing & { readonly wait: Goal }): Promise<Sent>
  request(args: Outgoing): Promise<MessageJson>
  inbox(args: { after?: string; limit?: number }): Promise<readonly MessageJson[]>
  wait(args: { after?: string; limit?: number; timeout: number }): Promise<readonly MessageJson[]>
  /** Ids of all messages that wait. */
  ids(args: object): Promise<readonly string[]>
  ack(args: { ids: readonly string[]; failed?: boolean }): Promise<readonly string[]>
  peers(args: object): Promise<readonly PeerJson[]>
  names(args: object): Promise<readonly string[]>
  peer(args: { name: string }): Promise<PeerJson | null>
  verify(args: { address: string }): Promise<PeerJson>
  forget(args: { name: string }): Promise<object>
  export(args: { secret: string }): Promise<{ readonly backup: string }>
}

/** Operations that change nothing: they may be asked again after a lost connection. */
export const REPEATABLE: readonly (keyof Operations)[] = [
  ...(["identity", "status", "inbox", "ids", "wait", "peers", "names", "peer", "verify"] as const),
]

/** Messages of a page by default, and characters of one, but for its last message. */
const PAGE = 100
const PAGE_SIZE = 2_097_152

/** Milliseconds that mail which the hub announced gets to arrive. */
const DRAIN = 10_000
/** Milliseconds that receipts get to leave before an identity is closed. */
const FLUSH = 3_000

/** The operations on an agent that this process has opened. */
export function operationsOn(agent: Agent, closing: AbortSignal): Operations {
  const online = async (): Promise<void> => {
    await agent.ready.catch((error: unknown) => {
      // Not reachable now: the agent goes on trying, and what is sent waits.
      if (!(error instanceof AgentMeshError && error.code === "hub/unreachable")) throw error
    })
  }
  const loaded = async (): Promise<void> => {
    await agent.waiting({ limit: 1 }) // rejects if the store cannot be used
  }
  const viewed = async (view: PeerView): Promise<PeerJson> => {
    const address = `${view.name}#${view.fingerprint}`
    return { ...view, address, safetyNumber: await agent.safetyNumber(view.name) }
  }
  const trustOf = async (message: Message): Promise<TrustState> => {
    const view = await agent.peer(message.sender)
    return view?.fingerprint === message.fingerprint ? view.trust : "unknown"
  }
  /** Messages that wait: as many as asked for, or as fit a page. */
  const waiting = async ({ after = "", limit = PAGE }: { after?: string; limit?: number }) => {
    const page: MessageJson[] = []
    for (let size = 0; page.length < limit && size < PAGE_SIZE; ) {
      const [next] = await agent.waiting({ after: page.at(-1)?.place ?? after, limit: 1 })
      if (next === undefined) break
      const message = messageJson(next.message, next.place, await trustOf(next.message))
      page.push(message)
      size += JSON.stringify(message).length
    }
    return page
  }
  const wakeups = new Set<() => void>()
  agent.on("waiting", () => {
    for (const wake of wakeups) wake()
  })
  /** Waits for the next message, `ms`, or until the agent is being closed; or for nothing more. */
  const nextMessage = (ms: number): { readonly came: Promise<void>; stop(): void } => {
    let stop = (): void => undefined
    const came = new Promise<void>((resolve) => {
      stop = (): void => {
        clearTimeout(timer)
        wakeups.delete(stop)
        closing.removeEventListener("abort", stop)
        resolve()
      }
      const timer = setTimeout(stop, ms)
      wakeups.add(stop)
      closing.addEventListener("abort", stop)
      if (closing.aborted) stop()
    })
    return { came, stop }
  }

  return {
    async identity() {
      await loaded()
      const { name, address, fingerprint } = agent
      return { name, address, fingerprint, card: cardOf(agent) }
    },
    async status() {
      await online()
      return { ...agent.status(), address: agent.address }
    },
    async send({ to, payload, re, wait, timeout }) {
      await online()
      const receipt = wait === "processed" ? { receipt: "processed" as const } : {}
      const options = { ...receipt, ...(re === undefined ? {} : { re }) }
      const delivery = await agent.send(to, fromJson(payload) as MessageInput, options)
      // Without a link there is nothing to wait for: the caller hears at once that it waits here.
      const { connected } = agent.status()
      const reached = await reaches(delivery, wait, connected ? timeout : 0)
      return { id: delivery.id, to: delivery.to, state: delivery.state, reached }
    },
    async request({ to, payload, re, timeout }) {
      await agent.ready // without a hub nobody answers
      const options = { timeout, ...(re === undefined ? {} : { re }) }
      const answer = await agent.request(to, fromJson(payload) as MessageInput, options)
      return messageJson(answer, "", await trustOf(answer))
    },
    async inbox(args) {
      await online()
      await drained(agent)
      return waiting(args)
    },
    async wait({ timeout, ...args }) {
      await online()
      const until = Date.now() + timeout
      for (;;) {
        const left = until - Date.now()
        const next = nextMessage(Math.max(0, left))
        try {
          const found = await waiting(args)
          if (found.length > 0 || left <= 0 || closing.aborted) return found
          await next.came
        } finally {
          next.stop() // a timer and a listener for each message would pile up
        }
      }
    },
    async ids() {
      await online()
      await drained(agent)
      const ids: string[] = []
      for (let after = ""; ; ) {
        const found = await agent.waiting({ after, limit: PAGE })
        ids.push(...found.map(({ message }) => message.id))
        const last = found.at(-1)
        if (last === undefined) return ids
        after = last.place
      }
    },
    async ack({ ids, failed = false }) {
      await loaded()
      return agent.settle(ids, failed ? "failed" : "processed")
    },
    async peers() {
      await loaded()
      const views = await Promise.all(agent.status().knownPeers.map((name) => agent.peer(name)))
      return Promise.all(views.filter((view) => view !== undefined).map(viewed))
    },
    async names() {
      await agent.ready
      return agent.listPeers()
    },
    async peer({ name }) {
      const view = await agent.peer(name)
      return view === undefined ? null : viewed(view)
    },
    async verify({ address }) {
      await online()
      return viewed(await agent.verify(address))
    },
    async forget({ name }) {
      await agent.forget(name)
      return {}
    },
    async export({ secret }) {
      return { backup: Buffer.from(await agent.export(secret)).toString("base64") }
    },
  }
}

/** The first bundle is made when the hub was asked, or without a hub at once. */
function cardOf(agent: Agent): string | null {
  try {
    return agent.card
  } catch {
    return null
  }
}

async function reaches(delivery: Delivery, goal: Goal, timeout: number): Promise<boolean> {
  if (goal === "queued") return true
  try {
    await delivery.wait(goal, timeout)
    return true
  } catch {
    return false
  }
}

async function until(ms: number, done: () => boolean): Promise<void> {
  const end = Date.now() + ms
  while (!done() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Waits for the mail that the hub has announced. */
function drained(agent: Agent): Promise<void> {
  return until(DRAIN, () => {
    const { connected, drained } = agent.status()
    return !connected || drained
  })
}

/** Waits until receipts and envelopes have left: a command that ends would keep them back. */
export function flushed(agent: Agent): Promise<void> {
  return until(FLUSH, () => {
    const { connected, leaving } = agent.status()
    return !connected || leaving === 0
  })
}
