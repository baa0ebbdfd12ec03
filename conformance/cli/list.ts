// list: what the suite checks, with the sentences that it checks.

import { PROPERTIES } from "../property.ts"
import { tierOf } from "../runner.ts"
import { allCases, loadRequirements, matcher, out } from "./context.ts"

/** Options of `list`. */
export interface ListFlags {
  readonly only: readonly string[]
  readonly kind?: string
  readonly tier?: number
  readonly json?: boolean
}

/** One check of the suite. */
interface Entry {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly req: readonly string[]
  readonly tier: number
}

/** Prints the checks that the options select; exit 4 if there are none. */
export async function list(flags: ListFlags): Promise<number> {
  const { only, kind, tier = 3, json } = flags
  const matches = matcher(only)
  const entries = (await everything()).filter(
    (item) => matches(item) && item.tier <= tier && (kind === undefined || item.kind === kind),
  )
  const requirements = loadRequirements()
  const sentence = (id: string): string => requirements.get(id)?.text ?? ""
  if (json) {
    const whole = entries.map((item) => ({
      ...item,
      sentences: Object.fromEntries(item.req.map((id) => [id, sentence(id)])),
    }))
    out(JSON.stringify(whole, null, 1))
  } else {
    for (const { id, kind: what, title, req, tier: level } of entries) {
      out(`${id}  ${what} T${level}  ${title}`)
      for (const item of req) out(`    ${item}  ${sentence(item)}`)
    }
    out(`${entries.length} checks`)
  }
  return entries.length === 0 ? 4 : 0
}

async function everything(): Promise<readonly Entry[]> {
  const { LIVE_CASES } = await import("./live.ts")
  return [
    ...allCases().map((item) => ({ ...item, kind: "vector", tier: tierOf(item) })),
    ...PROPERTIES.map((item) => ({ ...item, kind: "property" })),
    ...LIVE_CASES,
  ].map(({ id, kind, title, req, tier }) => ({ id, kind, title, req, tier }))
}
