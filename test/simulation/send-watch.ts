// Two rules that hold for every SEND of every agent, whatever happens (AGENT-14, AGENT-15).

import { equalBytes, toHex } from "../../src/bytes.ts"
import type { Value } from "../../src/encoding.ts"

interface Last {
  readonly mid: string
  readonly envelope: Uint8Array
  accepted: boolean
}

/** Watches the SENDs that reach a hub. */
export class SendWatch {
  readonly #last = new Map<string, Last>()
  /** What broke a rule. */
  readonly faults: string[] = []

  /** An agent sends; returns the mid. */
  sent(from: string, rest: readonly Value[]): string {
    const [to, bytes, envelope] = rest as [string, Uint8Array, Uint8Array]
    const mid = toHex(bytes)
    const key = `${from}>${to}`
    const last = this.#last.get(key)
    if (last?.mid === mid) {
      if (!equalBytes(last.envelope, envelope)) this.faults.push(`${key}: other bytes, same mid`)
    } else {
      if (last && !last.accepted) this.faults.push(`${key}: a second envelope before the OK`)
      this.#last.set(key, { mid, envelope, accepted: false })
    }
    return mid
  }

  /** The OK of a SEND leaves the hub. */
  accepted(from: string, to: string, mid: string): void {
    const last = this.#last.get(`${from}>${to}`)
    if (last?.mid === mid) last.accepted = true
  }

  /** The store of an agent was lost or rolled back, or it forgot a name. */
  forget(from: string): void {
    for (const key of [...this.#last.keys()]) if (key.startsWith(`${from}>`)) this.#last.delete(key)
  }
}
