// What every command is given: where, as whom, through which hub, and how to speak.

import type { Command } from "commander"
import type { Agent } from "../node/agent.ts"
import { DEFAULT_PORT, parseHubAddress } from "../node/network-hub.ts"
import { Access, type AccessOptions } from "./access.ts"
import { EXIT, Failure } from "./failure.ts"
import { Output } from "./output.ts"
import { Home, homeOf } from "./paths.ts"

type Env = Readonly<Record<string, string | undefined>>

/** Options that every command takes. */
export interface Globals {
  readonly as?: string
  readonly hub?: string
  readonly home?: string
  readonly json?: boolean
  readonly tls?: boolean
}

/** How a command wants its identity. */
export interface Use {
  /** Makes the identity if there is none. */
  readonly create?: boolean
  /** Opens it without its hub. */
  readonly offline?: boolean
  readonly events?: (agent: Agent) => void
}

/** One run of a command. */
export class Context {
  readonly command: string
  readonly output: Output
  readonly home: Home
  readonly env: Env
  readonly #globals: Globals
  readonly #name: string | undefined
  #access: Access | null = null

  /** @param name - The identity, if the command names it otherwise than by `--as`. */
  constructor(command: string, globals: Globals, env: Env = process.env, name?: string) {
    this.command = command
    this.output = new Output(globals.json ?? false)
    this.home = new Home(homeOf(env, globals.home))
    this.env = env
    this.#globals = globals
    this.#name = name
  }

  /** The identity that is used. */
  get name(): string {
    return this.home.nameFor(this.env, this.#name ?? this.#globals.as)
  }

  /** The same run for an identity that the command names itself. */
  named(name: string | undefined): Context {
    return name === undefined ? this : new Context(this.command, this.#globals, this.env, name)
  }

  /** The hub that was named for this run, if one was. */
  get namedHub(): string | undefined {
    return this.#globals.hub ?? (this.env["AGENTMESH_HUB"] || undefined)
  }

  /** Whether the link to the hub is TLS. */
  get tls(): boolean {
    return this.#globals.tls ?? Boolean(this.env["AGENTMESH_TLS"])
  }

  /** The address of the hub: named, that of the identity, or the one on this machine. */
  get hub(): string {
    const port = this.env["AGENTMESH_PORT"] ?? DEFAULT_PORT
    const hub = this.namedHub ?? this.home.profile(this.name).hub ?? `127.0.0.1:${port}`
    parseHubAddress(hub) // a mistake in it is one of the command line
    return hub
  }

  /** The identity; opened by the first operation. */
  use({ create = false, offline = false, events }: Use = {}): Access {
    const { name, home, command } = this
    if (!home.has(name)) {
      if (!create) {
        const others = home.names()
        const known = others.length > 0 ? `; there are: ${others.join(", ")}` : ""
        const advice = `agentmesh init ${name} makes it; --as NAME uses another one${known}`
        throw new Failure(EXIT.failed, `there is no identity ${name} in ${home.path}`, advice)
      }
      this.output.note(`made the identity ${name} in ${home.agent(name)}`)
    }
    this.#access = new Access({
      ...{ home, name, command, tls: this.tls, hub: offline ? null : this.hub },
      ...(events ? { events } : {}),
    })
    return this.#access
  }

  /** The identity, made when it is first used: nothing is read or written before that. */
  lazy(): Access {
    const options = (): AccessOptions => {
      const { name, home, command, tls, hub } = this
      return { name, home, command, tls, hub }
    }
    this.#access = new Access(options)
    return this.#access
  }

  /** Closes what the command has opened. */
  async close(): Promise<void> {
    await this.#access?.close()
  }
}

/** A command: its exit code, or nothing for 0. */
export type Action<F> = (
  context: Context,
  args: readonly string[],
  flags: F,
) => Promise<number | undefined> | Promise<void>

/** Runs an action, reports what it throws, and sets the exit code. */
export function action<F>(run: Action<F>): (this: Command) => Promise<void> {
  return async function act(this: Command): Promise<void> {
    const flags = this.optsWithGlobals<Globals & F>()
    const context = new Context(this.name(), flags)
    const args = this.args
    try {
      process.exitCode = (await run(context, args, flags)) ?? EXIT.ok
    } catch (error) {
      process.exitCode = context.output.fail(error, `agentmesh ${this.name()}`)
    } finally {
      await context.close().catch((error: unknown) => {
        process.exitCode = context.output.fail(error, `agentmesh ${this.name()}`)
      })
    }
  }
}
