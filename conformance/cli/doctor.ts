// doctor: does a driver keep the driver protocol, and what is to be done next?

import { Ajv, type ErrorObject, type ValidateFunction } from "ajv"
import { type Case, claims, type Hello, type Json, OPERATIONS } from "../driver.ts"
import { painter } from "../report/console.ts"
import { greet, lacks, runCases, tierOf } from "../runner.ts"
import { StdioDriver } from "../stdio.ts"
import { short } from "../values.ts"
import { allCases, out, packageFile } from "./context.ts"

/** Options of `doctor`. */
export interface DoctorFlags {
  readonly driver: string
  readonly timeoutScale: number
}

/** Median time for one operation above which a run is slow, milliseconds. */
const SLOW = 5

/** Examines a driver step by step; exit 0 sound, 1 not, 3 no answer to hello. */
export async function doctor(flags: DoctorFlags): Promise<number> {
  const schema = new Schema()
  const driver = new StdioDriver({
    command: flags.driver,
    timeout: 5_000 * flags.timeoutScale,
    tap: (direction, object) => direction === "<" && schema.see(object),
  })
  process.on("exit", () => driver.kill())
  const visit = new Visit(driver, schema)
  try {
    return await visit.examine()
  } finally {
    await driver.end()
  }
}

/** Holds every reply against driver.schema.json. */
class Schema {
  readonly #reply: ValidateFunction
  readonly #hello: ValidateFunction
  readonly faults = new Set<string>()
  replies = 0

  constructor() {
    const ajv = new Ajv({ strict: false })
    const schema = JSON.parse(packageFile("conformance/schema/driver.schema.json"))
    ajv.addSchema(schema)
    this.#reply = ajv.compile({ $ref: `${schema.$id}#/definitions/reply` })
    this.#hello = ajv.compile({ $ref: `${schema.$id}#/definitions/hello` })
  }

  see(object: Json): void {
    this.replies++
    if (!this.#reply(object)) this.faults.add(`${problem(this.#reply.errors)} in ${short(object)}`)
  }

  hello(hello: Hello): string | null {
    return this.#hello(hello) ? null : problem(this.#hello.errors)
  }
}

function problem(errors: readonly ErrorObject[] | null | undefined): string {
  const [first] = errors ?? []
  return `${first?.instancePath || "the reply"} ${first?.message ?? "is not as the schema says"}`
}

/** One examination. */
class Visit {
  readonly #driver: StdioDriver
  readonly #schema: Schema
  readonly #paint = painter(process.stdout)
  #faults = 0
  #next: string | null = null

  constructor(driver: StdioDriver, schema: Schema) {
    this.#driver = driver
    this.#schema = schema
  }

  async examine(): Promise<number> {
    const { hello, problem: why } = await greet(this.#driver)
    if (hello === null) {
      this.#bad("answers hello", why, 'answer hello with {"id":1,"ok":{"driver":1,...}}: DRIVER.md')
      return this.#end(3)
    }
    this.#good("starts and answers hello", hello.impl.name)
    this.#hello(hello)
    await this.#manners(hello)
    const broken = await this.#operations(hello)
    this.#traffic()
    await this.#leaving()
    if (!broken) this.#advise(hello)
    return this.#end(this.#faults > 0 ? 1 : 0)
  }

  #hello(hello: Hello): void {
    const why = this.#schema.hello(hello)
    if (why !== null) this.#bad("hello is as the schema says", why, `correct hello: ${why}`)
    else this.#good("hello is as the schema says")
    const { ops = [], tier } = hello
    const odd = ops.find((op) => !op.endsWith(".*") && !OPERATIONS.has(op))
    if (odd !== undefined) {
      this.#bad("claims known operations", `there is no operation ${odd}`, `take ${odd} out of ops`)
    }
    const high = ops.find((op) => (OPERATIONS.get(op) ?? 0) > tier)
    if (high !== undefined) {
      const needed = OPERATIONS.get(high)
      this.#bad("claims a tier", `${high} is of tier ${needed}`, `say "tier":${needed} in hello`)
    }
  }

  /** What every driver must do with what it does not know or cannot read. */
  async #manners(hello: Hello): Promise<void> {
    const unknown = await this.#driver.call("encoding.divine", { bytes: "00" })
    if (unknown.unsupported) this.#good("an unknown operation is unsupported")
    else {
      const advice = 'answer {"unsupported":{"reason":"..."}} to every operation you do not have'
      this.#bad("an unknown operation is unsupported", short(unknown as unknown as Json), advice)
    }
    const op = [...OPERATIONS.keys()].find((name) => claims(hello, name))
    if (op === undefined) return
    const odd = await this.#driver.call(op, {})
    if (odd.fault?.breakdown) {
      const advice = "catch what an operation throws and answer with fault; refuse with reject"
      this.#bad(`survives ${op} without arguments`, odd.fault.message, advice)
    } else if (odd.ok) {
      const advice = `${op} answers without looking at its arguments`
      this.#bad(`survives ${op} without arguments`, short(odd as unknown as Json), advice)
    } else this.#good(`survives ${op} without arguments`, Object.keys(odd)[0])
  }

  /** Each claimed operation with its first accepted vector; whether one failed. */
  async #operations(hello: Hello): Promise<boolean> {
    const cases = allCases()
    const tried = new Map<string, Case>()
    for (const item of cases) {
      const ops = item.steps?.map((step) => step.op) ?? [item.op as string]
      const able = ops.every((op) => claims(hello, op)) && tierOf(item) <= hello.tier
      if (item.expect !== "ok" || !able || lacks(hello, item.needs ?? [])) continue
      for (const op of ops) if (!tried.has(op)) tried.set(op, item)
    }
    const chosen = new Set([...tried.values()].map(({ id }) => id))
    const started = performance.now()
    const before = this.#schema.replies
    const { verdicts } = await runCases(this.#driver, { cases, select: ({ id }) => chosen.has(id) })
    const each = (performance.now() - started) / Math.max(1, this.#schema.replies - before)
    let failed = 0
    for (const { id, outcome, message } of verdicts) {
      if (outcome === "PASS") continue
      failed++
      const op = [...tried].find(([, item]) => item.id === id)?.[0] ?? id
      this.#bad(`${op} works once`, message, `repair ${op}: run --only ${id}`)
    }
    const claimed = [...OPERATIONS.keys()].filter((op) => claims(hello, op))
    const untried = claimed.filter((op) => !tried.has(op))
    const works = tried.size - failed
    this.#good(
      `${works} of ${tried.size} claimed operations work once`,
      `${each.toFixed(2)} ms each`,
    )
    if (untried.length > 0) this.#note(`no vector of its own tries ${untried.join(", ")}`)
    if (each > SLOW) this.#note(`${each.toFixed(1)} ms for one operation: a whole run takes long`)
    return failed > 0
  }

  #traffic(): void {
    const [fault] = this.#schema.faults
    const title = `${this.#schema.replies} replies are as driver.schema.json says`
    if (fault === undefined) this.#good(title)
    else this.#bad(title, fault, `correct the reply: ${fault}`)
  }

  async #leaving(): Promise<void> {
    if (await this.#driver.end()) this.#good("ends at the end of its input")
    else this.#bad("ends at the end of its input", "it had to be killed", "end when stdin ends")
  }

  /** The operations that are worth most now: many vectors, the lowest tier. */
  #advise(hello: Hello): void {
    const counts = new Map<string, number>()
    for (const { op, needs = [] } of allCases()) {
      if (op === undefined || claims(hello, op) || needs.includes("suite-2")) continue
      counts.set(op, (counts.get(op) ?? 0) + 1)
    }
    const tier = (op: string): number => OPERATIONS.get(op) ?? 0
    const order = [...OPERATIONS.keys()]
    const best = [...counts].sort(
      ([a, m], [b, n]) => tier(a) - tier(b) || n - m || order.indexOf(a) - order.indexOf(b),
    )
    const list = best.slice(0, 3).map(([op, count]) => `${op} (T${tier(op)}, ${count} vectors)`)
    if (list.length > 0) this.#next ??= `add an operation: ${list.join(", ")}`
    else if (hello.tier < 2) this.#next ??= `claim tier ${hello.tier + 1}: DRIVER.md lists it`
    this.#next ??= "run the suite: agentmesh-conformance run --driver ..."
  }

  #good(title: string, detail = ""): void {
    out(`${this.#paint("green", "ok ")} ${title}${detail === "" ? "" : `: ${detail}`}`)
  }

  #bad(title: string, detail: string, advice: string): void {
    this.#faults++
    this.#next ??= advice
    out(`${this.#paint("red", "bad")} ${title}: ${detail}`)
  }

  #note(text: string): void {
    out(`    ${text}`)
  }

  #end(code: number): number {
    if (code !== 0 && this.#driver.log !== "") {
      out("its standard error:")
      for (const line of this.#driver.log.trimEnd().split("\n").slice(-12)) out(`    ${line}`)
    }
    out(`${this.#paint("bold", "next")} ${this.#next ?? "run the suite"}`)
    return code
  }
}
