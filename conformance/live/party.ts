// An agent behind a driver of tier 3: its operations, and what it has told.

import { decodePayload, encodePayload } from "../../src/encoding.ts"
import type { Driver, Json, JsonObject, Reply } from "../driver.ts"
import { hex, unhex } from "../values.ts"
import type { WireEntry } from "../verdict.ts"
import { Failure } from "./hub/stream.ts"
import { check } from "./hub/trial.ts"

/** A message as `agent.poll` tells it. */
export interface Told {
  readonly from: string
  readonly fingerprint: string
  readonly text: string
  readonly id: string
  readonly re: Json
}

/** Entries of a log that are kept. */
const LOGGED = 80

/** The body of a message with a text, in hex. */
export const bodyOf = (text: string): string => hex(encodePayload({ type: "message", text }))

function textOf(body: string): string {
  try {
    return String(decodePayload(unhex(body))["text"])
  } catch {
    throw new Failure("agent.poll tells a message whose body is no payload")
  }
}

/** One agent behind a driver. */
export class Party {
  readonly driver: Driver
  /** Longest time until something due happens, milliseconds. */
  readonly patience: number
  readonly log: WireEntry[] = []
  calls = 0
  handle = ""
  fingerprint = ""
  /** Its first bundle, if it has made one without a hub. */
  bundle: string | null = null
  connected = false
  readonly messages: Told[] = []
  readonly receipts: JsonObject[] = []
  readonly undelivered: JsonObject[] = []
  readonly refused: string[] = []
  readonly problems: string[] = []
  readonly changed: string[] = []
  readonly lost: string[] = []

  /** @param patience - Longest time until something due happens, milliseconds. */
  constructor(driver: Driver, patience: number) {
    this.driver = driver
    this.patience = patience
  }

  async call(op: string, args: JsonObject): Promise<Reply> {
    this.calls++
    const reply = await this.driver.call(op, args)
    if (op !== "agent.poll" || JSON.stringify(reply).length > 160) {
      this.note({ op, args, reply })
    }
    if (reply.fault) throw new Failure(`${op}: fault: ${reply.fault.message.slice(0, 200)}`)
    if (reply.unsupported) throw new Failure(`${op}: unsupported, though hello claims tier 3`)
    return reply
  }

  /** Writes into the log. */
  note(entry: WireEntry): void {
    this.log.push(entry)
    if (this.log.length > LOGGED) this.log.shift()
  }

  async ok(op: string, args: JsonObject): Promise<JsonObject> {
    const { ok, reject } = await this.call(op, args)
    if (ok === undefined) throw new Failure(`${op}: expected ok, got ${reject?.code}`)
    return ok
  }

  /** The operation has to be refused with one of these codes. */
  async rejects(op: string, args: JsonObject, ...codes: readonly string[]): Promise<void> {
    const { reject } = await this.call(op, args)
    const code = reject?.code ?? "ok"
    if (!codes.includes(code))
      throw new Failure(`${op}: expected ${codes.join(" or ")}, got ${code}`)
  }

  /** `agent.new`. */
  async create(args: JsonObject): Promise<void> {
    const made = await this.ok("agent.new", args)
    this.handle = String(made["handle"])
    this.fingerprint = String(made["fingerprint"])
    this.bundle = (made["bundle"] ?? null) as string | null
  }

  /** `agent.submit` of a text, to one name or to several; its id. */
  async submit(
    to: string | readonly string[],
    text: string,
    more: JsonObject = {},
  ): Promise<string> {
    const args = { agent: this.handle, to, body: bodyOf(text), ...more }
    return String((await this.ok("agent.submit", args))["id"])
  }

  /** Lets the agent work, and takes what it tells. */
  async poll(wait: number = 40, more: JsonObject = {}): Promise<void> {
    const told = await this.ok("agent.poll", { agent: this.handle, wait, ...more })
    const list = (name: string): readonly Json[] => {
      const entries = told[name]
      check(Array.isArray(entries), `agent.poll tells "${name}"`)
      return entries as readonly Json[]
    }
    for (const one of list("messages") as readonly JsonObject[]) {
      const { from, fingerprint, body, id, re = null } = one
      const text = textOf(String(body))
      this.messages.push({
        text,
        from: String(from),
        fingerprint: String(fingerprint),
        id: String(id),
        re,
      })
    }
    for (const key of ["receipts", "undelivered"] as const) {
      this[key].push(...(list(key) as readonly JsonObject[]))
    }
    for (const key of ["refused", "problems", "changed", "lost"] as const) {
      this[key].push(...list(key).map(String))
    }
    this.connected = told["connected"] === true
  }

  /** Polls until something holds. The end of patience is a failure, never evidence. */
  async until(
    condition: () => boolean,
    what: string,
    meanwhile: () => Promise<void> = async () => undefined,
  ): Promise<void> {
    const deadline = Date.now() + this.patience
    for (;;) {
      if (condition()) return
      if (Date.now() > deadline) {
        const seen = [...this.refused, ...this.problems, ...this.lost].slice(-5).join(", ")
        throw new Failure(`expected in time: ${what}${seen === "" ? "" : ` (told: ${seen})`}`)
      }
      await this.poll()
      await meanwhile()
    }
  }

  /** Whether the agent has told a text. */
  told(text: string): boolean {
    return this.messages.some((one) => one.text === text)
  }
}
