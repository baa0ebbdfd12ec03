// The portable core in a real Chromium: agents that keep their stores in IndexedDB, and all vectors.

import { existsSync, readFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { SECTIONS } from "../conformance/driver.ts"

const browserPath = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find(existsSync)
const title = browserPath === undefined ? " (skipped: no chromium)" : ""

const ARGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
]

interface PageCode {
  talk(): Promise<readonly string[]>
  vectors(sections: readonly string[]): Promise<{ passed: number; failed: string[] }>
}

/** The page's program. What only Node has is empty there: nothing of it may be called. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("./browser/page.ts", import.meta.url))],
    ...{ bundle: true, format: "esm", target: "es2022", platform: "browser", write: false },
    alias: { "#crypto": fileURLToPath(new URL("../src/crypto/noble.ts", import.meta.url)) },
    plugins: [
      {
        name: "nothing of Node",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: "node" }))
          onLoad({ filter: /.*/, namespace: "node" }, () => ({ contents: "module.exports = {}" }))
          // Agents at a hub over TCP: no vector asks for that.
          onLoad({ filter: /reference\/live\.ts$/ }, () => ({
            contents: "export const liveOps = {}",
          }))
        },
      },
    ],
  })
  return outputFiles[0]?.text ?? ""
}

describe.skipIf(browserPath === undefined)(`in a browser${title}`, { timeout: 600_000 }, () => {
  let server: Server
  let browser: Browser
  let page: Page
  const errors: string[] = []

  beforeAll(async () => {
    const script = await bundle()
    server = createServer((request, response) => {
      const name = /^\/vectors\/([a-z]+)\.json$/.exec(request.url ?? "")?.[1]
      const file = name && readFileSync(new URL(`../vectors/${name}.json`, import.meta.url))
      const html = "<!doctype html><title>AgentMesh</title>"
      const [type, body] = file
        ? ["application/json", file]
        : request.url === "/page.js"
          ? ["text/javascript", script]
          : ["text/html", html]
      response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    browser = await chromium.launch({ executablePath: browserPath as string, args: ARGS })
    page = await browser.newPage()
    page.on("pageerror", (error) => errors.push(error.message))
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.addScriptTag({ url: "page.js", type: "module" })
    expect(errors).toEqual([])
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  test("agents talk, and go on after their stores were closed", async () => {
    const said = await page.evaluate(() => {
      return (globalThis as unknown as { agentmesh: PageCode }).agentmesh.talk()
    })
    expect(said).toEqual([
      ...["alice: one", "bob: heard one", "alice: two", "bob: heard two"],
      ...["alice: three", "bob: heard three", "the same identity"],
    ])
    expect(errors).toEqual([])
  })

  test("all vectors pass", async () => {
    const { passed, failed } = await page.evaluate((sections) => {
      return (globalThis as unknown as { agentmesh: PageCode }).agentmesh.vectors(sections)
    }, SECTIONS)
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(1_000)
    expect(errors).toEqual([])
  })
})
