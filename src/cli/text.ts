// Text of others on this terminal: nothing that is invisible, nothing that steers it.

// Controls, formats, bidirectional marks, fillers and everything unassigned; then spaces that look
// like none or like another one.
const INVISIBLE =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/gu

/** The text with every invisible or steering character as `\u{...}`; line feeds and tabs stay. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    if (character === "\n" || character === "\t") return character
    return `\\u{${(character.codePointAt(0) as number).toString(16)}}`
  })
}

/** The same on one line. */
export function visibleLine(text: string): string {
  return visible(text).replace(/\n/g, "\\n").replace(/\t/g, "\\t")
}

/** JSON in which no invisible or steering character stands as itself; it parses to the same. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(INVISIBLE, (character) => {
    if (character === "\n") return character // between items: JSON has none inside a text
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("")
  })
}
