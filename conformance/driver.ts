// The contract between the runner and an implementation under test, and where vectors are read.

import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Property } from "./property.ts"

/** Anything that JSON can hold. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/** Named arguments or results. Bytes are lower-case hex. */
export interface JsonObject {
  readonly [key: string]: Json
}

/** The implementation ended, gave no reply in time, or broke the protocol of DRIVER.md. */
export type Breakdown = "crash" | "timeout" | "harness"

/** One reply of a driver; exactly one of the four is present. */
export interface Reply {
  /** It worked. `trace` inside is a list of pairs: SPEC name, hex. */
  readonly ok?: JsonObject
  /** The protocol said no. `released` is content that escaped nevertheless, as hex. */
  readonly reject?: { readonly code: string; readonly released?: string }
  /** Only for what the answer to `hello` does not claim. */
  readonly unsupported?: { readonly reason: string }
  /** A bug of the implementation: always a failure. `breakdown`: what the runner saw of it. */
  readonly fault?: { readonly message: string; readonly breakdown?: Breakdown }
}

/** What a driver says about itself in answer to `hello`. */
export interface Hello extends JsonObject {
  /** Version of the driver protocol: 1. */
  readonly driver: number
  /** `AgentMesh/1`. */
  readonly spec: string
  readonly impl: { readonly name: string }
  /** `agent`, `hub` or both. */
  readonly roles: readonly string[]
  /** Highest tier of operations: 0 pure, 1 produce, 2 stateful, 3 live. */
  readonly tier: number
  readonly suites: readonly number[]
  /** `deterministic`, `trace`, `digest`, `crash`. */
  readonly caps: readonly string[]
  /** Operations that it has, if not all of its tiers: `suite.dh`, or `suite.*`. */
  readonly ops?: readonly string[]
}

/** An implementation under test, in this process or behind a pipe. */
export interface Driver {
  /** Performs one operation; see DRIVER.md for all of them. Never rejects: a bug is a `fault`. */
  call(op: string, args: JsonObject): Reply | Promise<Reply>
  /** Ends the implementation. */
  close?(): void | Promise<void>
  /** The last of what it wrote to its standard error. */
  readonly log?: string
}

/** The driver cannot be started or breaks the protocol again and again: the run ends (exit 3). */
export class HarnessError extends Error {
  override readonly name = "HarnessError"
}

const TIERS: readonly string[] = [
  `encoding.decode encoding.encode suite.dh suite.hkdf suite.draw suite.verify suite.open
   suite.decaps identity.fingerprint identity.address identity.safety bundle.accept
   bundle.acceptOneTime bundle.readCard keyschedule.expand keyschedule.ratchet keyschedule.message
   keyschedule.exchange handshake.derive envelope.open envelope.pad envelope.unpad envelope.content
   envelope.proof hub.decode hub.checkReceipt hub.compareReceipts agent.import`,
  `suite.sign suite.seal suite.encaps identity.create bundle.create bundle.createOneTime bundle.card
   handshake.initiate handshake.respond envelope.seal envelope.makeContent hub.hello hub.welcome
   hub.auth hub.receipt`,
  `session.new session.seal session.open session.expire session.digest hub.new hub.frame hub.close
   hub.restart hub.digest agent.new agent.clock agent.trust agent.oneTime agent.verify agent.forget agent.send
   agent.receive agent.snapshot agent.restore agent.export agent.digest`,
  `agent.connect agent.disconnect agent.submit agent.poll agent.receipts`,
]

/** Operations of the driver protocol and their tier; DRIVER.md describes them. */
export const OPERATIONS: ReadonlyMap<string, number> = new Map(
  TIERS.flatMap((names, tier) => names.split(/\s+/).map((name) => [name, tier] as const)),
)

/** Whether an implementation that introduces itself with `hello` claims an operation. */
export function claims(hello: Hello, op: string): boolean {
  if ((OPERATIONS.get(op) ?? 0) > hello.tier) return false
  const { ops } = hello
  return ops === undefined || ops.includes(op) || ops.includes(`${op.split(".")[0]}.*`)
}

/** The ten section words, in the order of SPEC §3 to §12. */
export const SECTIONS = [
  "encoding",
  "suite",
  "identity",
  "bundle",
  "keyschedule",
  "handshake",
  "envelope",
  "session",
  "hub",
  "agent",
] as const

/** One section word. */
export type Section = (typeof SECTIONS)[number]

/** How a rejected input differs from its accepted twin. */
export interface Mutation {
  /** `bytes`: cut/put/xor at an offset; `field`: one item changed, then signed or sealed again. */
  readonly level: "bytes" | "field" | "context"
  /** Dotted path of the argument that differs. */
  readonly field: string
  /** Offset in bytes; negative: from the end; absent: the whole value. */
  readonly at?: number
  /** Bytes that are taken away there. */
  readonly cut?: string
  /** Bytes, or the value of level `field` and `context`, that take their place. */
  readonly put?: Json
  /** Bytes that are exclusive-or-ed there. */
  readonly xor?: string
  /** Level `field`: indices from the outermost CBOR item to the changed one, through strings. */
  readonly path?: readonly number[]
  /** Level `field`: paths that change as a consequence: signatures, hashes, ciphertexts. */
  readonly follows?: readonly (readonly number[])[]
  /** Other arguments that differ too: the context without which this defect cannot be seen. */
  readonly with?: JsonObject
}

/** Intermediate values: SPEC name and hex, in the order of computation. */
export type Trace = readonly (readonly [string, string])[]

/** One step of a stateful case. */
export interface Step {
  /** Name under which later steps refer to the output: `$name`, `$name.path.0`. */
  readonly as?: string
  readonly op: string
  readonly args: JsonObject
  /** `ok` if absent, else one code. */
  readonly expect?: string
  readonly output?: JsonObject
  readonly trace?: Trace
  readonly mutation?: Mutation
  /** Index of the step in the same case that does the same without the mutation. */
  readonly twin?: number
  readonly state?: "unchanged" | "committed"
  /** How often the step is performed; the last reply counts. */
  readonly times?: number
}

/** One case of a vector file: one operation, or steps. */
export interface Case {
  readonly id: string
  readonly title: string
  /** Requirement ids of SPEC.md. */
  readonly req: readonly string[]
  /** Capabilities and suites without which the case does not apply: `deterministic`, `suite-2`. */
  readonly needs?: readonly string[]
  /** `ok`, or the one code; of a case with steps: of its rejecting steps. */
  readonly expect: string
  readonly twin?: string
  readonly mutation?: Mutation
  /** Reason for which this has to be refused, in a few words. */
  readonly why?: string
  readonly op?: string
  readonly input?: JsonObject
  readonly output?: JsonObject
  readonly trace?: Trace
  readonly steps?: readonly Step[]
}

/** One vector file. */
export interface VectorFile {
  readonly format: 1
  readonly spec: string
  readonly section: Section
  readonly counts: { readonly ok: number; readonly reject: number }
  readonly cases: readonly Case[]
  readonly tombstones: readonly { readonly id: string; readonly since: string; why: string }[]
}

/** A section of the suite: its vectors and its properties. */
export interface Group {
  readonly section: Section
  /** Reads `vectors/<section>.json`. */
  readonly vectors: () => VectorFile
  /** What holds for all inputs. */
  readonly properties: readonly Property[]
}

/** The folder of the package, from the sources or from `dist`. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder)
  return folder
}

/** The folder `vectors/` of the package. */
export function vectorsFolder(): string {
  return join(packageFolder(), "vectors")
}

/** Reads the vectors of a section. */
export function loadVectors(section: Section): VectorFile {
  return JSON.parse(readFileSync(join(vectorsFolder(), `${section}.json`), "utf8")) as VectorFile
}
