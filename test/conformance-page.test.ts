/// <reference lib="dom" />
// The HTML page of a report in a real Chromium, light and dark.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Case, Driver } from "../conformance/driver.ts"
import { GROUPS } from "../conformance/index.ts"
import { createReference } from "../conformance/peers/reference.ts"
import { diff } from "../conformance/report/annotate.ts"
import { buildDocument } from "../conformance/report/document.ts"
import { FORMATS } from "../conformance/report/formats.ts"
import { readRequirements } from "../conformance/requirements.ts"
import { runCases } from "../conformance/runner.ts"

const browserPath = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find(existsSync)
const title = browserPath === undefined ? " (skipped: no chromium)" : ""

const NASTY = '<img src=x onerror="alert(1)">'
const ARGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
]

/** The report on a reference with two faults and a hostile name. */
async function report() {
  const reference = createReference()
  const call: Driver["call"] = async (op, args) => {
    const reply = await reference.call(op, args)
    if (op === "hello") return { ok: { ...reply.ok, impl: { name: NASTY } } }
    if (op === "bundle.create" && reply.ok) {
      const bundle = String(reply.ok["bundle"]).replace("6955aaf0", "6955aaff")
      return { ok: { ...reply.ok, bundle } }
    }
    if (op === "suite.dh" && reply.reject) return { reject: { code: NASTY } }
    return reply
  }
  const cases: readonly Case[] = GROUPS.flatMap((group) => group.vectors().cases)
  const only = ["bundle", "suite", "identity"]
  const results = await runCases({ call }, { cases, only })
  const spec = readFileSync(new URL("../SPEC.md", import.meta.url), "utf8")
  const run = {
    ...{ mode: "run", target: null, only, tier: null, seed: null, runs: null, strict: false },
    version: "0.0.0",
  }
  const timings = { started: "2026-01-01T00:00:00.000Z", milliseconds: 1, checks: {} }
  return buildDocument(results, run, readRequirements(spec), timings)
}

describe("formats", () => {
  test("what a driver says stays text in every format", async () => {
    const document = await report()
    expect(FORMATS.html(document)).not.toContain(NASTY)
    expect(FORMATS.md(document)).not.toMatch(/(?<!\\)<img/)
    const xml = FORMATS.junit(document)
    expect(xml).not.toContain("<img")
    const open = xml.match(/<(testsuites|testsuite|testcase|failure|skipped)\b[^>]*[^/]>/g) ?? []
    const close = xml.match(/<\/(testsuites|testsuite|testcase|failure|skipped)>/g) ?? []
    expect(open.length).toBe(close.length)
    expect(xml).toContain(`failures="${document.result.failed + document.result.blocked}"`)
  })

  test("a comparison of bytes shows what differs and nothing else", () => {
    const changed = diff("83010243aabbcc", "83010343aabbcc").filter(({ side }) => side !== "both")
    expect(changed).toEqual([
      { depth: 1, hex: "02", note: "2", side: "expected" },
      { depth: 1, hex: "03", note: "3", side: "actual" },
    ])
    expect(diff("ff".repeat(20), "ff".repeat(20)).every(({ side }) => side === "both")).toBe(true)
  })
})

describe.skipIf(browserPath === undefined)(`the page${title}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "am-page-"))
  const file = join(folder, "report.html")
  let browser: Browser

  beforeAll(async () => {
    writeFileSync(file, FORMATS.html(await report()))
    browser = await chromium.launch({ executablePath: browserPath as string, args: ARGS })
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function open(colorScheme: "light" | "dark"): Promise<{ page: Page; errors: string[] }> {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width: 1200, height: 900 },
    })
    const page = await context.newPage()
    const errors: string[] = []
    page.on("pageerror", (error) => errors.push(error.message))
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()))
    page.on("request", (request) => {
      if (!request.url().startsWith("file:")) errors.push(request.url())
    })
    await page.goto(`file://${file}`)
    return { page, errors }
  }

  test.each(["light", "dark"] as const)(
    "is readable in %s, and asks for nothing",
    async (scheme) => {
      const { page, errors } = await open(scheme)
      // Contrast of WCAG 2: at least 4.5 for text.
      const worst = await page.evaluate(() => {
        const rgb = (text: string) => (text.match(/[\d.]+/g) ?? []).map(Number)
        const light = (color: readonly number[]) => {
          const [r, g, b] = color.slice(0, 3).map((part) => {
            const share = part / 255
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
          }) as [number, number, number]
          return 0.2126 * r + 0.7152 * g + 0.0722 * b
        }
        const ground = (element: Element | null): number[] => {
          for (let at = element; at; at = at.parentElement) {
            const color = rgb(getComputedStyle(at).backgroundColor)
            if (color[3] !== 0) return color
          }
          return [255, 255, 255]
        }
        const shown = [
          ...document.querySelectorAll("h1, h2, p, .badge, .label, th, td, .cell, dd, dt, .note"),
        ]
        return Math.min(
          ...shown.map((element) => {
            const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground(element))]
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
          }),
        )
      })
      expect(worst).toBeGreaterThan(4.5)
      const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      expect(back).toBe(scheme === "dark" ? "rgb(20, 22, 26)" : "rgb(247, 247, 245)")
      expect(errors).toEqual([])
      expect(await page.locator("img").count()).toBe(0)
    },
  )

  test("filters, and reveals what a requirement points to", async () => {
    const { page } = await open("light")
    const visible = page.locator("#list > :visible")
    const failing = await visible.count()
    expect(failing).toBeGreaterThan(10)
    expect(await page.locator("#list > .pass:visible").count()).toBe(0)
    await page.locator('.chip input[value="PASS"]').check()
    expect(await visible.count()).toBeGreaterThan(failing)
    await page.keyboard.press("Escape")
    await page.locator("#query").fill("bundle-0020")
    expect(await visible.count()).toBe(1)
    await page.locator("#query").fill("no such thing")
    expect(await visible.count()).toBe(0)
    await page.locator('#requirements a[href="#bundle-0020"]').first().click()
    const entry = page.locator("#bundle-0020")
    await entry.waitFor({ state: "visible" })
    expect(await entry.getAttribute("open")).not.toBeNull()
    expect(await entry.locator(".hex .expected").first().innerText()).toContain("1767222000")
    expect(await entry.locator(".hex .actual").first().innerText()).toContain("1767222015")
  })

  test("every link of the matrix leads somewhere, and every cell has a name", async () => {
    const { page } = await open("light")
    const broken = await page.evaluate(() => {
      const links = [...document.querySelectorAll<HTMLAnchorElement>('a[href^="#"]')]
      return links
        .filter((link) => !document.getElementById(link.hash.slice(1)))
        .map((link) => link.hash)
    })
    expect(broken).toEqual([])
    const nameless = page.locator("a.cell:not([aria-label])")
    expect(await nameless.count()).toBe(0)
  })
})
