// A cluster of hubs on NATS: JetStream is the shared store, core NATS carries what hubs tell each
// other.

import { type Connected, codeOf, connectNats, TIMEOUT } from "./nats-connect.ts"
import type { NatsOptions } from "./nats-options.ts"
import { Conflict, Full, type SharedLog, type Stored } from "./shared-log.ts"

/** Which message is asked for. */
type Query =
  | { readonly seq: number; readonly next_by_subj?: string }
  | { readonly last_by_subj: string }

/** A message as the client has it. */
interface Found {
  readonly seq: number
  readonly subject: string
  readonly data: Uint8Array
  readonly time: Date
}

/** Messages that are asked for at once, and nanoseconds until the servers forget who asked. */
const PAGE = 64
const IDLE = 10_000_000_000
/**
 * Errors of JetStream: the subject has another last message, or will have one that is on its way (newer
 * servers); no message found.
 */
const WRONG_LAST: readonly unknown[] = [10_071, 10_164]
const NO_MESSAGE = 10_037
/** What is said when a message cannot be deleted, mostly because it is not there. */
const GONE: readonly unknown[] = [NO_MESSAGE, 10_043, 10_057]
/** A limit of the server or account is reached; or one of the stream, which other failures share. */
const NO_RESOURCES: readonly unknown[] = [10_002, 10_023, 10_047]
const NOT_STORED = 10_077

/** A connection to NATS: the shared log, and the bus between hubs. */
export class Nats implements SharedLog {
  readonly #connected: Connected
  readonly #stream: string
  readonly #prefix: string
  readonly #bus: string
  /** Whether the connection is up. What is sent while it is not would arrive late. */
  #up = true

  private constructor(connected: Connected, stream: string, cluster: string) {
    this.#connected = connected
    this.#stream = stream
    this.#prefix = `agentmesh.${cluster}.store.`
    this.#bus = `agentmesh.${cluster}.bus.`
    this.#watch().catch(() => undefined) // the connection is closed
  }

  /** Connects, and makes the stream if it is missing. @throws Error with what to do. */
  static async open(options: NatsOptions): Promise<Nats> {
    const { cluster } = options
    const name = `AGENTMESH_${cluster}`
    const connected = await connectNats(options, {
      ...{ name, subjects: [`agentmesh.${cluster}.store.>`], storage: "file", discard: "new" },
      ...{ allow_direct: false, description: "AgentMesh hubs: do not edit by hand" },
    })
    return new Nats(connected, name, cluster)
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#connected.connection.status()) {
      if (type === "disconnect" || type === "staleConnection") this.#up = false
      else if (type === "reconnect") this.#up = true
    }
  }

  async create(subject: string, data: Uint8Array): Promise<number> {
    try {
      return await this.#publish(subject, data, { expect: { lastSubjectSequence: 0 } })
    } catch (error) {
      if (!WRONG_LAST.includes(codeOf(error))) throw error
      throw new Conflict(`${subject} has a message already`)
    }
  }

  append(subject: string, data: Uint8Array): Promise<number> {
    return this.#publish(subject, data, {})
  }

  async #publish(subject: string, data: Uint8Array, options: object): Promise<number> {
    // The client would keep it until it is connected again, each try once more.
    if (!this.#up) throw new Error("the connection to the NATS servers is down")
    const { js } = this.#connected
    try {
      const ack = await js.publish(this.#prefix + subject, data, { timeout: TIMEOUT, ...options })
      return ack.seq
    } catch (error) {
      if (!isFull(error)) throw error
      const advice = `raise the limits of the stream ${this.#stream} or of the servers`
      throw new Full(`the store is full (${(error as Error).message}): ${advice}`)
    }
  }

  next(pattern: string, after: number): Promise<Stored | null> {
    return this.#find({ seq: after + 1, next_by_subj: this.#prefix + pattern })
  }

  async *scan(pattern: string, after: number): AsyncGenerator<Stored> {
    const { js, manager } = this.#connected
    const info = await manager.consumers.add(this.#stream, {
      ...{ filter_subject: this.#prefix + pattern, ack_policy: "none", mem_storage: true },
      ...{ deliver_policy: "by_start_sequence", opt_start_seq: after + 1, num_replicas: 1 },
      inactive_threshold: IDLE,
    })
    const consumer = js.consumers.getConsumerFromInfo(info)
    try {
      if (info.num_pending === 0) return // a fetch would wait for messages to come
      let [before, received] = [-1, 0]
      while (received > before) {
        before = received
        const options = { max_messages: PAGE, expires: TIMEOUT }
        for await (const message of await consumer.fetch(options)) {
          if (message.info.deliverySequence !== ++received) return // one was lost on its way
          yield this.#stored(message)
          if (received >= info.num_pending) return
        }
      }
    } finally {
      consumer.delete().catch(() => undefined) // the servers do it after a while
    }
  }

  #stored({ seq, subject, data, time }: Found): Stored {
    const since = Math.floor(time.getTime() / 1000)
    return { seq, subject: subject.slice(this.#prefix.length), data, time: since }
  }

  last(subject: string): Promise<Stored | null> {
    return this.#find({ last_by_subj: this.#prefix + subject })
  }

  async #find(query: Query): Promise<Stored | null> {
    try {
      // The client does not know all that the request can say.
      const { streams } = this.#connected.manager
      const found = await streams.getMessage(this.#stream, query as { seq: number })
      return found && this.#stored(found)
    } catch (error) {
      if (codeOf(error) === NO_MESSAGE) return null
      throw error
    }
  }

  async get(seq: number): Promise<Uint8Array> {
    const found = await this.#find({ seq })
    if (found === null) throw new Error(`message ${seq} is not in the store`)
    return found.data
  }

  async subjects(pattern: string): Promise<readonly string[]> {
    const { streams } = this.#connected.manager
    const { state } = await streams.info(this.#stream, { subjects_filter: this.#prefix + pattern })
    return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(this.#prefix.length))
  }

  /**
   * One message at a time: after a purge by subject nats-server 2.9 has lost the beginning of the
   * stream when a server was killed.
   */
  async erase(subject: string, seq?: number): Promise<void> {
    if (seq !== undefined) {
      await this.#delete(seq)
      return
    }
    let before = Number.POSITIVE_INFINITY
    for (let last = await this.last(subject); last !== null; last = await this.last(subject)) {
      if (last.seq >= before) throw new Error(`message ${last.seq} cannot be deleted`)
      await this.#delete(last.seq)
      before = last.seq
    }
  }

  async #delete(seq: number): Promise<void> {
    try {
      await this.#connected.manager.streams.deleteMessage(this.#stream, seq, false)
    } catch (error) {
      if (!GONE.includes(codeOf(error))) throw error
    }
  }

  /** Sends to the bus; what cannot be sent now is lost, and the other side sees a gap. */
  send(subject: string, data: Uint8Array): void {
    const { connection } = this.#connected
    if (this.#up && !connection.isClosed()) connection.publish(this.#bus + subject, data)
  }

  /** Takes what others send to a subject of the bus. */
  listen(subject: string, take: (data: Uint8Array) => void): void {
    this.#connected.connection.subscribe(this.#bus + subject, {
      callback: (error, message) => {
        if (error === null) take(message.data)
      },
    })
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    const { connection } = this.#connected
    if (this.#up) await connection.flush().catch(() => undefined)
    await connection.close()
  }
}

function isFull(error: unknown): boolean {
  const code = codeOf(error)
  if (code === NOT_STORED) return /^maximum \w+ exceeded$/.test((error as Error).message)
  return NO_RESOURCES.includes(code)
}
