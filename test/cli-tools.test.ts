// Commands that need no hub, and what only a terminal shows: inspect, export, import, completion.

import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { identify } from "../src/cli/inspect/identify.ts"
import { render, toObject } from "../src/cli/inspect/render.ts"
import { Output } from "../src/cli/output.ts"
import { AgentMeshError } from "../src/errors.ts"
import { command, Machine } from "./support/cli.ts"
import { Terminal } from "./support/terminal.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const vectors = (name: string): string => join(root, "vectors", `${name}.json`)

interface Case {
  readonly id: string
  readonly expect: string
  readonly input: { readonly [key: string]: unknown }
}
const caseOf = (file: string, id: string): Case => {
  const { cases } = JSON.parse(readFileSync(vectors(file), "utf8")) as { cases: readonly Case[] }
  return cases.find((one) => one.id === id) as Case
}

// Dozens of real processes, on machines that share two cores with everything else in CI.
vi.setConfig({ testTimeout: 180_000 })

let machine: Machine
beforeEach(() => {
  machine = new Machine()
  machine.hub = "127.0.0.1:9"
})
afterEach(() => machine.close())

/** The first bytes of a line, without indentation. */
const hexOf = (text: string): string =>
  text
    .split("\n")
    .map((line) => /^ *([0-9a-f]+)(?: +;|$)/.exec(line)?.[1] ?? "")
    .join("")

describe("inspect", () => {
  const bundle = caseOf("bundle", "bundle-0001").input["bytes"] as string

  test("names the items, their requirements and meanings, and leaves out no byte", () => {
    const { exit, out } = machine.run(["inspect", bundle])
    expect(exit).toBe(3) // it is of January 2026
    expect(out).toContain('; "bob"  name  [IDENTITY-6, BUNDLE-11]')
    expect(out).toContain("= 2026-01-01T00:00:00.000Z  seq  [BUNDLE-22, BUNDLE-23]")
    expect(out).toContain("refused: bundle/expired")
    expect(hexOf(out)).toBe(bundle)
  })

  test("the same from hex, base64, a binary file, a card and standard input", () => {
    const bytes = Buffer.from(bundle, "hex")
    const file = join(machine.folder, "bob.ambundle")
    writeFileSync(file, bytes)
    const shown = (what: string, input = ""): string =>
      machine.run(["inspect", what], input).out.replace(/now \d+/, "now")
    const wanted = shown(bundle)
    const base64 = bytes.toString("base64")
    const card = `agentmesh1:${bytes.toString("base64url")}`
    for (const what of [base64, file, card, bundle.toUpperCase()]) {
      expect(shown(what)).toBe(wanted)
    }
    expect(shown("-", bundle.replace(/(.{8})/g, "$1 "))).toBe(wanted)
  })

  test("envelopes, contents, frames with and without length, exports", () => {
    const shown = (id: string) =>
      machine.run(["inspect", vectors(id.split("-")[0] as string), id]).out
    const envelope = shown("envelope-0001")
    expect(envelope).toContain("name-a: initiator  [HANDSHAKE-15, HANDSHAKE-26]")
    expect(envelope).toContain("content (SPEC §9)  [ENVELOPE-15]")
    expect(shown("agent-0001")).toContain("state-file: an exported identity")
    const hello = `84010081015820${"0c".repeat(32)}`
    const framed = machine.run(["inspect", `00000027${hello}`])
    expect([framed.exit, framed.out]).toEqual([0, expect.stringContaining("frame HELLO")])
    expect(framed.out).toContain("39 bytes after their length")
    expect(hexOf(framed.out)).toBe(hello)
    expect(machine.run(["inspect", "8415000501"]).out).toContain("5 = hub/name-taken")
  })

  test("what is no AgentMesh, and what is no CBOR", () => {
    const tag = machine.run(["inspect", "d9d9f783010203"])
    expect([tag.exit, tag.out]).toEqual([1, expect.stringContaining("encoding/profile")])
    const cut = machine.run(["inspect", "8301"])
    expect([cut.exit, cut.err]).toEqual([1, expect.stringContaining("encoding/malformed")])
    expect(machine.run(["inspect", "no such file"]).exit).toBe(2)
    expect(machine.run(["inspect", "-"], "").exit).toBe(2)
    const deep = machine.run(["inspect", `${"81".repeat(5_000)}00`])
    expect([deep.exit, deep.err]).toEqual([1, expect.stringContaining("encoding/limit")])
  })

  test("as JSON: places, names, requirements", () => {
    const { out } = machine.run(["inspect", bundle, "--json"])
    const { what, fault, tree } = JSON.parse(out) as {
      what: string
      fault: { code: string }
      tree: { items: { inside: { items: { value: unknown; req: string[] }[] } }[] }
    }
    expect([what, fault.code]).toEqual(["signed (SPEC §6)", "bundle/expired"])
    const [, name] = tree.items[0]?.inside.items ?? []
    expect(name).toMatchObject({ value: "bob", req: ["IDENTITY-6", "BUNDLE-11"] })
  })

  test("a file of vectors is listed case by case", () => {
    const { exit, out } = machine.run(["inspect", vectors("suite")])
    expect(exit).toBe(0)
    expect(out).toMatch(/^suite-0001 {2}ok/)
    expect(machine.run(["inspect", vectors("suite"), "suite-9999"]).exit).toBe(2)
  })

  test("whatever bytes the vectors hold: shown whole, or refused with a code", () => {
    const output = new Output(false)
    let shown = 0
    for (const name of readdirSync(join(root, "vectors")).filter((one) => one.endsWith(".json"))) {
      const text = readFileSync(join(root, "vectors", name), "utf8")
      for (const [, hex] of text.matchAll(/"((?:[0-9a-f]{2}){4,4000})"/g)) {
        const bytes = new Uint8Array(Buffer.from(hex as string, "hex"))
        try {
          const found = identify(bytes, 1_767_225_600)
          JSON.stringify(toObject(found.item, found.part))
          const whole = hexOf(render(found, output, true))
          expect(whole).toBe((hex as string).slice(0, whole.length))
          expect([hex, found.fault?.code ?? "whole"]).toEqual([
            hex,
            whole === hex ? expect.any(String) : "encoding/malformed",
          ])
          shown++
        } catch (error) {
          if (!(error instanceof AgentMeshError)) throw error
        }
      }
    }
    expect(shown).toBeGreaterThan(1_000)
  })
})

describe("export and import", () => {
  const file = (name: string, text: string): string => {
    const path = join(machine.folder, name)
    writeFileSync(path, text)
    return path
  }

  test("the same identity elsewhere; the file is its owner's, and nothing is replaced", () => {
    const address = machine.run(["init", "alice"]).out
    const secret = file("secret", "a passphrase\n")
    const backup = join(machine.folder, "alice.backup")
    expect(machine.run(["export", backup, "--passphrase-file", secret]).exit).toBe(0)
    expect(statSync(backup).mode & 0o777).toBe(0o600)
    expect(machine.run(["export", backup, "--passphrase-file", secret]).exit).toBe(1)
    const env = { AGENTMESH_HOME: join(machine.folder, "elsewhere") }
    const wrong = machine.run(
      ["import", backup, "--as", "alice", "--passphrase-file", "-"],
      "no\n",
      env,
    )
    expect([wrong.exit, wrong.err]).toEqual([1, expect.stringContaining("agent/store-corrupt")])
    expect(existsSync(join(env.AGENTMESH_HOME, "agents", "alice"))).toBe(false)
    const from = { ...env, AGENTMESH_PASSPHRASE_FILE: secret }
    const restored = machine.run(["import", backup, "--as", "alice"], "", from)
    expect([restored.exit, restored.out]).toEqual([0, address])
    expect(machine.run(["id", "alice"], "", env).out).toBe(address)
    expect(machine.run(["import", backup, "--as", "alice"], "", from).exit).toBe(1)
    const typed = {
      AGENTMESH_HOME: join(machine.folder, "third"),
      AGENTMESH_PASSPHRASE: "a passphrase",
    }
    expect(machine.run(["import", backup, "--as", "alice"], "", typed).out).toBe(address)
    const other = machine.run(["import", backup, "--as", "bob"], "", { ...typed })
    expect([other.exit, other.err]).toEqual([2, expect.stringContaining("export is of alice")])
  })

  test("no option takes a passphrase, and without a terminal one has to come from a file", () => {
    machine.run(["init", "alice"])
    const backup = join(machine.folder, "b")
    for (const name of ["export", "import"]) {
      expect(machine.run([name, "--help"]).out).not.toMatch(/--passphrase(?!-file)/)
      expect(machine.run([name, backup, "--passphrase", "x"]).exit).toBe(2)
    }
    const { exit, err } = machine.run(["export", backup])
    expect([exit, err]).toEqual([2, expect.stringContaining("--passphrase-file")])
    expect(machine.run(["export", backup, "--passphrase-file", "-"], "\n").exit).toBe(2)
    expect(existsSync(backup)).toBe(false)
  })
})

describe("completion", () => {
  test("bash completes commands, options and identities", () => {
    machine.run(["init", "alice"])
    const complete = (...words: readonly string[]): readonly string[] => {
      const script = `source <("${process.execPath}" "${command()}" completion bash)
        COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
        _agentmesh; printf '%s\\n' "\${COMPREPLY[@]}"`
      const { stdout } = spawnSync("bash", ["-c", script], {
        env: { ...process.env, ...machine.env },
        encoding: "utf8",
      })
      return stdout.trim().split("\n")
    }
    expect(complete("agentmesh", "in")).toEqual(["init", "inbox", "inspect"])
    expect(complete("agentmesh", "send", "--wa")).toEqual(["--wait"])
    expect(complete("agentmesh", "send", "--as", "al")).toEqual(["alice"])
  })

  const fish = spawnSync("fish", ["--version"]).status === 0
  test.skipIf(!fish)("fish completes them too (skipped where there is no fish)", () => {
    machine.run(["init", "alice"])
    const complete = (line: string): readonly string[] => {
      const script = `"${process.execPath}" "${command()}" completion fish | source
        complete -C '${line}'`
      const { stdout } = spawnSync("fish", ["--no-config", "-c", script], {
        env: { ...process.env, ...machine.env },
        encoding: "utf8",
      })
      return stdout
        .trim()
        .split("\n")
        .map((answer) => answer.split("\t")[0] as string)
    }
    expect(complete("agentmesh ins")).toEqual(["inspect"])
    expect(complete("agentmesh send --wa")).toEqual(["--wait"])
    expect(complete("agentmesh send --as al")).toEqual(["alice"])
  })

  test("the scripts of all shells name every command", () => {
    const { out } = machine.run(["--help"])
    const names = [...out.matchAll(/^ {2}(\w+)(?= \[| <| {2})/gm)].map(
      (match) => match[1] as string,
    )
    const commands = names.filter((name) => !["help"].includes(name))
    expect(commands.length).toBeGreaterThan(15)
    for (const shell of ["bash", "zsh", "fish"]) {
      const { exit, out: script } = machine.run(["completion", shell])
      expect([shell, exit, commands.filter((name) => !script.includes(name))]).toEqual([
        shell,
        0,
        [],
      ])
    }
  })
})

describe("docs/command-line.md", () => {
  const docs = readFileSync(join(root, "docs", "command-line.md"), "utf8")

  test("names every variable that is read, and no other", () => {
    const folders = ["src/cli", "src/cli/mcp", "src/cli/inspect", "src/node"]
    const sources = folders.flatMap((folder) => {
      const names = readdirSync(join(root, folder)).filter((name) => name.endsWith(".ts"))
      return names.map((name) => readFileSync(join(root, folder, name), "utf8"))
    })
    const variables = (text: string) => new Set(text.match(/AGENTMESH_[A-Z][A-Z_]*/g))
    expect(variables(docs)).toEqual(variables(sources.join("\n")))
  })

  test("names every command", () => {
    const { out } = machine.run(["--help"])
    const names = [...out.matchAll(/^ {2}(\w+)(?= \[| <| {2})/gm)].map(
      (match) => match[1] as string,
    )
    const missing = names.filter((name) => name !== "help" && !docs.includes(`\`${name}`))
    expect([names.length > 15, missing]).toEqual([true, []])
  })
})

describe.skipIf(!Terminal.available)("in a terminal", () => {
  test("a passphrase is asked for twice and never shown", async () => {
    machine.run(["init", "alice"])
    const backup = join(machine.folder, "alice.backup")
    const terminal = new Terminal(machine, ["export", backup])
    await terminal.shows(/Passphrase: /)
    terminal.types("hidden words\r")
    await terminal.shows(/Again: /)
    terminal.types("hidden wordx\u007fs\r")
    expect(await terminal.exited).toBe(0)
    expect(terminal.text).toContain("alice, sealed")
    expect(terminal.text).not.toContain("hidden")
    const env = { AGENTMESH_HOME: join(machine.folder, "2"), AGENTMESH_PASSPHRASE: "hidden words" }
    expect(machine.run(["import", backup, "--as", "alice"], "", env).exit).toBe(0)
  })

  test("two that differ write nothing, and Ctrl-C gives up", async () => {
    machine.run(["init", "alice"])
    const backup = join(machine.folder, "alice.backup")
    const differs = new Terminal(machine, ["export", backup])
    await differs.shows(/Passphrase: /)
    differs.types("one\r")
    await differs.shows(/Again: /)
    differs.types("two\r")
    expect(await differs.exited).toBe(1)
    const given = new Terminal(machine, ["export", backup])
    await given.shows(/Passphrase: /)
    given.types("one\u0003")
    expect(await given.exited).toBe(1)
    expect(existsSync(backup)).toBe(false)
  })

  test("colours only where they are wanted", async () => {
    const colourful = new Terminal(machine, ["demo"])
    expect(await colourful.exited).toBe(0)
    expect(colourful.text).toContain("\u001b[32mok")
    const plain = new Terminal(machine, ["demo"], { NO_COLOR: "1" })
    expect(await plain.exited).toBe(0)
    expect(plain.text).not.toContain("\u001b[")
    expect(machine.run(["demo"], "", { NO_COLOR: "" }).out).not.toContain("\u001b[")
  })

  test("whoever waits sees what for, and the line is gone afterwards", async () => {
    await machine.startHub()
    await machine.listen("bob")
    const terminal = new Terminal(machine, [
      "request",
      "bob",
      "x",
      "--as",
      "alice",
      "--timeout",
      "3",
    ])
    await terminal.shows(/waiting for bob \.\.\. 1 s/)
    expect(await terminal.exited).toBe(1)
    const last = terminal.text.lastIndexOf("waiting for bob")
    expect(terminal.text.slice(last)).toContain("\r\u001b[K")
  })

  test("Ctrl-C ends listen with 0", async () => {
    await machine.startHub()
    const terminal = new Terminal(machine, ["listen", "--as", "bob"])
    await terminal.shows(/listening as bob#/)
    terminal.types("\u0003")
    expect(await terminal.exited).toBe(0)
  })
})
