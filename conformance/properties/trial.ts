// One run of a property: every call to the driver is judged at once and written down.

import type { Driver, Hello, Json, JsonObject, Mutation, Reply } from "../driver.ts"
import { describe, type Finding, judgeReply } from "../judge.ts"
import { createReference } from "../peers/reference.ts"
import { mutateBytes } from "../values.ts"

/** A property does not hold; the message says what was expected and what came. */
export class Falsified extends Error {
  override readonly name = "Falsified"
  /** The same in parts, where one reply shows it. */
  readonly finding: Partial<Finding>

  constructor(message: string, finding: Partial<Finding> = {}) {
    super(message)
    this.finding = finding
  }
}

/** One call of a run, with what the property asked of it. */
export interface Entry {
  readonly op: string
  readonly args: JsonObject
  readonly reply: Reply
  /** `ok`, or the one code. */
  readonly expect: string
  readonly output?: JsonObject
  readonly state?: "unchanged" | "committed"
}

/** How a value came from another by a mutation of its bytes. */
export interface Origin {
  readonly from: string
  readonly mutation: Omit<Mutation, "field" | "level">
}

/** Performs operations of which every one has to succeed. */
export interface Performer {
  ok(op: string, args: JsonObject): Promise<JsonObject>
}

/** Text of a reply for messages. */
export function told(reply: Reply): string {
  if (reply.ok) return "ok"
  if (reply.reject) return reply.reject.code
  if (reply.fault) return `fault: ${reply.fault.message.split("\n")[0]}`
  return reply.unsupported ? `unsupported: ${reply.unsupported.reason}` : "no verdict"
}

const STATEFUL = ["session", "agent", "hub"] as const

/** The reference in this process: the other end, and the judge of what the driver makes. */
export class Oracle implements Performer {
  readonly #driver: Driver = createReference()

  /** Any reply. */
  async call(op: string, args: JsonObject): Promise<Reply> {
    return this.#driver.call(op, args)
  }

  /** A result; a refusal is a defect of the property itself. */
  async ok(op: string, args: JsonObject): Promise<JsonObject> {
    const reply = await this.call(op, args)
    if (reply.ok === undefined) throw new Error(`the reference refuses ${op}: ${told(reply)}`)
    return reply.ok
  }

  /** `ok`, or the code of a refusal. */
  async verdict(op: string, args: JsonObject): Promise<string> {
    return told(await this.call(op, args))
  }
}

/** A driver under test during one run of a property. */
export class Trial implements Performer {
  readonly hello: Hello
  /** The reference, with handles of its own. */
  readonly oracle: Oracle = new Oracle()
  /** What was called so far. */
  readonly log: Entry[] = []
  /** Values that {@link mutated} has made. */
  readonly origins: Map<string, Origin> = new Map()
  readonly #driver: Driver
  readonly #spent: () => void
  readonly #handles: string[] = []

  /** @param spent - Told of each call. */
  constructor(driver: Driver, hello: Hello, spent: () => void = () => undefined) {
    this.#driver = driver
    this.hello = hello
    this.#spent = spent
  }

  /** Whether equal seeds give equal bytes. */
  get deterministic(): boolean {
    return this.hello.caps.includes("deterministic")
  }

  /** Performs an operation that has to succeed, with at least this output. */
  async ok(op: string, args: JsonObject, output?: JsonObject): Promise<JsonObject> {
    const reply = await this.#call(op, args)
    this.#note({ op, args, reply, expect: "ok", ...(output ? { output } : {}) })
    await this.#judge(op, args, reply, "ok", output)
    return reply.ok as JsonObject
  }

  /** Performs an operation that has to be refused with this code. */
  async reject(op: string, args: JsonObject, code: string, state?: "unchanged"): Promise<void> {
    const watched = state !== undefined && this.hello.caps.includes("digest")
    const before = watched ? await this.#digest(args) : ""
    const reply = await this.#call(op, args)
    this.#note({ op, args, reply, expect: code, ...(watched ? { state } : {}) })
    await this.#judge(op, args, reply, code)
    if (watched && (await this.#digest(args)) !== before) {
      throw new Falsified(`${op}: refused with ${code}, but the state changed`)
    }
  }

  /** Performs what has to end as `expect` says: `ok` or a code. */
  async ends(op: string, args: JsonObject, expect: string, output?: JsonObject): Promise<void> {
    if (expect === "ok") await this.ok(op, args, output)
    else await this.reject(op, args, expect)
  }

  /** Performs an operation that must give what the reference gives, success or code. */
  async same(op: string, args: JsonObject): Promise<Reply> {
    const reply = await this.oracle.call(op, args)
    if (reply.ok === undefined) {
      await this.reject(op, args, told(reply))
      return reply
    }
    const { trace: _trace, ...output } = reply.ok
    return { ok: await this.ok(op, args, output) }
  }

  /** Whatever comes, unless it is a bug; for calls that the property judges itself. */
  async either(op: string, args: JsonObject): Promise<Reply> {
    const reply = await this.#call(op, args)
    const expect = reply.reject?.code ?? "ok"
    this.#note({ op, args, reply, expect })
    if (!reply.ok && !reply.reject) throw new Falsified(`${op}: ${told(reply)}`)
    return reply
  }

  /** A claim about what came. */
  check(holds: boolean, message: string): void {
    if (!holds) throw new Falsified(message)
  }

  /** Equality of values that came with values that had to come. */
  equal(actual: Json | undefined, expected: Json, what: string): void {
    const [came, wanted] = [JSON.stringify(actual) ?? "nothing", JSON.stringify(expected)]
    this.check(came === wanted, `${what}: expected ${short(wanted)}, got ${short(came)}`)
  }

  /** Bytes with a mutation; the mutation is remembered for the counterexample. */
  mutated(from: string, mutation: Origin["mutation"]): string {
    const made = mutateBytes(from, { level: "bytes", field: "", ...mutation })
    this.origins.set(made, { from, mutation })
    return made
  }

  /** Frees what the run has created. */
  async end(): Promise<void> {
    for (const handle of this.#handles.splice(0)) await this.#call("drop", { handle })
  }

  async #judge(
    op: string,
    args: JsonObject,
    reply: Reply,
    expect: string,
    output?: JsonObject,
  ): Promise<void> {
    const finding = await judgeReply(reply, expect, output)
    if (finding === null) return
    throw new Falsified(`${op}: ${finding.message}`, { did: `${op} ${describe(args)}`, ...finding })
  }

  #note(entry: Entry): void {
    this.log.push(entry)
    const handle = entry.reply.ok?.["handle"]
    if (typeof handle === "string") this.#handles.push(handle)
  }

  /** A driver that throws has crashed. */
  async #call(op: string, args: JsonObject): Promise<Reply> {
    this.#spent()
    try {
      return await this.#driver.call(op, args)
    } catch (error) {
      return { fault: { message: `crash: ${(error as Error)?.message ?? error}` } }
    }
  }

  async #digest(args: JsonObject): Promise<string> {
    let all = ""
    for (const kind of STATEFUL) {
      const handle = args[kind]
      if (typeof handle !== "string") continue
      all += JSON.stringify((await this.#call(`${kind}.digest`, { [kind]: handle })).ok ?? "none")
    }
    return all
  }
}

function short(text: string): string {
  return text.length > 100 ? `${text.slice(0, 96)}...` : text
}
