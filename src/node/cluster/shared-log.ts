// A cluster of hubs: what it asks of the shared store, which is a sequence of messages with subjects.
//
// The one condition that is asked for is "nobody has written to this subject yet": nats-server 2.9
// judges it when a message is applied, so that it holds for any number of replicas. That a subject
// has a certain last message is judged before: of two appends at once both may be accepted.

/** A message. */
export interface Stored {
  /** Its number in the store; numbers grow. */
  readonly seq: number
  readonly subject: string
  readonly data: Uint8Array
  /** When it was stored, in Unix seconds. */
  readonly time: number
}

/** Another message was first. */
export class Conflict extends Error {
  override readonly name = "Conflict"
}

/** The store has no room: this has not been stored, and is not later. */
export class Full extends Error {
  override readonly name = "Full"
}

/** A replicated, ordered store of messages. */
export interface SharedLog {
  /**
   * Stores the first message of a subject; resolves once as many replicas as are configured have it.
   *
   * @throws {@link Conflict} if the subject has a message, {@link Full} if there is no room; any other
   * error means: not known.
   */
  create(subject: string, data: Uint8Array): Promise<number>
  /** Stores one more message of a subject. */
  append(subject: string, data: Uint8Array): Promise<number>
  /** The first message after `after` whose subject fits; `*` stands for one part of it. */
  next(pattern: string, after: number): Promise<Stored | null>
  /**
   * Messages after `after` whose subject fits, in their order, many at a time. It may end, or fail,
   * before the last one, and a server that is behind may lack some: {@link next} tells what there is.
   */
  scan(pattern: string, after: number): AsyncIterable<Stored>
  /** The last message of the subject. */
  last(subject: string): Promise<Stored | null>
  /** A message by its number, which never changes. */
  get(seq: number): Promise<Uint8Array>
  /** The subjects that fit and have messages. */
  subjects(pattern: string): Promise<readonly string[]>
  /** Erases all messages of a subject; or, if it is known to have one only, that one. */
  erase(subject: string, seq?: number): Promise<void>
}

/** The subjects of a cluster, without their prefix. */
export const subjects = {
  /** Number of partitions, and the hub's key. */
  meta: "meta",
  /** Which name an identity key belongs to. */
  key: (digest: string): string => `key.${digest}`,
  /** The record with this number; `*` for all. */
  log: (partition: number, record: number | "*"): string => `log.${partition}.${record}`,
  /** Chunks of the snapshot that covers the records up to this number. */
  snapshot: (partition: number, covered: number | "*"): string =>
    `snapshot.${partition}.${covered}`,
  /** Its manifest: the snapshot counts once that is there. */
  manifest: (partition: number, covered: number | "*"): string =>
    `manifest.${partition}.${covered}`,
} as const

/** The number that a subject ends with. */
export function numberOf(subject: string): number {
  return Number(subject.slice(subject.lastIndexOf(".") + 1))
}

/** Waits before something is tried again; throws to give up. */
export type Pause = (error: unknown) => Promise<void>

/**
 * Creates until the outcome is known, however often the answer is lost. The bytes are the caller's
 * alone: found there they show that an earlier try had arrived.
 *
 * @throws {@link Conflict} if somebody else was first; {@link Full} if there was no room from the
 * start: after an answer that was lost nobody knows, and it goes on trying.
 */
export async function createSurely(
  log: SharedLog,
  subject: string,
  data: Uint8Array,
  pause: Pause,
): Promise<number> {
  for (let tries = 0; ; tries++) {
    try {
      return await log.create(subject, data)
    } catch (error) {
      if (error instanceof Full && tries === 0) throw error
      if (error instanceof Conflict) {
        const there = await surely(() => log.last(subject), pause)
        if (there !== null) {
          if (Buffer.compare(there.data, data) === 0) return there.seq
          throw error
        }
      }
      await pause(error) // not known, or a server that is behind has said that there is nothing
    }
  }
}

/** Repeats a reading until it succeeds. */
export async function surely<T>(read: () => Promise<T>, pause: Pause): Promise<T> {
  for (;;) {
    try {
      return await read()
    } catch (error) {
      await pause(error)
    }
  }
}
