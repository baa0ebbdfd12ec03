// The machinery of the mutants: a kill is a failing check that cites the requirement, nothing less.

import { describe, expect, test } from "vitest"
import { examine } from "../conformance/mutants/examine.ts"
import { loadKills, loadMutants } from "../conformance/mutants/index.ts"
import type { Mutant } from "../conformance/mutants/mutant.ts"
import { Workspace } from "../conformance/mutants/workspace.ts"
import { lintSentences } from "../conformance/trace/sentences.ts"

const base: Mutant = {
  id: "identity-m99",
  req: "IDENTITY-6",
  title: "accepts names of 65 characters",
  file: "src/identity.ts",
  find: "{0,63}$/",
  replace: "{0,64}$/",
}

async function fate(mutant: Mutant, search = false, clean?: Mutant) {
  const workspace = await Workspace.open()
  try {
    const copy = workspace.mutate(mutant)
    if ("problem" in copy) return { outcome: "broken", by: copy.problem }
    const { id, req } = mutant
    const other = clean === undefined ? null : workspace.mutate(clean)
    const without = other && "folder" in other ? other.folder : workspace.clean
    return await examine({ id, req, folder: copy.folder, clean: without, search })
  } finally {
    workspace.close()
  }
}

describe("mutants", () => {
  test("a fault is killed by a check that cites it", async () => {
    expect(await fate(base)).toMatchObject({ outcome: "killed" })
  }, 60_000)

  test("a fault that only other checks see is not killed", async () => {
    const other = { ...base, req: "IDENTITY-5" }
    expect(await fate(other, true)).toMatchObject({ outcome: "uncited" })
  }, 120_000)

  test("a check that the reference fails too kills nothing", async () => {
    const wrong = { ...base, replace: "{0,65}$/" }
    expect(await fate(base, false, wrong)).toMatchObject({ outcome: "broken" })
  }, 60_000)

  test("a copy without a fault survives", async () => {
    const none = { ...base, replace: "{0,63}$/u" }
    expect(await fate(none)).toMatchObject({ outcome: "survived" })
  }, 60_000)

  test("a text that is not there, and a copy that does not load, are no kill", async () => {
    expect(await fate({ ...base, find: "no such text" })).toMatchObject({ outcome: "broken" })
    expect(await fate({ ...base, replace: "{0,63}$/; throw 1 //" })).toMatchObject({
      outcome: "broken",
    })
  }, 60_000)

  test("at least 100, each with an id of its own, in the reference", () => {
    const all = loadMutants()
    expect(all.length).toBeGreaterThanOrEqual(100)
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
    expect(all.every(({ file }) => file.startsWith("src/"))).toBe(true)
    expect(Object.keys(loadKills()).length).toBe(all.length)
  })
})

describe("sentences", () => {
  const spec = (text: string) => `# x\n\n## 3. encoding\n\n${text}\n\n## 4. suite\n\n## 13. end\n`
  test("one id each", () => {
    expect(lintSentences(spec("- A MUST b. [ENCODING-1]"))).toEqual([])
    expect(lintSentences(spec("- A MUST b."))).toHaveLength(1)
    expect(lintSentences(spec("- A MUST b. C MUST d. [ENCODING-1]"))).toHaveLength(1)
    expect(lintSentences(spec("- A MUST b. [ENCODING-1]\n- C MUST d. [ENCODING-1]"))).toHaveLength(
      1,
    )
  })
})
