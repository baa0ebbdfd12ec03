// SPEC §11 hub over TCP: the length in front of each frame, and one write for all frames of a tick.

import { MAX_FRAME } from "../limits.ts"

const HEAD = 4
const EMPTY = Buffer.alloc(0)

/** Why a stream of frames cannot go on. */
export type FramingFault = "empty" | "too-long"

/**
 * Cuts a stream into frames. What is incomplete is copied and waits; memory grows with the bytes
 * that have come, not with the length that was claimed.
 */
export class FrameReader {
  #waiting: Buffer = EMPTY
  #have = 0
  /** What has come but was not to be read yet. */
  #unread: Uint8Array = EMPTY

  /** Bytes held for a frame that is not complete. */
  get held(): number {
    return this.#waiting.length
  }

  /** Whether bytes are there that were not to be read yet. */
  get behind(): boolean {
    return this.#unread.length > 0
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @param take - Called with each whole frame; false to read no further until the next call.
   * @returns null, or why the stream ends here; nothing after that is read.
   */
  push(data: Uint8Array, take: (frame: Uint8Array) => boolean): FramingFault | null {
    const chunk = this.behind ? Buffer.concat([this.#unread, data]) : data
    this.#unread = EMPTY
    let at = 0
    let more = true
    while (at < chunk.length) {
      if (!more) {
        this.#unread = chunk.subarray(at)
        return null
      }
      if (this.#have === 0 && chunk.length - at >= HEAD) {
        const length = readLength(chunk, at)
        if (typeof length === "string") return length // HUB-18, HUB-19
        if (chunk.length - at - HEAD >= length) {
          more = take(chunk.subarray(at + HEAD, at + HEAD + length))
          at += HEAD + length
          continue
        }
      }
      if (this.#have < HEAD) at += this.#keep(chunk, at, HEAD - this.#have)
      if (this.#have < HEAD) return null
      const length = readLength(this.#waiting, 0)
      if (typeof length === "string") return length
      at += this.#keep(chunk, at, HEAD + length - this.#have)
      if (this.#have < HEAD + length) return null
      const frame = this.#waiting.subarray(HEAD, HEAD + length)
      this.#waiting = EMPTY
      this.#have = 0
      more = take(frame)
    }
    return null
  }

  /** Copies up to `most` bytes from `at`; returns how many. */
  #keep(chunk: Uint8Array, at: number, most: number): number {
    const size = Math.min(most, chunk.length - at)
    const need = this.#have + size
    if (need > this.#waiting.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(need, Math.min(2 * need, MAX_FRAME + HEAD)))
      larger.set(this.#waiting.subarray(0, this.#have))
      this.#waiting = larger
    }
    this.#waiting.set(chunk.subarray(at, at + size), this.#have)
    this.#have += size
    return size
  }
}

function readLength(data: Uint8Array, at: number): number | FramingFault {
  const high = (data[at] as number) * 0x100_0000 + (data[at + 1] as number) * 0x1_0000
  const length = high + (data[at + 2] as number) * 0x100 + (data[at + 3] as number)
  if (length === 0) return "empty"
  return length > MAX_FRAME ? "too-long" : length
}

/** Where a {@link FrameWriter} writes to: a socket. */
export interface ByteSink {
  write(bytes: Uint8Array): boolean
}

/** Collects the frames of a tick and writes them at once. */
export class FrameWriter {
  readonly #sink: ByteSink
  readonly #taken: () => void
  #frames: Uint8Array[] = []
  /** Bytes that have not been given to the socket. */
  pending = 0

  /**
   * @param sink - The socket.
   * @param taken - Called when a write was taken at once: no "drain" follows then.
   */
  constructor(sink: ByteSink, taken: () => void = () => undefined) {
    this.#sink = sink
    this.#taken = taken
  }

  /** Sends a frame, with its length, in this tick (HUB-1). */
  send(frame: Uint8Array): void {
    if (this.#frames.push(frame) === 1) queueMicrotask(() => this.flush())
    this.pending += HEAD + frame.length
  }

  /** Writes what waits. */
  flush(): void {
    if (this.#frames.length === 0) return
    const bytes = Buffer.allocUnsafe(this.pending)
    let at = 0
    for (const frame of this.#frames) {
      at = bytes.writeUInt32BE(frame.length, at)
      bytes.set(frame, at)
      at += frame.length
    }
    this.#frames = []
    this.pending = 0
    if (this.#sink.write(bytes)) this.#taken()
  }
}
