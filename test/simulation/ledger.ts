// What was promised and what became of it: the judge of every simulation.

/** What is known of one content to one recipient. */
export interface Entry {
  readonly key: string
  readonly from: string
  readonly to: string
  /** When `send` resolved, virtual milliseconds; null before. */
  acceptedAt: number | null
  /** When a handler first got it. */
  handledAt: number | null
  /** Latest receipt that the sender was told of, and when it came. */
  receipt: "delivered" | "processed" | "failed" | null
  receiptAt: number | null
  undeliveredAt: number | null
  /** The sender's store that accepted it was lost or rolled back. */
  senderLost: boolean
  /** The receiver's store was lost or rolled back while it held the content. */
  receiverLost: boolean
  /** The sender died after the content had left its store: nobody may have been told. */
  untold: boolean
}

/** Contents that one store has handed to handlers; goes back when the store does. */
export type Lineage = Set<string>

/** Follows all contents of a world. */
export class Ledger {
  readonly entries: Map<string, Entry> = new Map()
  /** Contents that were handled twice in one lineage. */
  readonly twice: string[] = []
  readonly strange: string[] = []

  /** The entry of a content. */
  entry(from: string, to: string, id: string): Entry {
    const key = `${from}>${to}/${id}`
    let entry = this.entries.get(key)
    if (entry === undefined) {
      entry = {
        ...{ key, from, to, acceptedAt: null, handledAt: null, receipt: null, receiptAt: null },
        ...{ undeliveredAt: null, senderLost: false, receiverLost: false, untold: false },
      }
      this.entries.set(key, entry)
    }
    return entry
  }

  /** A handler got a content. */
  handled(entry: Entry, lineage: Lineage, now: number): void {
    if (lineage.has(entry.key)) this.twice.push(`${entry.key} at ${now}`)
    lineage.add(entry.key)
    entry.handledAt ??= now
  }

  /** Contents that nobody got, nobody refused and nobody reported: there must be none. */
  get lost(): readonly Entry[] {
    return this.#accepted.filter((entry) => !isResolved(entry))
  }

  /** Contents with a good receipt that no handler ever got: there must be none. */
  get pretended(): readonly Entry[] {
    return this.#accepted.filter(
      ({ receipt, handledAt, receiverLost }) =>
        (receipt === "delivered" || receipt === "processed") && handledAt === null && !receiverLost,
    )
  }

  get #accepted(): Entry[] {
    return [...this.entries.values()].filter(({ acceptedAt }) => acceptedAt !== null)
  }

  /** Counts for reports. */
  get counts(): Counts {
    const all = this.#accepted
    const count = (test: (entry: Entry) => boolean) => all.filter(test).length
    return {
      accepted: all.length,
      handled: count(({ handledAt }) => handledAt !== null),
      receipted: count(({ receipt }) => receipt !== null),
      failed: count(({ receipt }) => receipt === "failed"),
      undelivered: count(({ undeliveredAt }) => undeliveredAt !== null),
      excused: count(({ senderLost }) => senderLost),
      lost: this.lost.length,
      twice: this.twice.length,
      pretended: this.pretended.length,
    }
  }
}

/** Sums of a ledger. */
export interface Counts {
  readonly accepted: number
  readonly handled: number
  readonly receipted: number
  readonly failed: number
  readonly undelivered: number
  readonly excused: number
  readonly lost: number
  readonly twice: number
  readonly pretended: number
}

/** Whether the sender was told what became of the content, or could not be. */
export function isResolved(entry: Entry): boolean {
  const { receipt, undeliveredAt, senderLost, untold, handledAt } = entry
  return receipt !== null || undeliveredAt !== null || senderLost || (untold && handledAt !== null)
}
