// SPEC §12 agent: from the inbox to the handlers, and back to receipts.

import { equalBytes, toHex } from "../bytes.ts"
import type { Payload } from "../encoding.ts"
import { type Content, decodeContent, RECEIPT_STATUSES, type Receipt } from "../envelope.ts"
import type { Environment } from "../environment.ts"
import { AgentMeshError } from "../errors.ts"
import type { Peer } from "../identity.ts"
import type { Core } from "./core.ts"
import { addDue } from "./due.ts"
import { Message, type MessageInput, readPayload } from "./message.ts"
import type { Arrived, Receiver } from "./receive.ts"
import type { InboxRow } from "./rows.ts"
import { changeStatuses } from "./seen.ts"
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

/** A content that waits for handlers; without its message it has to be read. */
interface Entry {
  readonly key: string
  readonly row: InboxRow
  readonly message: Message | null
}

/** A content that the handlers are done with. */
interface Ended {
  readonly key: string
  readonly status: number
}

/** Contents that leave the inbox with one commit. */
interface Ending {
  readonly ended: Ended[]
  readonly done: Promise<void>
}

/** What became of a content of a peer. */
interface News extends Receipt {
  readonly ask: number
}

/** Bytes of messages that wait for handlers in memory; more wait in the store. */
const MAX_WAITING_BYTES = 4_194_304

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
  /** What waits for handlers, by peer. */
  readonly #queues = new Map<string, Entry[]>()
  /** Bytes of messages that wait in memory. */
  #bytes = 0
  /** What the next commit takes out of the inbox. */
  #ending: Ending | null = null
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
      const bytes = row && (await this.#core.store.read("data/inbox", key))
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
  message(peer: Peer, content: Content, payload: Payload = readPayload(content)): Message {
    const reply = (input: MessageInput) => this.#host.reply(message, input)
    const message: Message = new Message(content, payload, peer, this.#core.own.name, reply)
    return message
  }

  /** Takes a content of the inbox to whom it concerns. */
  dispatch(key: string, arrived?: Arrived): void {
    const row = arrived?.row ?? this.#core.store.get("inbox", key)
    if (row === undefined) return
    // What came beyond this is read from the store again, when it is its turn.
    const fits = arrived !== undefined && this.#bytes + row.size <= MAX_WAITING_BYTES
    const message = fits ? this.message(row, arrived.content, arrived.payload) : null
    if (message !== null) this.#bytes += row.size
    const peer = peerKey(row)
    const queue = this.#queues.get(peer)
    if (queue !== undefined) {
      queue.push({ key, row, message })
      return
    }
    const first = [{ key, row, message }]
    this.#queues.set(peer, first)
    void this.#work(peer, first)
  }

  /** The contents of one peer, one after the other. */
  async #work(peer: string, queue: Entry[]): Promise<void> {
    await Promise.resolve() // a handler never runs inside the call that brought its message
    while (queue.length > 0) {
      for (const entry of queue.splice(0)) {
        await this.#handle(entry)
        if (entry.message !== null) this.#bytes -= entry.row.size
      }
    }
    this.#queues.delete(peer)
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

  async #handle({ key, row, message: waiting }: Entry): Promise<void> {
    if (this.#handlers.length === 0) {
      this.#held.push(key)
      this.#host.waits(row)
      return
    }
    const message = waiting ?? (await this.#read(key, row))
    if (message === null) return
    let status: number = RECEIPT_STATUSES.processed
    for (const handler of [...this.#handlers]) {
      try {
        await handler(message)
      } catch (error) {
        status = RECEIPT_STATUSES.failed
        this.#host.failed(error, message)
      }
    }
    const done = this.#done(key, status).catch(() => {})
    // What survives this process must not lag behind: a crash repeats what was just handled, no more.
    if (this.#core.store.durable) await done
  }

  /** The message of a row in the inbox; null if it cannot be read now. */
  async #read(key: string, row: InboxRow): Promise<Message | null> {
    try {
      const bytes = await this.#core.store.read("data/inbox", key)
      return bytes === undefined ? null : this.message(row, decodeContent(bytes))
    } catch {
      return null
    }
  }

  /**
   * The content leaves the inbox, its status is kept, its receipt is due: with the next commit,
   * together with all that have ended until then.
   */
  #done(key: string, status: number): Promise<void> {
    this.#ending ??= this.#begin()
    this.#ending.ended.push({ key, status })
    return this.#ending.done
  }

  #begin(): Ending {
    const ended: Ended[] = []
    const shut = () => {
      if (this.#ending?.ended === ended) this.#ending = null
    }
    const done = this.#host
      .run(() => {
        shut()
        return this.#end(ended)
      })
      .finally(shut)
      .then((names) => {
        for (const name of names) this.#host.touch(name)
        this.#host.handled()
      })
    return { ended, done }
  }

  async #end(ended: readonly Ended[]): Promise<Iterable<string>> {
    const { store, nowMs } = this.#core
    const peers = new Map<string, { peer: Peer; news: News[] }>()
    for (const { key, status } of ended) {
      const row = store.get("inbox", key)
      if (row === undefined) continue
      store.delete("inbox", key)
      store.shelf("data/inbox").write(key, null)
      this.#receiver.count(row, -1)
      const peer = peerKey(row)
      const news = peers.get(peer)?.news ?? []
      news.push({ id: row.id, status, ask: row.ask })
      peers.set(peer, { peer: row, news })
    }
    for (const [key, { peer, news }] of peers) {
      const asked = news.filter(({ ask }) => ask === 1)
      if (asked.length === 0) continue
      await changeStatuses(this.#core, peer, asked)
      store.put("due", key, addDue(store.get("due", key), peer, asked, 0, nowMs))
    }
    return [...peers.values()].map(({ peer }) => peer.name)
  }
}
