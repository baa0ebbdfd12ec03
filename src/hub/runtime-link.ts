// SPEC §11 hub: what the runtime keeps of one link while it lasts.

import type { HubErrorCode } from "./frames.ts"
import { type LinkState, NEW_LINK } from "./link.ts"

/** One end of a link, as the runtime uses it. */
export interface Transport {
  /** Sends a frame, without its length. */
  send(frame: Uint8Array): void
  /** Closes the link after everything that was sent. */
  close(): void
  /** Whether what was sent is leaving; DELIVER waits while it does not. */
  readonly writable: boolean
  /** Requests of this link have been answered. */
  answered?(): void
}

/** A message that is durable and waits for room on its link. */
export interface Queued {
  readonly mseq: number
  readonly from: string
  readonly envelope: Uint8Array
  /** When it was stored, in Unix seconds. */
  readonly time: number
}

/** What a link tells the runtime. */
export interface LinkHost {
  receive(link: RuntimeLink, frame: Uint8Array): void
  fault(link: RuntimeLink, code: HubErrorCode): void
  resume(link: RuntimeLink): void
  forget(link: RuntimeLink): void
}

/** What a transport uses of its link. */
export interface HubLink {
  /** The name of a ready link, else null. */
  readonly name: string | null
  /** Requests that wait for their answer, and their bytes. */
  readonly waiting: number
  readonly waitingBytes: number
  receive(frame: Uint8Array): void
  fault(code: HubErrorCode): void
  drained(): void
  closed(): void
}

/** A link at the hub: the transport reports what comes in, the runtime keeps the rest. */
export class RuntimeLink implements HubLink {
  readonly transport: Transport
  readonly #host: LinkHost
  /** @internal */
  state: LinkState = NEW_LINK
  /** The name of a link that is or was ready. @internal */
  owner: string | null = null
  /** mseqs delivered and not acknowledged. @internal */
  readonly flight: Set<number> = new Set()
  /** Highest mseq delivered or queued on this link. @internal */
  cursor = 0
  /** Messages up to the cursor that wait for room, and the bytes of their envelopes. @internal */
  queue: Queued[] = []
  queuedBytes = 0
  /** Whether there may be stored messages above the cursor. @internal */
  backlog = false
  /** Requests that wait for their answer, and their bytes. */
  waiting = 0
  waitingBytes = 0

  /** @internal */
  constructor(host: LinkHost, transport: Transport) {
    this.#host = host
    this.transport = transport
  }

  /** The name of a ready link, else null. */
  get name(): string | null {
    return this.state.phase === "ready" ? this.state.peer.name : null
  }

  /** A frame came in. */
  receive(frame: Uint8Array): void {
    this.#host.receive(this, frame)
  }

  /** The stream of frames cannot go on: the error is sent after all answers, then the end. */
  fault(code: HubErrorCode): void {
    this.#host.fault(this, code)
  }

  /** The transport can send again. */
  drained(): void {
    this.#host.resume(this)
  }

  /** The other end is gone. */
  closed(): void {
    this.#host.forget(this)
  }
}
