// A cluster of hubs: what it asks of the shared store. Messages have numbers, which grow; a subject
// is a sequence of messages of its own.

/** A message of a subject. */
export interface Stored {
  readonly seq: number
  readonly data: Uint8Array
}

/** Another message came first: the caller no longer knows the end of the subject. */
export class Conflict extends Error {
  override readonly name = "Conflict"
}

/** A replicated, ordered store of messages. */
export interface SharedLog {
  /**
   * Appends to a subject whose last message is `expected` (0 for none), as many replicas as are
   * configured having it.
   *
   * @returns The number of the new message.
   * @throws {@link Conflict} if it has another last message; any other error means: not known.
   */
  append(subject: string, data: Uint8Array, expected?: number): Promise<number>
  /** The first message of the subject above `after`, as its leader has it. */
  next(subject: string, after: number): Promise<Stored | null>
  /** The last message of the subject, as its leader has it. */
  last(subject: string): Promise<Stored | null>
  /** A message by its number, which never changes. */
  get(seq: number): Promise<Uint8Array>
  /** Erases one message. */
  erase(seq: number): Promise<void>
  /** Erases all messages of a subject below `seq`. */
  eraseBelow(subject: string, seq: number): Promise<void>
}

/** The subjects of a cluster, without their prefix. */
export const subjects = {
  /** Number of partitions, and the hub's key. */
  meta: "meta",
  /** Which name an identity key belongs to. */
  key: (digest: string): string => `key.${digest}`,
  log: (partition: number): string => `log.${partition}`,
  snapshot: (partition: number): string => `snapshot.${partition}`,
  manifest: (partition: number): string => `manifest.${partition}`,
} as const

/**
 * Appends until the outcome is known, however often the answer is lost. The bytes are the caller's
 * alone: found behind `expected` they show that an earlier try had arrived.
 *
 * @param pause - Waits before the next try; throws to give up.
 * @throws {@link Conflict} if somebody else has appended.
 */
export async function appendSurely(
  log: SharedLog,
  subject: string,
  data: Uint8Array,
  expected: number,
  pause: (error: unknown) => Promise<void>,
): Promise<number> {
  for (;;) {
    try {
      return await log.append(subject, data, expected)
    } catch (error) {
      if (error instanceof Conflict) {
        const next = await surely(() => log.next(subject, expected), pause)
        if (next !== null && Buffer.compare(next.data, data) === 0) return next.seq
        throw error
      }
      await pause(error)
    }
  }
}

/** Repeats a reading until it succeeds. */
export async function surely<T>(
  read: () => Promise<T>,
  pause: (error: unknown) => Promise<void>,
): Promise<T> {
  for (;;) {
    try {
      return await read()
    } catch (error) {
      await pause(error)
    }
  }
}
