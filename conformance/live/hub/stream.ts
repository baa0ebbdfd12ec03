// A raw socket to a hub: bytes as they are written, frames as they come (SPEC §11.2).

import { connect, type Socket } from "node:net"
import { MAX_FRAME } from "../../../src/limits.ts"

/** What an implementation did wrong; the message of the verdict. */
export class Failure extends Error {
  override readonly name = "Failure"
}

/** Where a hub is, and how long to wait for it. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  /** Longest time for one frame, milliseconds. Its end is a failure, never evidence. */
  readonly patience: number
}

/** Length in front of a frame (HUB-1). */
export function head(length: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

/** A frame with its length. */
export function framed(frame: Uint8Array): Buffer {
  return Buffer.concat([head(frame.length), frame])
}

/** One TCP connection. */
export class Stream {
  readonly socket: Socket
  readonly #patience: number
  #chunks: Buffer[] = []
  #have = 0
  #wake: (() => void) | null = null
  #over = false

  private constructor(socket: Socket, patience: number) {
    this.socket = socket
    this.#patience = patience
    const wake = (): void => this.#wake?.()
    const over = (): void => {
      this.#over = true
      wake()
    }
    socket.setNoDelay(true)
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#have += chunk.length
      wake()
    })
    socket.on("error", () => undefined) // "close" follows
    socket.on("end", over)
    socket.on("close", over)
  }

  /** Connects. */
  static open({ host, port, patience }: Endpoint): Promise<Stream> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, allowHalfOpen: true })
      const late = setTimeout(() => socket.destroy(new Error("too late")), patience)
      socket.once("connect", () => {
        clearTimeout(late)
        resolve(new Stream(socket, patience))
      })
      socket.once("error", (error: Error & { code?: string }) => {
        clearTimeout(late)
        reject(new Failure(`the hub takes no connection (${error.code ?? error.message})`))
      })
    })
  }

  /** Whether the hub has ended the stream and everything was read. */
  get over(): boolean {
    return this.#over && this.#have === 0
  }

  /** Writes bytes as they are; resolves when the socket has taken them, or is gone. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.destroyed || !this.socket.writable) resolve()
      else this.socket.write(bytes, () => resolve())
    })
  }

  /** The next frame; null at the end of the stream. */
  async next(): Promise<Uint8Array | null> {
    if (!(await this.#until(4))) return this.#ended()
    const length = this.#peek().readUInt32BE()
    if (length === 0 || length > MAX_FRAME) {
      throw new Failure(`the hub sent a frame of ${length} bytes`)
    }
    if (!(await this.#until(4 + length))) return this.#ended()
    const all = this.#peek()
    this.#chunks = all.length > 4 + length ? [all.subarray(4 + length)] : []
    this.#have -= 4 + length
    return new Uint8Array(all.subarray(4, 4 + length))
  }

  /** The length before the next frame, as number and in hex; nothing is taken. */
  async head(): Promise<readonly [length: number, digits: string]> {
    if (!(await this.#until(4))) throw new Failure("the hub closed the link before a frame")
    const head = this.#peek().subarray(0, 4)
    return [head.readUInt32BE(), head.toString("hex")]
  }

  /** Ends the connection at once: with a reset, unless its end is on the way already. */
  destroy(): void {
    if (this.socket.destroyed) return
    // A reset during a shutdown fails and leaves the handle open: the process would never end.
    if (this.socket.writableEnded) this.socket.destroy()
    else this.socket.resetAndDestroy()
  }

  #ended(): null {
    if (this.#have > 0) throw new Failure("the hub closed the link in the middle of a frame")
    return null
  }

  #peek(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] as Buffer
  }

  /** Waits for so many bytes; false if the stream ends before. */
  async #until(bytes: number): Promise<boolean> {
    const deadline = Date.now() + this.#patience
    while (this.#have < bytes) {
      if (this.#over) return false
      const left = deadline - Date.now()
      if (left <= 0) throw new Failure(`nothing came within ${this.#patience} ms`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = null
    }
    return true
  }
}
