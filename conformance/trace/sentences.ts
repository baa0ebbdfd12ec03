// SPEC.md, sentence by sentence: each normative one has exactly one id.

import { SECTIONS } from "../driver.ts"

const KEYWORD = /\b(?:MUST|SHALL|SHOULD|REQUIRED)\b/
const ID = /\[([A-Z]+-\d+)\]/g

/** What is wrong with the sentences of §3 to §12; empty if nothing is. */
export function lintSentences(spec: string): readonly string[] {
  const problems: string[] = []
  const seen = new Set<string>()
  for (const { word, text } of paragraphs(spec)) {
    let start = 0
    for (const { 0: mark, 1: id = "", index } of text.matchAll(ID)) {
      const before = text.slice(start, index)
      start = index + mark.length
      if (seen.has(id)) problems.push(`${id}: used twice`)
      seen.add(id)
      if (!id.startsWith(`${word.toUpperCase()}-`)) problems.push(`${id}: stands in ${word}`)
      const normative = sentences(before).filter((sentence) => KEYWORD.test(sentence))
      if (normative.length > 1) {
        problems.push(`${id}: two normative sentences before it: ${normative[0]}`)
      }
    }
    const rest = text.slice(start)
    if (KEYWORD.test(rest))
      problems.push(`${word}: a normative sentence without id: ${rest.trim()}`)
  }
  return problems
}

/** Paragraphs and list items of §3 to §12, without code. */
function* paragraphs(spec: string): Generator<{ readonly word: string; readonly text: string }> {
  const plain = spec.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "x")
  for (const [i, word] of SECTIONS.entries()) {
    const from = plain.indexOf(`\n## ${i + 3}. ${word}\n`)
    const to = plain.indexOf("\n## ", from + 1)
    // A list item and a row of a table is a paragraph of its own.
    const blocks = plain.slice(from, to).split(/\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.)\s)/)
    for (const block of blocks) yield { word, text: block.replaceAll("\n", " ") }
  }
}

function sentences(text: string): readonly string[] {
  return text.split(/(?<=[.!?])\s+(?=[A-Z*])/)
}
