// The benchmark runs and says what it measured. No time is looked at: any machine may be slow.

import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { beforeAll, describe, expect, test } from "vitest"
import type { Figure } from "../bench/measure.ts"
import { barChart } from "../bench/plot.ts"
import { judge } from "../bench/targets.ts"

const main = fileURLToPath(new URL("../dist/bench/main.js", import.meta.url))

function bench(...args: readonly string[]) {
  return spawnSync(process.execPath, [main, ...args], { encoding: "utf8" })
}

describe("npm run bench", () => {
  let figures: readonly Figure[] = []
  beforeAll(() => {
    const { stdout, status } = bench("--quick", "codec", "handshake", "--json", "-")
    expect(status).toBe(0)
    figures = JSON.parse(stdout).figures
  }, 60_000)

  test("gives every figure a value for each round", () => {
    for (const { id, values } of figures) {
      expect(values.length, id).toBe(2)
      for (const value of values) expect(Number.isFinite(value), id).toBe(true)
    }
  })

  test("measures handshakes of both suites beside their floor, on both backends", () => {
    const ids = figures.filter(({ ratio }) => ratio?.length === 2).map(({ id }) => id)
    const suites = ["handshake/1", "handshake/2"]
    expect(ids).toEqual([...suites, ...suites.map((id) => `portable/${id}`)])
  })

  test("knows its groups", () => {
    const { status, stderr } = bench("--quick", "speed")
    expect(status).toBe(2)
    expect(stderr).toMatch(/no group speed; there are primitives, /)
  })
})

describe("targets", () => {
  const figure = (id: string, value: number, ratio: number): Figure => {
    return { id, what: id, unit: "µs", values: [value], floor: [1], ratio: [ratio] }
  }

  test("are met or missed by the median", () => {
    const values = [0.1, 0.4, 9]
    const p50: Figure = { id: "end-to-end/memory/p50", what: "", unit: "ms", values }
    const verdicts = judge([p50, figure("envelope/1/600x1", 1, 1.26)])
    expect(verdicts.map(({ met, value }) => [met, value])).toEqual([
      [false, 1.26],
      [true, 0.4],
    ])
  })

  test("of growth compare two figures, and nothing if one was not measured", () => {
    const few = figure("scale/10", 10, 1)
    const many = figure("scale/10000", 11.4, 1)
    expect(judge([few, many]).map(({ met }) => met)).toEqual([true])
    expect(judge([many])).toEqual([])
  })
})

test("a plot has a bar and a label for each value", () => {
  const svg = barChart("a < b", [
    { label: "one", value: 2, part: 1 },
    { label: "two", value: 4 },
  ])
  expect(svg.match(/<rect class="bar"/g)?.length).toBe(2)
  expect(svg).toContain("a &lt; b")
  expect(svg).toContain("prefers-color-scheme: dark")
})
