// A cluster of hubs: a link of an agent that is connected elsewhere, as the owner of its rows has it.

import type { Transport } from "../../hub/runtime-link.ts"

/** Bytes that may be on their way to an edge before deliveries wait. */
const MAX_UNDER_WAY = 1_048_576

/**
 * What a link sends goes to an edge with the number that it has there. The edge may mean another one
 * by it later: a link that was forgotten says nothing any more.
 */
export class RemoteLink implements Transport {
  readonly #send: (frame: Uint8Array | null) => void
  readonly #answered: () => void
  #forgotten = false
  #sent = 0
  #taken = 0

  /**
   * @param send - Takes a frame, or null: the link is to be closed.
   * @param answered - Called when requests have been answered.
   */
  constructor(send: (frame: Uint8Array | null) => void, answered: () => void) {
    this.#send = send
    this.#answered = answered
  }

  get writable(): boolean {
    return this.#sent - this.#taken < MAX_UNDER_WAY
  }

  send(frame: Uint8Array): void {
    this.#sent += frame.length
    if (!this.#forgotten) this.#send(frame)
  }

  close(): void {
    if (!this.#forgotten) this.#send(null)
  }

  /** Requests have been answered. */
  answered(): void {
    if (!this.#forgotten) this.#answered()
  }

  /** The number is not of this link any more. */
  forget(): void {
    this.#forgotten = true
  }

  /** The edge has passed on so many bytes in all. */
  taken(bytes: number): void {
    this.#taken = Math.max(this.#taken, bytes)
  }
}
