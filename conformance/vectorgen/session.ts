// Vectors of SPEC §10 session.

import { toHex } from "../../src/bytes.ts"
import { application } from "./flight.ts"
import { Book } from "./kit.ts"
import { Play } from "./play.ts"
import type { Add } from "./session-add.ts"
import { blocks, limits } from "./session-blocks.ts"
import { forgeries } from "./session-forgeries.ts"
import { longChains, order } from "./session-order.ts"
import { replays } from "./session-replays.ts"
import { manyStored, stored } from "./session-stored.ts"
import { transcripts } from "./session-talk.ts"

/** Writes all cases of this section. */
export function createSessionBook(): Book {
  const book = new Book("session")
  for (const suite of [1, 2] as const) {
    const needs = suite === 1 ? ["deterministic"] : ["deterministic", "suite-2"]
    const add: Add = (n, code, req, title, play, why) =>
      book.steps(n + 100 * (suite - 1), code, req, `${title}, suite ${suite}`, play.steps, {
        needs,
        ...(why ? { why } : {}),
      })
    transcripts(add, suite)
    replays(add, suite)
    limits(add, suite)
    blocks(add, suite)
    forgeries(add, suite)
    order(add, suite)
    if (suite === 1) {
      stored(add)
      longChains(add)
      manyStored(add)
    }
  }
  chainEnd(book)
  return book
}

/** 1,000 envelopes in one chain, and no more. */
function chainEnd(book: Book): void {
  const play = new Play(1, ["b"])
  const contents = [toHex(application("again"))]
  const args = { session: "$a", contents }
  play.steps.push({ op: "session.seal", args, times: 1000, state: "committed" })
  const put = "after 1,000 envelopes"
  play.steps.push({
    op: "session.seal",
    args,
    expect: "session/chain-limit",
    mutation: { level: "context", field: "state", put },
    twin: 1,
    state: "unchanged",
  })
  book.steps(
    90,
    "session/chain-limit",
    "SESSION-2",
    "the 1,001st envelope of a chain",
    play.steps,
    { needs: ["deterministic"], why: "a chain ends, a new session begins" },
  )
}
