// A cluster of hubs: the requests of one connection that are decided elsewhere. Their answers come in
// any order, and go out in the order of the requests (HUB-13).

import { encodeError } from "../../hub/frames.ts"

/** A request that has no answer yet, or one behind others. */
export interface Pending {
  readonly rid: number
  readonly size: number
  /** Whether the connection ends with the answer. */
  readonly close: boolean
  /** The answer, once it is there. */
  frame: Uint8Array | null
  /** Who was asked. */
  partition: number | null
  /** Of LIST, until it is being read. */
  after: string | null
}

/** The requests of one connection, the one that was asked first at the head. */
export class PendingRequests {
  readonly #send: (frame: Uint8Array, close: boolean) => void
  #items: Pending[] = []
  /** How many there are, and their bytes. */
  count = 0
  bytes = 0

  /** @param send - Takes the answers, in order. */
  constructor(send: (frame: Uint8Array, close: boolean) => void) {
    this.#send = send
  }

  add(rid: number, size: number, close: boolean): Pending {
    const pending = { rid, size, close, frame: null, partition: null, after: null }
    this.#items.push(pending)
    this.count++
    this.bytes += size
    return pending
  }

  /** Puts the answer, and sends all that are due; null is hub/internal. */
  answer(pending: Pending, frame: Uint8Array | null): void {
    pending.frame = frame ?? encodeError(pending.rid, "hub/internal", 1)
    while (this.#items[0]?.frame) {
      const { frame: answer, size, close } = this.#items.shift() as Pending
      this.count--
      this.bytes -= size
      this.#send(answer as Uint8Array, close)
    }
  }

  /** The request that a partition answers with this number. */
  find(partition: number, rid: number): Pending | undefined {
    return this.#items.find(
      (item) => item.frame === null && item.rid === rid && item.partition === partition,
    )
  }

  /** Whether an answer of the partition is awaited. */
  awaits(partition: number): boolean {
    return this.#items.some((item) => item.partition === partition && item.frame === null)
  }

  /** The first request if it is a LIST that is not being read yet: it is from now. */
  takeList(): { readonly pending: Pending; readonly after: string } | null {
    const pending = this.#items[0]
    if (pending === undefined || pending.after === null) return null
    const { after } = pending
    pending.after = null
    return { pending, after }
  }

  /** Forgets all. */
  clear(): void {
    this.#items = []
    this.count = 0
    this.bytes = 0
  }
}
