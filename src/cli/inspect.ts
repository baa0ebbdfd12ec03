// inspect: any bundle, card, envelope, frame, export or vector, byte by byte.

import type { Command } from "commander"
import { action, type Context, type Globals } from "./context.ts"
import { EXIT, exitOf, usage } from "./failure.ts"
import { type Finding, identify } from "./inspect/identify.ts"
import { render, toObject } from "./inspect/render.ts"
import { fromText, readSource, type VectorCase } from "./inspect/source.ts"
import { safeJson, visibleLine } from "./text.ts"

interface Flags extends Globals {
  readonly full?: boolean
}

const LENGTH = 4

/** Without the length that stands before a frame on TCP (SPEC §11). */
function withoutLength(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const framed = bytes.length > LENGTH && view.getUint32(0) === bytes.length - LENGTH
  return framed ? bytes.subarray(LENGTH) : bytes
}

function show(context: Context, found: Finding, length: boolean, full: boolean): number {
  const { output } = context
  const { bytes, item, part, fault, checked } = found
  const title = `${part.name}, ${bytes.length} bytes${length ? " after their length" : ""}`
  const verdict = fault
    ? `${output.style("red", "refused:")} ${visibleLine(fault.message)}`
    : output.style("green", "good")
  const text = [title, "", render(found, output, full), "", `${verdict}; checked: ${checked}`]
  const object = {
    what: part.name,
    bytes: bytes.length,
    fault,
    checked,
    tree: toObject(item, part),
  }
  output.result(object, text.join("\n"))
  return fault ? exitOf(fault.code) : EXIT.ok
}

function inspectBytes(context: Context, given: Uint8Array, full: boolean): number {
  if (given.length === 0) throw usage("there are no bytes")
  const bytes = withoutLength(given)
  const now = Math.floor(Date.now() / 1_000)
  return show(context, identify(bytes, now), bytes !== given, full)
}

/** The byte strings of a case that are structures. */
function structures(value: unknown, path: string): readonly (readonly [string, Uint8Array])[] {
  if (typeof value === "string") {
    const bytes = /^([0-9a-f]{2}){8,}$|^agentmesh1:/.test(value) ? fromText(value) : null
    const known = bytes && isStructure(bytes)
    return known ? [[path, bytes]] : []
  }
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => structures(item, `${path}.${key}`))
}

function isStructure(bytes: Uint8Array): boolean {
  try {
    return !identify(bytes, 0).part.name.startsWith("CBOR")
  } catch {
    return false
  }
}

function showCase(context: Context, one: VectorCase, full: boolean): void {
  const { output } = context
  const { id, title, req, expect, input, output: expected } = one
  const { context: { now = 0 } = {} } = (input ?? {}) as { context?: { now?: number } }
  const head = `${output.style("bold", id)}  ${title}\nexpects ${expect}  [${req.join(", ")}]`
  output.result(one, head)
  if (output.json) return
  const found = [...structures(input, "input"), ...structures(expected, "output")]
  for (const [path, bytes] of found) {
    output.line(`\n${output.style("bold", path)}`)
    show(context, identify(bytes, now), false, full)
  }
  if (found.length === 0) output.line(safeJson({ input, output: expected }, 2))
}

/** Adds the command. */
export function addInspect(program: Command): void {
  program
    .command("inspect")
    .description("explain a bundle, card, envelope, frame, export or vector file, byte by byte")
    .argument("<what>", "a file, hex, base64, a card agentmesh1:..., or - for standard input")
    .argument("[case]", "id of a case, if it is a file of vectors")
    .option("--full", "show every byte of long strings")
    .action(
      action<Flags>(async (context, [what = "", id], { full = false }) => {
        const source = readSource(what)
        if (source instanceof Uint8Array) {
          if (id !== undefined) throw usage("only a file of vectors has cases")
          return inspectBytes(context, source, full)
        }
        const { cases, section } = source
        if (id === undefined) {
          for (const one of cases) {
            context.output.result(one, `${one.id}  ${one.expect.padEnd(10)}  ${one.title}`)
          }
          context.output.note(`${cases.length} cases of ${section}; name one to see it`)
          return EXIT.ok
        }
        const found = cases.find((one) => one.id === id)
        if (found === undefined) throw usage(`there is no case ${id} in this file`)
        showCase(context, found, full)
        return EXIT.ok
      }),
    )
}
