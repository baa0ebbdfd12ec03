// A cluster of hubs on NATS: JetStream is the shared store, core NATS carries what hubs tell each
// other.

import { type Connected, codeOf, connectNats, TIMEOUT } from "./nats-connect.ts"
import type { NatsOptions } from "./nats-options.ts"
import { Conflict, Full, type SharedLog, type Stored } from "./shared-log.ts"

/** Which message is asked for. */
type Query =
  | { readonly seq: number; readonly next_by_subj?: string }
  | { readonly last_by_subj: string }

/** Errors of JetStream: the subject has another last message, no message found. */
const WRONG_LAST = 10_071
const NO_MESSAGE = 10_037
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
      if (codeOf(error) !== WRONG_LAST) throw error
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

  last(subject: string): Promise<Stored | null> {
    return this.#find({ last_by_subj: this.#prefix + subject })
  }

  async #find(query: Query): Promise<Stored | null> {
    try {
      // The client does not know all that the request can say.
      const { streams } = this.#connected.manager
      const found = await streams.getMessage(this.#stream, query as { seq: number })
      if (found === null) return null
      const { seq, data } = found
      const time = Math.floor(found.time.getTime() / 1000)
      return { seq, subject: found.subject.slice(this.#prefix.length), data, time }
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

  async erase(subject: string): Promise<void> {
    const filter = this.#prefix + subject
    await this.#connected.manager.streams.purge(this.#stream, { filter })
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
