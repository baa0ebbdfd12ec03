// Follows every relative link: in the Markdown files of the project, and in the built pages.
//
//   npm run docs && node scripts/check-links.mjs [PAGES]      PAGES: by default docs/api
//
// A link whose file or anchor is missing is printed; then the exit code is 1. Links to other hosts
// are not followed.

import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const pages = resolve(root, process.argv[2] ?? "docs/api")

/** The anchor that GitHub and typedoc give a heading. */
const slug = (heading) =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, "")
    .replaceAll(" ", "-")

/** Markdown without fenced blocks and code spans: what stands there is no link. */
const prose = (text) => text.replace(/^ *```[\s\S]*?^ *```/gm, "").replace(/`[^`\n]*`/g, "")

function anchorsOfMarkdown(text) {
  const seen = new Map()
  const anchors = new Set()
  for (const [, heading] of text
    .replace(/^ *```[\s\S]*?^ *```/gm, "")
    .matchAll(/^#+ +(.+?) *$/gm)) {
    const base = slug(heading)
    const count = seen.get(base) ?? 0
    seen.set(base, count + 1)
    anchors.add(count === 0 ? base : `${base}-${count}`)
  }
  for (const [, id] of text.matchAll(/\b(?:id|name)="([^"]+)"/g)) anchors.add(id)
  return anchors
}

const anchorsOfPage = (text) => new Set([...text.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id))

const anchorCache = new Map()
function anchors(file) {
  if (!anchorCache.has(file)) {
    const text = readFileSync(file, "utf8")
    anchorCache.set(file, file.endsWith(".md") ? anchorsOfMarkdown(text) : anchorsOfPage(text))
  }
  return anchorCache.get(file)
}

let [links, broken] = [0, 0]
function follow(file, link) {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(link)) return
  links++
  const [path, anchor] = link.replaceAll("&amp;", "&").split("#").map(decodeURIComponent)
  const target = path === "" ? file : resolve(dirname(file), path.split("?")[0])
  const fail = (why) => {
    broken++
    console.log(`${relative(root, file)}: ${link}: ${why}`)
  }
  if (!existsSync(target)) return fail("no such file")
  if (!anchor || statSync(target).isDirectory() || !/\.(md|html)$/.test(target)) return
  if (!anchors(target).has(anchor)) fail("no such anchor")
}

const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" })
const markdown = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md")
const files = new Set(markdown.split("\0").filter(Boolean))
for (const name of files) {
  const file = join(root, name)
  if (!existsSync(file)) continue
  const text = prose(readFileSync(file, "utf8"))
  for (const [, link] of text.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)) follow(file, link)
  for (const [, link] of text.matchAll(/^\[[^\]]+\]: +(\S+)/gm)) follow(file, link)
}
console.log(`${files.size} Markdown files: ${links} relative links`)

if (existsSync(pages)) {
  links = 0
  const html = readdirSync(pages, { recursive: true }).filter((name) => name.endsWith(".html"))
  for (const name of html) {
    const file = join(pages, name)
    for (const [, link] of readFileSync(file, "utf8").matchAll(/\b(?:href|src)="([^"]+)"/g)) {
      follow(file, link)
    }
  }
  console.log(`${html.length} pages: ${links} relative links`)
} else {
  console.log(`no pages in ${relative(root, pages)}: npm run docs`)
  broken++
}
console.log(broken === 0 ? "every link leads somewhere" : `${broken} broken`)
process.exitCode = broken === 0 ? 0 : 1
