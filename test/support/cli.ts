// The command agentmesh in tests: a home of its own, a hub of its own, real processes.

import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compiledSources } from "./compiled.ts"
import { Program } from "./process.ts"

/** What a command that has ended left. */
export interface Ended {
  readonly exit: number | null
  readonly out: string
  readonly err: string
}

/** The path of the command. */
export const command = (): string => join(compiledSources(), "src", "cli", "main.js")

/** One user on one machine. */
export class Machine {
  readonly folder: string = mkdtempSync(join(tmpdir(), "am-"))
  readonly programs: Program[] = []
  /** Address of the hub, once there is one. */
  hub = ""

  /** The environment of the user's commands. */
  get env(): Record<string, string> {
    const home = join(this.folder, "home")
    return { AGENTMESH_HOME: home, AGENTMESH_HUB: this.hub, NO_COLOR: "1", AGENTMESH_AS: "" }
  }

  /** Starts a command that goes on. */
  start(...args: readonly string[]): Program {
    const program = new Program(process.execPath, [command(), ...args], this.env)
    this.programs.push(program)
    return program
  }

  /** Starts a hub and waits for it. */
  async startHub(...args: readonly string[]): Promise<Program> {
    const program = this.start("hub", "--port", "0", ...args)
    const [, url] = (await program.line(/listening on (\S+)$/)) as unknown as [string, string]
    this.hub = url
    return program
  }

  /** Starts `listen` and waits until it does. */
  async listen(name: string, ...args: readonly string[]): Promise<Program> {
    const program = this.start("listen", "--as", name, ...args)
    await program.error(/^listening as /)
    return program
  }

  /** Runs a command to its end, in a process of its own. */
  run(args: readonly string[], input = "", env: Record<string, string> = {}): Ended {
    const { status, stdout, stderr } = spawnSync(process.execPath, [command(), ...args], {
      env: { ...process.env, ...this.env, ...env },
      encoding: "utf8",
      input,
      timeout: 50_000,
    })
    return { exit: status, out: stdout, err: stderr }
  }

  /** Runs a command to its end without keeping this process from working. */
  async go(...args: readonly string[]): Promise<Ended> {
    const program = this.start(...args)
    program.child.stdin?.end()
    const exit = await program.exited
    return { exit: Number(exit), out: program.lines.join("\n"), err: program.errors.join("\n") }
  }

  /** Ends what runs and removes what was written. */
  async close(): Promise<void> {
    for (const program of this.programs) await program.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
