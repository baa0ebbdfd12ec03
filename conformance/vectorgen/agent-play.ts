// Vectors of SPEC §12 agent: agents without a hub.

import { addresses } from "./agent-addresses.ts"
import { clones, exports } from "./agent-clones.ts"
import { contents, copies } from "./agent-contents.ts"
import { forgettingCases } from "./agent-forgetting.ts"
import { judgingCases } from "./agent-judging.ts"
import { keptCases } from "./agent-kept.ts"
import { keyCases } from "./agent-keys.ts"
import { oneTimeKeys } from "./agent-one-time.ts"
import { replays } from "./agent-replays.ts"
import type { Add } from "./agent-script.ts"
import { stampCases } from "./agent-stamps.ts"
import { conversations } from "./agent-talk.ts"
import { times } from "./agent-times.ts"
import { trusting } from "./agent-trust.ts"
import type { Book } from "./kit.ts"

/** Adds the cases of `agent.new` and what follows. */
export function agentCases(book: Book): void {
  const add: Add = (n, code, req, title, steps, why) => {
    // Agents offer both suites unless they are told otherwise.
    const both = steps.some(({ op, args }) => {
      return op === "agent.new" && JSON.stringify(args["suites"]) !== "[1]"
    })
    book.steps(n, code, req, title, steps, {
      needs: ["deterministic", "role-agent", ...(both ? ["suite-2"] : [])],
      ...(why ? { why } : {}),
    })
  }
  conversations(add)
  trusting(add)
  addresses(add)
  replays(add)
  oneTimeKeys(add)
  contents(add)
  copies(add)
  clones(add)
  times(add)
  exports(add)
  keyCases(add)
  judgingCases(add)
  stampCases(add)
  forgettingCases(add)
  keptCases(add)
}
