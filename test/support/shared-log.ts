// The shared store of a cluster in memory, and the faults that a real one shows: answers that are
// lost, servers that are behind, a process that ends at any append.

import { Conflict, Full, type SharedLog, type Stored } from "../../src/node/cluster/shared-log.ts"

function fits(pattern: string, subject: string): boolean {
  const [a, b] = [pattern.split("."), subject.split(".")]
  return a.length === b.length && a.every((part, i) => part === "*" || part === b[i])
}

/** All messages; what each client sees of them is a {@link LogView}. */
export class MemoryLog implements SharedLog {
  messages: Stored[] = []
  #seq = 0

  async create(subject: string, data: Uint8Array): Promise<number> {
    if (this.messages.some((message) => message.subject === subject)) throw new Conflict(subject)
    return this.append(subject, data)
  }

  async append(subject: string, data: Uint8Array): Promise<number> {
    const time = Math.floor(Date.now() / 1000)
    this.messages.push({ seq: ++this.#seq, subject, data: data.slice(), time })
    return this.#seq
  }

  async next(pattern: string, after: number): Promise<Stored | null> {
    return this.messages.find((m) => m.seq > after && fits(pattern, m.subject)) ?? null
  }

  async *scan(pattern: string, after: number): AsyncGenerator<Stored> {
    for (let at = after; ; ) {
      const next = await this.next(pattern, at)
      if (next === null) return
      yield next
      at = next.seq
    }
  }

  async last(subject: string): Promise<Stored | null> {
    return this.messages.findLast((message) => message.subject === subject) ?? null
  }

  async get(seq: number): Promise<Uint8Array> {
    const found = this.messages.find((message) => message.seq === seq)
    if (found === undefined) throw new Error(`no message ${seq}`)
    return found.data
  }

  async subjects(pattern: string): Promise<readonly string[]> {
    const all = this.messages.map(({ subject }) => subject)
    return [...new Set(all)].filter((subject) => fits(pattern, subject))
  }

  async erase(subject: string, seq?: number): Promise<void> {
    this.messages = this.messages.filter(
      (message) => message.subject !== subject || (seq !== undefined && message.seq !== seq),
    )
  }
}

/** What one process sees of the log; `chance` gives numbers below 1 and decides what goes wrong. */
export class LogView implements SharedLog {
  readonly #log: MemoryLog
  readonly #chance: () => number
  #behind: MemoryLog | null = null
  /** Part of the writes whose answer is lost, before or after they are done; of stale reads. */
  faults = 0
  /** Writes that are still done; then the process has ended: nothing returns any more. */
  left = Number.POSITIVE_INFINITY
  /** Whether there is no room. */
  full = false
  /** Called when the process ends. */
  ended: () => void = () => undefined

  constructor(log: MemoryLog, chance: () => number) {
    this.#log = log
    this.#chance = chance
  }

  async #write<T>(write: () => Promise<T>): Promise<T> {
    if (this.left <= 0) {
      this.ended()
      return new Promise(() => undefined)
    }
    this.left--
    if (this.full) throw new Full("full")
    const fault = this.#chance()
    if (fault < this.faults / 2) throw new Error("lost before it arrived")
    const result = await write()
    if (fault < this.faults) throw new Error("done, but the answer was lost")
    return result
  }

  /** A server that is behind answers now and then, with what was true a while ago. */
  async #read<T>(read: (log: MemoryLog) => Promise<T>): Promise<T> {
    if (this.#chance() < this.faults / 4) {
      this.#behind = new MemoryLog()
      this.#behind.messages = [...this.#log.messages]
    }
    const stale = this.#behind !== null && this.#chance() < this.faults / 2
    return read(stale ? (this.#behind as MemoryLog) : this.#log)
  }

  create = (...args: Parameters<SharedLog["create"]>): Promise<number> =>
    this.#write(() => this.#log.create(...args))
  append = (...args: Parameters<SharedLog["append"]>): Promise<number> =>
    this.#write(() => this.#log.append(...args))
  erase = (...args: Parameters<SharedLog["erase"]>): Promise<void> =>
    this.#write(() => this.#log.erase(...args))
  next = (...args: Parameters<SharedLog["next"]>): Promise<Stored | null> =>
    this.#read((log) => log.next(...args))
  /** Ends early now and then, or fails, or leaves one out. */
  async *scan(...args: Parameters<SharedLog["scan"]>): AsyncGenerator<Stored> {
    for await (const stored of await this.#read(async (log) => log.scan(...args))) {
      const fault = this.#chance()
      if (fault < this.faults / 4) throw new Error("lost on its way")
      if (fault < this.faults / 2) return
      if (fault < this.faults * 0.75) continue
      yield stored
    }
  }
  last = (...args: Parameters<SharedLog["last"]>): Promise<Stored | null> =>
    this.#read((log) => log.last(...args))
  get = (...args: Parameters<SharedLog["get"]>): Promise<Uint8Array> =>
    this.#read((log) => log.get(...args))
  subjects = (...args: Parameters<SharedLog["subjects"]>): Promise<readonly string[]> =>
    this.#read((log) => log.subjects(...args))
}
