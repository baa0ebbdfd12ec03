// SPEC §12 agent: from the inbox to the handlers, and back to receipts.

import { equalBytes, toHex } from "../bytes.ts"
import { type Content, decodeContent, RECEIPT_STATUSES } from "../envelope.ts"
import type { Environment } from "../environment.ts"
import { AgentMeshError } from "../errors.ts"
import type { Peer } from "../identity.ts"
import type { Core } from "./core.ts"
import { RECEIPT_WAIT } from "./delivery.ts"
import { Message, type MessageInput, readPayload } from "./message.ts"
import type { Receiver } from "./receive.ts"
import type { InboxRow } from "./rows.ts"
import { changeStatus } from "./seen.ts"
import { peerKey } from "./trust.ts"

/** Handles a message; a rejection marks the message as failed and is reported. */
export type MessageHandler = (message: Message) => unknown

/** Which messages {@link Agent.waiting} returns. */
export interface WaitingOptions {
  /** Only what came after this place. */
  readonly after?: string
  /** At most so many; by default 100. */
  readonly limit?: number
}

/** A message that waits; places grow in the order of arrival and are never used again. */
export interface Waiting {
  readonly place: string
  readonly message: Message
}

/** What the inbox needs of the agent around it. */
export interface InboxHost {
  /** Runs a job in the next commit. */
  run<T>(job: () => Promise<T> | T): Promise<T>
  /** Has receipts to send to a name. */
  touch(name: string): void
  /** Answers a message. */
  reply(message: Message, payload: MessageInput): Promise<unknown>
  /** A content waits, because there is no handler. */
  waits(row: InboxRow): void
  /** A content left the inbox. */
  handled(): void
  /** A handler threw. */
  failed(error: unknown, message: Message): void
}

interface Request {
  readonly peer: () => Peer | undefined
  resolve(message: Message): void
  reject(error: AgentMeshError): void
}

/** Dispatches the contents of one agent: per peer in order, peers independently. */
export class Inbox {
  readonly #core: Core
  readonly #receiver: Receiver
  readonly #host: InboxHost
  readonly #handlers: MessageHandler[] = []
  readonly #requests = new Map<string, Request>()
  readonly #chains = new Map<string, Promise<void>>()
  #held: string[] = []

  constructor(core: Core, receiver: Receiver, host: InboxHost) {
    this.#core = core
    this.#receiver = receiver
    this.#host = host
    this.#held = [...core.store.table("inbox").keys()]
  }

  /** Registered handlers. */
  get handlers(): number {
    return this.#handlers.length
  }

  /** Contents that wait for a first handler. */
  get held(): number {
    return this.#held.length
  }

  /** Messages that wait for a first handler, oldest first. */
  async waiting({ after = "", limit = 100 }: WaitingOptions): Promise<readonly Waiting[]> {
    const found: Waiting[] = []
    for (const key of this.#held.filter((one) => one > after).sort()) {
      if (found.length >= limit) break
      const row = this.#core.store.get("inbox", key)
      const bytes = row && (await this.#core.store.read(`data/inbox/${key}`))
      if (bytes) found.push({ place: key, message: this.message(row, decodeContent(bytes)) })
    }
    return found
  }

  /** Ends messages that wait for a first handler; returns the ids that did. */
  async settle(ids: readonly string[], state: "processed" | "failed"): Promise<readonly string[]> {
    const wanted = new Set(ids)
    const settled: string[] = []
    for (const key of [...this.#held].sort()) {
      const row = this.#core.store.get("inbox", key)
      if (row === undefined || !wanted.has(toHex(row.id))) continue
      this.#held = this.#held.filter((other) => other !== key)
      await this.#done(key, RECEIPT_STATUSES[state]).catch((error: unknown) => {
        this.#held.push(key)
        throw error
      })
      settled.push(toHex(row.id))
    }
    return settled
  }

  /** Adds a handler; contents that had none are dispatched now. */
  addHandler(handler: MessageHandler): void {
    this.#handlers.push(handler)
    // Later, so that handlers registered in the same turn are all there.
    void Promise.resolve().then(() => {
      const held = this.#held
      this.#held = []
      for (const key of held) this.dispatch(key)
    })
  }

  /** Expects the answer to a request; resolves once. */
  expect(
    id: string,
    peer: () => Peer | undefined,
    timeout: number,
    environment: Environment,
  ): Promise<Message> {
    return new Promise((resolve, reject) => {
      const cancel = environment.after(
        timeout,
        () => {
          this.#requests.delete(id)
          reject(new AgentMeshError("agent/timeout", `no answer within ${timeout} ms`))
        },
        true,
      )
      const done = (message: Message) => {
        cancel()
        this.#requests.delete(id)
        resolve(message)
      }
      const fail = (error: AgentMeshError) => {
        cancel()
        this.#requests.delete(id)
        reject(error)
      }
      this.#requests.set(id, { peer, resolve: done, reject: fail })
    })
  }

  /** Ends what waits for answers: the agent is closed. */
  close(): void {
    const error = new AgentMeshError("agent/closed", "the agent was closed before the answer came")
    for (const request of [...this.#requests.values()]) request.reject(error)
  }

  /** Gives up an expected answer. */
  abandon(id: string): void {
    this.#requests.delete(id)
  }

  /** A content as a message. */
  message(peer: Peer, content: Content): Message {
    const reply = (payload: MessageInput) => this.#host.reply(message, payload)
    const payload = readPayload(content)
    const message: Message = new Message(content, payload, peer, this.#core.own.name, reply)
    return message
  }

  /** Takes a content of the inbox to whom it concerns. */
  dispatch(key: string): void {
    const row = this.#core.store.get("inbox", key)
    if (row === undefined) return
    const peer = peerKey(row)
    const before = this.#chains.get(peer) ?? Promise.resolve()
    const chain = before.then(() => this.#handle(key, row)).catch(() => {})
    this.#chains.set(peer, chain)
    void chain.then(() => {
      if (this.#chains.get(peer) === chain) this.#chains.delete(peer)
    })
  }

  /**
   * Gives an answer to the request that waits for it, at once: a handler may be waiting.
   *
   * @returns Whether it was one; it then needs no handler.
   */
  answer(key: string, peer: Peer, content: Content): boolean {
    const request = content.re && this.#requests.get(toHex(content.re))
    const expected = request ? request.peer() : undefined
    // Only the peer that was asked can answer (SPEC §12).
    const right = expected && expected.name === peer.name && equalBytes(expected.ik, peer.ik)
    if (!request || !right) return false
    request.resolve(this.message(peer, content))
    void this.#done(key, RECEIPT_STATUSES.processed).catch(() => {})
    return true
  }

  async #handle(key: string, row: InboxRow): Promise<void> {
    if (this.#handlers.length === 0) {
      this.#held.push(key)
      this.#host.waits(row)
      return
    }
    const bytes = await this.#core.store.read(`data/inbox/${key}`)
    if (bytes === undefined) return
    const message = this.message(row, decodeContent(bytes))
    let status: number = RECEIPT_STATUSES.processed
    for (const handler of [...this.#handlers]) {
      try {
        await handler(message)
      } catch (error) {
        status = RECEIPT_STATUSES.failed
        this.#host.failed(error, message)
      }
    }
    await this.#done(key, status)
  }

  /** One commit: the content leaves the inbox, its status is kept, its receipt is due. */
  async #done(key: string, status: number): Promise<void> {
    const row = await this.#host.run(async () => {
      const { store, nowMs } = this.#core
      const row = store.get("inbox", key)
      if (row === undefined) return undefined
      store.delete("inbox", key)
      store.write(`data/inbox/${key}`, null)
      this.#receiver.count(row, -1)
      await changeStatus(this.#core, row, row.id, status)
      if (row.ask === 0) return row
      const due = store.get("due", peerKey(row))
      store.put("due", peerKey(row), {
        name: row.name,
        ik: row.ik,
        receipts: [...(due?.receipts ?? []), { id: row.id, status }],
        envelopes: due?.envelopes ?? 0,
        atMs: due?.atMs ?? nowMs + RECEIPT_WAIT,
      })
      return row
    })
    if (row) this.#host.touch(row.name)
    this.#host.handled()
  }

  /** Resolves when no handler runs. */
  async settled(): Promise<void> {
    while (this.#chains.size > 0) await Promise.all(this.#chains.values())
  }
}
