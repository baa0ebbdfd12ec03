// Reference driver, SPEC §11: a hub under a hand-driven clock, with a store that can fail.

import { fromHex, toUtf8 } from "../../../src/bytes.ts"
import { decode } from "../../../src/encoding.ts"
import type { Environment } from "../../../src/environment.ts"
import { AgentMeshError } from "../../../src/errors.ts"
import { hubErrorCode } from "../../../src/hub/frames.ts"
import { decodeRow, encodeRow, type Row, type Write } from "../../../src/hub/rows.ts"
import { HubRuntime } from "../../../src/hub/runtime.ts"
import type { RuntimeLink } from "../../../src/hub/runtime-link.ts"
import type { HubStore, StoredRow } from "../../../src/hub/store.ts"
import { sha256 } from "../../../src/suite.ts"
import type { JsonObject } from "../../driver.ts"
import { deterministicDraw } from "../../vectorgen/draws.ts"
import { bytesArg, hex, numberArg, type Ops, textArg } from "./args.ts"
import { hubKeyOf, limitsArg } from "./hubs.ts"

/** Rows in memory; they survive a restart, and one write can be told to fail. */
class TestStore implements HubStore {
  readonly durable = true
  readonly rows = new Map<string, Uint8Array>()
  failNext = false

  async open(): Promise<void> {}

  async close(): Promise<void> {}

  async read(keys: readonly string[]): Promise<readonly (Row | null)[]> {
    return keys.map((key) => this.#row(key))
  }

  #row(key: string): Row | null {
    const row = this.rows.get(key)
    return row === undefined ? null : decodeRow(key, row)
  }

  async range(
    from: string,
    below: string,
    limit: number,
    maxBytes: number = Number.POSITIVE_INFINITY,
  ): Promise<{ rows: readonly StoredRow[]; more: boolean }> {
    const keys = [...this.rows.keys()].filter((key) => key >= from && key < below).sort()
    const rows: StoredRow[] = []
    let bytes = 0
    for (const key of keys.slice(0, limit)) {
      if (bytes >= maxBytes) break
      rows.push([key, this.#row(key) as Row])
      bytes += (this.rows.get(key) as Uint8Array).length
    }
    return { rows, more: keys.length > rows.length }
  }

  async write(writes: Iterable<Write>): Promise<void> {
    if (this.failNext) {
      this.failNext = false
      throw new Error("the store was told to fail")
    }
    for (const [key, row] of writes) {
      if (row === null) this.rows.delete(key)
      else this.rows.set(key, encodeRow(row))
    }
  }
}

interface Wire {
  readonly link: RuntimeLink
  readonly frames: string[]
  open: boolean
}

class LiveHub {
  readonly store = new TestStore()
  readonly #links = new Map<string, Wire>()
  readonly #options: ConstructorParameters<typeof HubRuntime>[0]
  #runtime: HubRuntime
  #now = 0

  constructor(args: JsonObject) {
    const seed = bytesArg(args, "seed")
    const environment: Environment = {
      now: () => this.#now * 1000,
      after: () => () => undefined,
      draw: deterministicDraw(seed),
    }
    const settings = { limits: limitsArg(args), maxNames: numberArg(args, "maxNames", 1000) }
    this.#options = { store: this.store, environment, settings, secret: hubKeyOf(seed).secret }
    this.#runtime = new HubRuntime(this.#options)
  }

  start(): Promise<void> {
    return this.#runtime.start()
  }

  async frame(name: string, frame: Uint8Array, now: number): Promise<JsonObject> {
    this.#now = now
    const wire = this.#links.get(name) ?? this.#connect(name)
    if (wire.open) wire.link.receive(frame)
    await this.#settle()
    return this.#taken(name)
  }

  async close(name: string): Promise<JsonObject> {
    const wire = this.#links.get(name)
    if (wire?.open) {
      wire.open = false
      wire.link.closed()
    }
    await this.#settle()
    return this.#taken("")
  }

  async restart(): Promise<void> {
    await this.#runtime.stop()
    this.#links.clear()
    this.#runtime = new HubRuntime(this.#options)
    await this.#runtime.start()
  }

  #connect(name: string): Wire {
    const frames: string[] = []
    const transport = {
      writable: true,
      send: (frame: Uint8Array) => void frames.push(hex(frame)),
      close: () => {
        wire.open = false
      },
    }
    const wire: Wire = { link: this.#runtime.open(transport), frames, open: true }
    this.#links.set(name, wire)
    return wire
  }

  /** Waits until nothing is on its way. */
  async #settle(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await this.#runtime.ask("", { type: "ping" }).catch(() => undefined)
      await new Promise((done) => setImmediate(done))
    }
  }

  /** All frames since the last call, by link; an error for `name` is a refusal. */
  #taken(name: string): JsonObject {
    const frames: [string, string][] = []
    const closed: string[] = []
    for (const [link, wire] of [...this.#links].sort(([a], [b]) => (a < b ? -1 : 1))) {
      for (const frame of wire.frames.splice(0)) frames.push([link, frame])
      if (!wire.open) closed.push(link)
    }
    const last = frames.findLast(([link]) => link === name)?.[1]
    if (last !== undefined) {
      const [type, , code] = decode(fromHex(last)) as readonly number[]
      if (type === 21) throw new AgentMeshError(hubErrorCode(code as number), "the hub refused")
    }
    return { frames, closed }
  }
}

export const hubLiveOps: Ops = {
  async "hub.new"(args, handles) {
    const hub = new LiveHub(args)
    await hub.start()
    return { handle: handles.add("hub", hub), hubIk: hex(hubKeyOf(bytesArg(args, "seed")).ik) }
  },
  "hub.frame"(args, handles) {
    const hub = handles.get<LiveHub>(args, "hub")
    hub.store.failNext = args["fail"] === true
    return hub.frame(textArg(args, "link"), bytesArg(args, "frame"), numberArg(args, "now"))
  },
  "hub.close"(args, handles) {
    return handles.get<LiveHub>(args, "hub").close(textArg(args, "link"))
  },
  async "hub.restart"(args, handles) {
    await handles.get<LiveHub>(args, "hub").restart()
    return { restarted: true }
  },
  "hub.digest"(args, handles) {
    const { rows } = handles.get<LiveHub>(args, "hub").store
    const all = [...rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, row]) => `${key} ${hex(row)}`)
    return { digest: hex(sha256(toUtf8(all.join("\n")))) }
  },
}
