// A hub with a listener, or an attacker, on each link.

import type { Value } from "../../src/encoding.ts"
import { encode } from "../../src/encoding.ts"
import type { FrameLink, Hub, LinkEvents } from "../../src/hub/hub.ts"
import { decodeFrame, FRAME } from "../../src/hub/wire.ts"

/** A decoded frame: its type, then its items. */
export type Frame = readonly [type: number, ...Value[]]

/** An envelope that an agent gave to the hub. */
export interface Transmission {
  readonly from: string
  readonly to: string
  readonly mid: Uint8Array
  readonly envelope: Uint8Array
}

/** What an attacker on the link does; each may replace or (null) drop a frame. */
export interface Attack {
  /** A frame from the agent to the hub. */
  up?(frame: Frame): Frame | null
  /** A frame from the hub to the agent; `asked` is the request that a reply answers. */
  down?(frame: Frame, asked: Frame | undefined): Frame | readonly Frame[] | null
}

/** The same hub, as one agent sees it through a wire that can be listened to and cut. */
export class Tap implements Hub {
  readonly address: string
  readonly inProcess = true
  readonly fingerprint: string | undefined
  readonly #hub: Hub
  readonly #owner: string
  readonly #links = new Set<{ cut(): void; inject(frame: Frame): void }>()
  readonly #asked = new Map<number, Frame>()
  attack: Attack = {}
  /** Whether links can be opened. */
  up = true
  /** Frames that the agent sent, without those of the opening. */
  readonly frames: Frame[] = []
  readonly sent: Transmission[] = []

  constructor(hub: Hub, owner: string) {
    this.#hub = hub
    this.#owner = owner
    this.address = hub.address
    this.fingerprint = hub.fingerprint
  }

  async open(events: LinkEvents): Promise<FrameLink> {
    if (!this.up) throw new Error("connection refused")
    let open = true
    const down = (frame: Frame) => {
      if (open) events.frame(encode(frame as unknown as Value))
    }
    const link = await this.#hub.open({
      frame: (bytes) => {
        if (!open) return
        const frame = decodeFrame(bytes) as Frame
        const asked = frame[0] === FRAME.reply || frame[0] === FRAME.error
        const about = asked ? this.#asked.get(frame[1] as number) : undefined
        if (asked) this.#asked.delete(frame[1] as number)
        const result = this.attack.down ? this.attack.down(frame, about) : frame
        if (result === frame) events.frame(bytes)
        else if (result !== null) for (const one of many(result)) down(one)
      },
      closed: (error) => {
        if (open) events.closed(error)
        open = false
        this.#links.delete(control)
      },
    })
    const control = {
      cut: () => {
        if (!open) return
        open = false
        this.#links.delete(control)
        link.close()
        events.closed()
      },
      inject: down,
    }
    this.#links.add(control)
    return {
      send: (bytes) => {
        if (!open) return
        const frame = decodeFrame(bytes) as Frame
        if (frame[0] >= FRAME.putBundle) this.#listen(frame)
        const result = this.attack.up ? this.attack.up(frame) : frame
        if (result === frame) link.send(bytes)
        else if (result !== null) link.send(encode(result as unknown as Value))
      },
      close: () => {
        open = false
        this.#links.delete(control)
        link.close()
      },
    }
  }

  #listen(frame: Frame): void {
    this.frames.push(frame)
    this.#asked.set(frame[1] as number, frame)
    if (frame[0] !== FRAME.send) return
    const [, , to, mid, envelope] = frame as [number, number, string, Uint8Array, Uint8Array]
    this.sent.push({ from: this.#owner, to, mid, envelope })
  }

  /** Cuts all links; the agent may reconnect. */
  cut(): void {
    for (const link of [...this.#links]) link.cut()
  }

  /** Sends a frame to the agent as the hub would. */
  inject(frame: Frame): void {
    for (const link of [...this.#links]) link.inject(frame)
  }
}

function many(result: Frame | readonly Frame[]): readonly Frame[] {
  return Array.isArray(result[0]) ? (result as readonly Frame[]) : [result as Frame]
}
