// SPEC §11 hub over TCP: one socket at the hub, between the stream of bytes and the runtime.

import type { Socket } from "node:net"
import { FRAME } from "../hub/frames.ts"
import type { HubLink, Transport } from "../hub/runtime-link.ts"
import { FrameReader, FrameWriter } from "./framing.ts"

/** Output that waits for a slow reader: above this nothing more is read or delivered. */
const MAX_OUTPUT = 1_048_576
/** Requests and their bytes that wait for answers: above this nothing more is read. */
const MAX_WAITING = 256
const MAX_WAITING_BYTES = 4_194_304

const NOTHING = new Uint8Array(0)

/** A hub as connections see it. */
export interface LinkOpener {
  /** Accepts a link. */
  open(transport: Transport): HubLink
}

/** What a connection asks of the server. */
export interface ConnectionHost {
  /** Whether `bytes` more may be held for incomplete frames; they are counted if so. */
  hold(connection: HubConnection, bytes: number): boolean
  closed(connection: HubConnection): void
  /** An error is sent. */
  refused(frame: Uint8Array): void
}

/** One socket at the hub. Its memory is bounded, whatever the other side does or leaves. */
export class HubConnection implements Transport {
  readonly #socket: Socket
  readonly #host: ConnectionHost
  readonly #reader = new FrameReader()
  readonly #writer: FrameWriter
  readonly #link: HubLink
  /** Whether what comes in is dropped unread: the stream of frames has broken. */
  #deaf = false
  #closing = false
  #ended = false
  /** When it was opened, and when the other side last sent or took anything; milliseconds. */
  readonly openedAt: number
  activeAt: number
  /** Whether output waited at the last look, and how much had left by then. */
  #waited = false
  #left = 0
  /** Bytes held for an incomplete frame, as counted by the server. */
  held = 0

  /** @param now - Milliseconds. */
  constructor(socket: Socket, hub: LinkOpener, host: ConnectionHost, now: number) {
    this.#socket = socket
    this.#host = host
    this.#writer = new FrameWriter(socket, this.#drained)
    this.openedAt = now
    this.activeAt = now
    this.#link = hub.open(this)
    socket.on("drain", this.#drained)
    socket.on("end", this.#end)
    socket.on("error", ignore) // "close" follows
    socket.on("close", this.#closed)
  }

  /** The name of the agent at the other side, once it is known. */
  get name(): string | null {
    return this.#link.name
  }

  /** Whether output leaves; DELIVER waits while it does not. */
  get writable(): boolean {
    return this.#output < MAX_OUTPUT
  }

  get #output(): number {
    return this.#socket.writableLength + this.#writer.pending
  }

  /** Takes bytes from the socket. */
  receive(chunk: Uint8Array, now: number): void {
    if (this.#closing || this.#deaf) return
    this.activeAt = now
    this.#read(chunk)
  }

  #read(chunk: Uint8Array): void {
    const fault = this.#reader.push(chunk, this.#take)
    if (fault !== null) {
      this.#deaf = true
      this.#link.fault(fault === "empty" ? "hub/malformed" : "hub/too-large")
      return
    }
    const held = this.#reader.held
    if (held !== this.held && !this.#host.hold(this, held - this.held)) this.destroy()
    this.#throttle()
  }

  /** Sends a frame. */
  send(frame: Uint8Array): void {
    if (frame[1] === FRAME.error) this.#host.refused(frame)
    if (!this.#socket.destroyed) this.#writer.send(frame)
  }

  /** Closes the connection after what was sent. */
  close(): void {
    if (this.#closing) return
    this.#closing = true
    this.#writer.flush()
    this.#socket.end()
    this.#socket.resume() // what still comes is read and dropped, so that the end is seen
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#closing = true
    this.#socket.destroy()
  }

  /** Requests have been answered. */
  answered(): void {
    this.#throttle()
    this.#endIfDone()
  }

  /** Whether output has waited since the last look and nothing of it has left. */
  stalled(): boolean {
    const left = this.#socket.bytesWritten - this.#socket.writableLength
    const stalled = this.#waited && this.#output > 0 && left === this.#left
    this.#waited = this.#output > 0
    this.#left = left
    return stalled || this.#closing
  }

  readonly #take = (frame: Uint8Array): boolean => {
    this.#link.receive(frame)
    return !this.#full
  }

  /** Whether answers wait, for the disk or for the reader. */
  get #full(): boolean {
    const { waiting, waitingBytes } = this.#link
    return waiting >= MAX_WAITING || waitingBytes >= MAX_WAITING_BYTES || !this.writable
  }

  /** Reads no further while too much waits, not even what has come already. */
  #throttle(): void {
    if (this.#closing || this.#deaf) return
    if (this.#full) this.#socket.pause()
    else if (this.#reader.behind) this.#read(NOTHING)
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  readonly #drained = (): void => {
    this.#throttle()
    this.#link.drained()
  }

  /** The other side sends nothing more; what it asked is still answered. */
  readonly #end = (): void => {
    this.#ended = true
    this.#endIfDone()
  }

  #endIfDone(): void {
    if (!this.#ended || this.#link.waiting > 0 || this.#reader.behind) return
    this.#link.closed()
    this.close()
  }

  readonly #closed = (): void => {
    this.#closing = true
    this.#link.closed()
    this.#host.closed(this)
  }
}

function ignore(): void {
  // nothing to do: the connection closes by itself
}
