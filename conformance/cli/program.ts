// The subcommands and their options.

import { Command, CommanderError, InvalidArgumentError, Option } from "commander"
import { FORMATS } from "../report/formats.ts"
import { packageVersion, UsageError } from "./context.ts"
import type { DoctorFlags } from "./doctor.ts"
import { checkFlags, type FinishFlags } from "./finish.ts"
import type { InteropFlags } from "./interop.ts"
import type { ListFlags } from "./list.ts"
import type { AgentFlags, HubFlags } from "./live.ts"
import type { RunFlags } from "./run.ts"

const EXIT_CODES = `
Exit codes: 0 conformant; 1 not, or a stale baseline; 2 usage; 3 the driver did not start or broke
the protocol; 4 nothing was executed, or not all that was planned; 5 a check of the suite itself.

To begin: agentmesh-conformance init node; then doctor and run with --driver "node driver.mjs".`

/** Runs a command line; the exit code. */
export async function program(argv: readonly string[]): Promise<number> {
  let code = 0
  const root = new Command("agentmesh-conformance")
    .description("Tests an implementation of AgentMesh against SPEC.md.")
    .version(packageVersion())
    .addHelpText("after", EXIT_CODES)
    .exitOverride()
    .configureHelp({ sortSubcommands: false })
  const set = (value: number): void => {
    code = value
  }
  for (const add of COMMANDS) add(root, set)
  try {
    await root.parseAsync([...argv], { from: "user" })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`error: ${error.message}\n`)
    return 2
  }
}

type Set = (code: number) => void

const COMMANDS: readonly ((root: Command, set: Set) => void)[] = [
  ...[addRun, addHub, addAgent, addInterop, addReplay],
  ...[addDoctor, addInit, addList, addLint, addCoverage, addSelftest, addMerge],
]

function integer(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^-?\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value
    throw new InvalidArgumentError(`expected an integer of at least ${least}`)
  }
}

function positive(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError("expected a positive number")
}

const list = (text: string, before: readonly string[]): readonly string[] => [
  ...before,
  ...text.split(",").filter((word) => word !== ""),
]

function reports(text: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const part of text.split(",")) {
    const [format = "", ...rest] = part.split("=")
    if (!Object.hasOwn(FORMATS, format) || rest.join("=") === "") {
      const known = Object.keys(FORMATS).map((name) => `${name}=FILE`)
      throw new InvalidArgumentError(`expected ${known.join(",")}`)
    }
    files.set(format, rest.join("="))
  }
  return files
}

const seed = (text: string): number | "random" =>
  text === "random" ? "random" : integer(-0x8000_0000)(text)

/** Options of every subcommand that gives verdicts. */
function verdictOptions(command: Command): Command {
  return command
    .option("--report <list>", "files to write: json=F,junit=F,html=F,md=F", reports)
    .option("--strict", "a SHOULD that is not kept, and a part of a tier, count as failures", false)
    .option("--baseline <file>", "known failures; anything else is exit 1")
    .option("--update-baseline", "write the failures of this run into it")
    .option("--save-failures <dir>", "write each failing case as a vector file")
    .option("--json", "the report on standard output, instead of text")
}

function driverOptions(command: Command): Command {
  return command
    .option("--driver <command>", "starts the driver (DRIVER.md); without it: the reference")
    .option("--timeout-scale <x>", "times the 5 s that an operation has", positive, 1)
}

function addRun(root: Command, set: Set): void {
  const command = root
    .command("run")
    .description("vectors and properties")
    .option("--only <words>", "ids, section words or requirements, by commas", list, [])
    .option("--tier <n>", "only operations up to this tier", integer(0))
    .option("--runs <n>", "runs of a property", integer(1), 100)
    .addOption(new Option("--seed <s>", "of the properties: a number, or random").argParser(seed))
    .option("--no-vectors", "properties only")
    .option("--no-properties", "vectors only")
    .option("--jobs <n>", "processes of the driver beside each other; 2 by default", integer(1))
  verdictOptions(driverOptions(command)).action(async (flags: RunFlags) => {
    const { only, tier, vectors, properties } = flags
    const filtered = only.length > 0 || tier !== undefined || !vectors || !properties
    checkFlags({ ...flags, filtered })
    const { run } = await import("./run.ts")
    set(await run(flags))
  })
}

function addReplay(root: Command, set: Set): void {
  const command = root.command("replay").description("the cases of a file, once more")
  verdictOptions(driverOptions(command.argument("<file>", "a vector file"))).action(
    async (file: string, flags: FinishFlags) => {
      checkFlags({ ...flags, filtered: true })
      const { replay } = await import("./replay.ts")
      set(await replay(file, flags))
    },
  )
}

function addHub(root: Command, set: Set): void {
  const command = root
    .command("hub")
    .description("a hub as a black box; without an address the hub of this package")
    .option("--connect <host:port>", "a hub that runs")
    .option("--spawn <command>", "starts one; {port} and {data} are put in")
    .option("--only <words>", "ids or requirements, by commas", list, [])
    .option("--timeout-scale <x>", "times the 5 s that an answer has", positive, 1)
  verdictOptions(command).action(async (flags: HubFlags) => {
    checkFlags({ ...flags, filtered: flags.only.length > 0 })
    const { runHub } = await import("./live.ts")
    set(await runHub(flags))
  })
}

function addAgent(root: Command, set: Set): void {
  const command = root
    .command("agent")
    .description("an agent at a hostile hub (tier 3)")
    .option("--only <words>", "ids or requirements, by commas", list, [])
  verdictOptions(driverOptions(command)).action(async (flags: AgentFlags) => {
    checkFlags({ ...flags, filtered: flags.only.length > 0 })
    const { runAgent } = await import("./live.ts")
    set(await runAgent(flags))
  })
}

function addInterop(root: Command, set: Set): void {
  const command = root
    .command("interop")
    .description("implementations talk to each other; one alone talks to the reference")
    .requiredOption(
      "--driver <name=command>",
      "once for each implementation",
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option("--only <words>", "ids or requirements, by commas", list, [])
    .option("--timeout-scale <x>", "times the 5 s that an operation has", positive, 1)
  verdictOptions(command).action(async (flags: InteropFlags) => {
    const { driver: _driver, ...others } = flags
    checkFlags({ ...others, filtered: flags.only.length > 0 })
    const { runInterop } = await import("./interop.ts")
    set(await runInterop(flags))
  })
}

function addDoctor(root: Command, set: Set): void {
  const command = root
    .command("doctor")
    .description("checks a driver against the driver protocol, and says what to do next")
    .requiredOption("--driver <command>", "starts the driver (DRIVER.md)")
    .option("--timeout-scale <x>", "times the 5 s that an operation has", positive, 1)
  command.action(async (flags: DoctorFlags) => {
    const { doctor } = await import("./doctor.ts")
    set(await doctor(flags))
  })
}

function addInit(root: Command, set: Set): void {
  root
    .command("init")
    .description("writes a driver to begin with")
    .argument("<language>", "node or python")
    .argument("[file]", "where to; driver.mjs or driver.py")
    .action(async (language: string, file?: string) => {
      const { init } = await import("./init.ts")
      set(init(language, file))
    })
}

function addList(root: Command, set: Set): void {
  root
    .command("list")
    .description("all checks, with the sentences that they check")
    .option("--only <words>", "ids, section words or requirements, by commas", list, [])
    .addOption(new Option("--kind <kind>").choices(["vector", "property", "hub", "agent"]))
    .option("--tier <n>", "only up to this tier", integer(0))
    .option("--json", "as JSON")
    .action(async (flags: ListFlags) => {
      const listing = await import("./list.ts")
      set(await listing.list(flags))
    })
}

function addMerge(root: Command, set: Set): void {
  root
    .command("merge")
    .description("the report.json files of several implementations in one table")
    .argument("<files...>", "written by --report json=FILE")
    .option("--json", "as JSON")
    .action(async (files: readonly string[], flags: { readonly json?: boolean }) => {
      const { merge } = await import("./merge.ts")
      set(merge(files, flags.json === true))
    })
}

function addLint(root: Command, set: Set): void {
  root
    .command("lint")
    .description("checks vectors and traces of the suite itself")
    .option("--accept <ids>", "changed sentences that have been read again", list, [])
    .action(async (flags: { readonly accept: readonly string[] }) => {
      const { lint } = await import("./itself.ts")
      set(lint(flags.accept))
    })
}

function addCoverage(root: Command, set: Set): void {
  root
    .command("coverage")
    .description("writes COVERAGE.md and requirements.json of the suite")
    .option("--check", "only compares them")
    .action(async (flags: { readonly check?: boolean }) => {
      const { coverage } = await import("./itself.ts")
      set(coverage(flags.check === true))
    })
}

interface SelftestFlags {
  readonly mutants: readonly string[] | boolean
  readonly quick?: boolean
  readonly update?: boolean
}

function addSelftest(root: Command, set: Set): void {
  root
    .command("selftest")
    .description("the suite checks itself: reference, null drivers, mutants")
    .option("--mutants <ids>", "only these mutants", list, [])
    .option("--no-mutants", "without mutants")
    .option("--quick", "without regenerating vectors, one shuffled order")
    .option("--update", "search what kills each mutant anew, and write it down")
    .action(async (flags: SelftestFlags) => {
      const { selftest } = await import("./itself.ts")
      const { mutants, quick = false, update = false } = flags
      const chosen = typeof mutants === "boolean" ? (mutants ? [] : null) : mutants
      set(await selftest(chosen, { quick, update }))
    })
}
