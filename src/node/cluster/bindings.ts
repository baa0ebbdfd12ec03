// A cluster of hubs: what all hubs share beside the partitions: the hub's key, the number of
// partitions, and which name an identity key belongs to.

import { createHash } from "node:crypto"
import { decode } from "../../encoding.ts"
import type { Peer } from "../../identity.ts"
import { encode as pack } from "../../pack.ts"
import { bytes, type Shape, text, tuple, uint } from "../../shape.ts"
import {
  Conflict,
  createSurely,
  type Pause,
  type SharedLog,
  subjects,
  surely,
} from "./shared-log.ts"

const META = tuple(uint, bytes(32))
const CLAIM = tuple(text, bytes(32))
/** The number of the first message that a store ever has. */
const FIRST = 1
/** Milliseconds until a claim is given up: the agent is told, and tries again. */
const PATIENCE = 5_000

/** What a cluster was founded with. */
export interface Meta {
  readonly partitions: number
  /** The secret of the one hub that all hubs are: 32 bytes. */
  readonly secret: Uint8Array
}

/** Writes a message to an empty subject, or reads the one that is there. */
async function found<T>(
  log: SharedLog,
  subject: string,
  value: Uint8Array,
  shape: Shape<T>,
  pause: Pause,
): Promise<T> {
  const before = await surely(() => log.last(subject), pause)
  if (before !== null) return shape(decode(before.data))
  try {
    await createSurely(log, subject, value, pause)
    return shape(decode(value))
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
    return found(log, subject, value, shape, pause)
  }
}

/**
 * Founds the cluster, or reads what it was founded with.
 *
 * @param filled - Whether rows have been put there before, on purpose.
 * @throws Error if the store has held messages, but not this one: a store that has lost its beginning
 * is not to be taken for a new one.
 */
export async function foundCluster(
  log: SharedLog,
  meta: Meta,
  pause: Pause,
  filled = false,
): Promise<Meta> {
  const before = await surely(() => readMeta(log), pause)
  if (before !== null) return before
  const value = pack([meta.partitions, meta.secret])
  try {
    const seq = await createSurely(log, subjects.meta, value, pause)
    if (filled || seq === FIRST) return meta
    await surely(() => log.erase(subjects.meta), pause)
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
    return foundCluster(log, meta, pause, filled) // another hub was first
  }
  const advice = "restore a backup, or remove the stream to begin anew"
  throw new Error(`the store has been used, but the hub's key is not in it: ${advice}`)
}

/** What the cluster was founded with; null if it was not. */
export async function readMeta(log: SharedLog): Promise<Meta | null> {
  const stored = await log.last(subjects.meta)
  if (stored === null) return null
  const [partitions, secret] = META(decode(stored.data))
  return { partitions, secret }
}

/** Which name each identity key belongs to, for ever (HUB-30). */
export class Claims {
  readonly #log: SharedLog
  readonly #pause: Pause

  constructor(log: SharedLog, pause: Pause) {
    this.#log = log
    this.#pause = pause
  }

  /** Binds the key to the name; false if it belongs to another one. */
  async claim({ name, ik }: Peer): Promise<boolean> {
    const subject = subjects.key(createHash("sha256").update(ik).digest("hex"))
    const until = performance.now() + PATIENCE
    const pause: Pause = async (error) => {
      if (performance.now() > until) throw error
      await this.#pause(error)
    }
    const [owner] = await found(this.#log, subject, pack([name, ik]), CLAIM, pause)
    return owner === name
  }
}

/** The partition of a name. */
export function partitionOf(name: string, partitions: number): number {
  return createHash("sha256").update(name).digest().readUInt32BE(0) % partitions
}
