// Vectors of SPEC §6 bundle: cards.

import type { OwnBundle } from "../../src/bundle.ts"
import { toHex } from "../../src/bytes.ts"
import { type Book, context } from "./kit.ts"

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** Adds cards, written and read. */
export function cards(book: Book, bundle: OwnBundle): void {
  const bytes = toHex(bundle.bytes)
  book.ok(250, "write a card", "BUNDLE-9", "bundle.card", { bundle: bytes })
  const card = cardOf(bundle.bytes)
  const twin = book.ok(251, "read a card", "BUNDLE-30", "bundle.readCard", { card })
  const r = (n: number, text: string, title: string) =>
    book.reject(
      n,
      "encoding/malformed",
      "BUNDLE-30",
      twin,
      context("card", text),
      title,
      "a card has one text form",
    )
  r(252, card.slice(11), "no prefix")
  r(253, `AGENTMESH1:${card.slice(11)}`, "prefix in upper case")
  r(254, `agentmesh2:${card.slice(11)}`, "prefix of another version")
  r(255, `${card}=`, "padding")
  r(256, `${card}\n`, "line feed at the end")
  r(257, ` ${card}`, "space in front")
  r(258, card.slice(0, -2), "last two characters missing")
  r(259, `${card.slice(0, 40)}+${card.slice(41)}`, "plus sign")
  r(260, `${card.slice(0, 40)}/${card.slice(41)}`, "slash")
  r(261, `${card.slice(0, 40)}\n${card.slice(40)}`, "line feed inside")
  r(262, `${card}AA`, "two characters more")
  const tail = card.slice(-1)
  r(263, card.slice(0, -1) + ALPHABET[(ALPHABET.indexOf(tail) ^ 1) % 64], "unused bits not zero")
}

/** RFC 4648 base64url without padding, written out here for the test data. */
function cardOf(bytes: Uint8Array): string {
  let [out, bits, count] = ["agentmesh1:", 0, 0]
  for (const byte of bytes) {
    bits = (bits << 8) | byte
    count += 8
    for (; count >= 6; count -= 6) out += ALPHABET[(bits >> (count - 6)) & 63]
    bits &= (1 << count) - 1
  }
  return count > 0 ? out + ALPHABET[(bits << (6 - count)) & 63] : out
}
