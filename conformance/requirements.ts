// The requirements of SPEC.md: each id with its sentence, level and section.

import type { Level } from "./runner.ts"

/** One normative sentence. */
export interface Requirement {
  readonly id: string
  readonly level: Level
  /** Section word. */
  readonly section: string
  /** Heading under which it stands, for example `10.4 Receiver`. */
  readonly heading: string
  /** The sentence, without its id. */
  readonly text: string
}

const ID = /\[([A-Z]+-\d+)\]/g

/** Reads all requirements from the text of SPEC.md, in its order. */
export function readRequirements(spec: string): readonly Requirement[] {
  const found = new Map<string, Requirement>()
  let heading = ""
  let fenced = false
  for (const line of spec.split("\n")) {
    if (line.startsWith("```")) fenced = !fenced
    if (fenced) continue
    heading = /^#{2,4} (\d.*)/.exec(line)?.[1] ?? heading
    let start = 0
    for (const match of line.matchAll(ID)) {
      const id = match[1] as string
      const before = line.slice(start, match.index)
      start = match.index + match[0].length
      // In `code` it is an example of an id.
      if (before.endsWith("`") || found.has(id)) continue
      const text = lastSentence(before)
      const section = (id.split("-")[0] as string).toLowerCase()
      found.set(id, { id, level: levelOf(text), section, heading, text })
    }
  }
  return [...found.values()]
}

/** The sentence at the end of a text, without the mark of a list before it. */
function lastSentence(text: string): string {
  const whole = text.replace(/^\s*(?:[-:*]|\d+\.)\s+/, "").trim()
  const starts = [...whole.matchAll(/[.;:]\s+(?=[A-Z])/g)].filter(
    // Not behind an abbreviation or a reference, and not the end itself.
    ({ index, 0: mark }) => index + mark.length < whole.length && whole[index] === ".",
  )
  const last = starts.at(-1)
  return last === undefined ? whole : whole.slice(last.index + last[0].length)
}

function levelOf(text: string): Level {
  if (/\b(MUST|SHALL|REQUIRED)\b/.test(text)) return "MUST"
  return /\b(SHOULD|RECOMMENDED)\b/.test(text) ? "SHOULD" : "MAY"
}
