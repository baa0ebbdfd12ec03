// SPEC §12 agent: whether the mail that a hub announced at login has been handled ("drained").

import { DRAIN_TIMEOUT, MAX_MAILBOX_MESSAGES, PROBE_CONNECTED } from "../limits.ts"

const TIMEOUT = DRAIN_TIMEOUT * 1000

/** Follows the links of one agent to its hub. Times are milliseconds of its clock. */
export class Drain {
  #open = false
  #left = 0
  #readyAt = 0
  /** When the link was drained, or counts as drained. */
  #at = Number.POSITIVE_INFINITY
  /** The same, since the first READY after an offline time, over several links (AGENT-30). */
  #deadline = Number.POSITIVE_INFINITY

  /** A link is ready, and the hub announced so many envelopes. */
  ready(mail: number, now: number): void {
    this.#open = true
    this.#readyAt = now
    this.#left = Math.min(mail, MAX_MAILBOX_MESSAGES)
    this.#deadline = Math.min(this.#deadline, now + TIMEOUT)
    this.#at = this.#left === 0 ? now : this.#deadline
  }

  /** An envelope was handled; true if it was the last one that was announced. */
  handled(now: number): boolean {
    if (this.#left === 0 || --this.#left > 0) return false
    this.#at = Math.min(this.#at, now)
    return true
  }

  /** The link is gone. Links that come and go before they are drained do not put it off. */
  lost(now: number): void {
    if (now >= this.at(now)) this.#deadline = Number.POSITIVE_INFINITY
    this.#open = false
  }

  /** From when on the link is drained; infinity without a link. */
  at(now: number): number {
    if (!this.#open) return Number.POSITIVE_INFINITY
    // A clock that was set back (AGENT-1).
    this.#deadline = Math.min(this.#deadline, now + TIMEOUT)
    this.#at = Math.min(this.#at, this.#left === 0 ? now : this.#deadline)
    return this.#at
  }

  /** From when on probes are allowed (AGENT-22). */
  probesFrom(now: number): number {
    this.#readyAt = Math.min(this.#readyAt, now)
    return Math.max(this.#readyAt, this.at(now)) + PROBE_CONNECTED * 1000
  }
}
