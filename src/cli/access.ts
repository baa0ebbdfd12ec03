// One identity, from any process: opened here, or asked of the process that has it open.

import { existsSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { AgentMeshError } from "../errors.ts"
import { Agent, type NodeAgentOptions } from "../node/agent.ts"
import { NetworkHub, parseHubAddress } from "../node/network-hub.ts"
import { ControlClient, ControlServer, isControlPath, Moved } from "./control.ts"
import { Failure, usage } from "./failure.ts"
import { flushed, type Operations, operationsOn, REPEATABLE } from "./operations.ts"
import { type Home, secureDirectory, writeSecure } from "./paths.ts"

/** Milliseconds that a process gets which is just starting or ending with the identity. */
const LOCK_PATIENCE = 10_000
const LOCK_PAUSE = 50
/** Processes that may end while they are asked one thing. */
const MAX_ENDED = 5

/** Which identity, and how it is used. */
export interface AccessOptions {
  readonly home: Home
  readonly name: string
  /** Address of the hub; null opens the identity without one. */
  readonly hub: string | null
  /** Whether the link to the hub is TLS. */
  readonly tls?: boolean
  /** What this process is, for others that find it there. */
  readonly command: string
  /** Hears what happens to an agent that this process has opened. */
  readonly events?: (agent: Agent) => void
  readonly restore?: NodeAgentOptions["restore"]
}

/** Who has an identity open. */
export interface Owner {
  readonly pid: number
  readonly command: string
  readonly hub: string | null
}

/** Paths of what belongs to a process that has an identity open. */
export function controlPath(home: Home, name: string): string {
  return join(home.agent(name), "control.sock")
}

const ownerPath = (home: Home, name: string): string => join(home.agent(name), "owner.json")

/** The process that has the identity open, as far as it left word. */
export function ownerOf(home: Home, name: string): Owner | null {
  const path = ownerPath(home, name)
  if (!existsSync(path)) return null
  try {
    const owner = JSON.parse(readFileSync(path, "utf8")) as Owner
    process.kill(owner.pid, 0)
    return owner
  } catch {
    return null // it ended without tidying up
  }
}

/** An identity opened by this process. */
class Own {
  readonly #agent: Agent
  readonly #control: ControlServer | null
  readonly #closing: AbortController
  readonly #owner: string
  readonly operations: Operations

  private constructor(
    agent: Agent,
    operations: Operations,
    control: ControlServer | null,
    closing: AbortController,
    owner: string,
  ) {
    this.#agent = agent
    this.operations = operations
    this.#control = control
    this.#closing = closing
    this.#owner = owner
  }

  /** @throws {@link AgentMeshError} `agent/store-locked`, `agent/store-corrupt`, `identity/name`. */
  static async open(options: AccessOptions): Promise<Own> {
    const { home, name, hub, tls = false, command, restore } = options
    secureDirectory(home.path)
    secureDirectory(home.agent(name))
    const { policy = "first-use" } = home.profile(name)
    const agent = new Agent(name, {
      path: home.store(name),
      trust: { accept: policy, send: policy },
      ...(hub === null ? {} : { hub: new NetworkHub({ ...parseHubAddress(hub), tls }) }),
      ...(restore ? { restore } : {}),
    })
    options.events?.(agent)
    await agent.waiting({ limit: 1 }) // the store is open, or this throws
    const closing = new AbortController()
    const operations = operationsOn(agent, closing.signal)
    const owner = ownerPath(home, name)
    writeSecure(owner, JSON.stringify({ pid: process.pid, command, hub }))
    const path = controlPath(home, name)
    const served = hub !== null && isControlPath(path)
    const control = served ? await ControlServer.start(path, operations) : null
    return new Own(agent, operations, control, closing, owner)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#control?.close()
    await flushed(this.#agent)
    rmSync(this.#owner, { force: true })
    await this.#agent.close()
  }
}

/** Runs operations on one identity, wherever it is open. */
export class Access {
  readonly #given: AccessOptions | (() => AccessOptions)
  #own: Own | null = null
  #client: ControlClient | null = null
  #opening: Promise<void> | null = null

  /** @param options - Nothing is opened, and a function not called, before the first operation. */
  constructor(options: AccessOptions | (() => AccessOptions)) {
    this.#given = options
  }

  get #options(): AccessOptions {
    return typeof this.#given === "function" ? this.#given() : this.#given
  }

  /** Whether this process has opened the identity. */
  get own(): boolean {
    return this.#own !== null
  }

  /** Opens the identity, or finds the process that has. */
  async open(): Promise<void> {
    if (this.#own || this.#client?.open) return
    this.#opening ??= this.#acquire().finally(() => {
      this.#opening = null
    })
    await this.#opening
  }

  async #acquire(): Promise<void> {
    const { home, name } = this.#options
    const until = Date.now() + LOCK_PATIENCE
    for (;;) {
      this.#client = this.#options.restore
        ? null
        : await ControlClient.connect(controlPath(home, name))
      if (this.#client) {
        this.#checkHub()
        return
      }
      try {
        this.#own = await Own.open(this.#options)
        return
      } catch (error) {
        const locked = error instanceof AgentMeshError && error.code === "agent/store-locked"
        if (!locked) throw error
        if (Date.now() >= until) throw this.#locked()
      }
      await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE))
    }
  }

  /** An operation must not go to another hub than the one that was named. */
  #checkHub(): void {
    const { home, name, hub } = this.#options
    const owner = ownerOf(home, name)
    if (owner === null || hub === null || owner.hub === null || owner.hub === hub) return
    this.#client?.close()
    const who = `agentmesh ${owner.command}, process ${owner.pid}`
    throw usage(
      `${name} is running with the hub ${owner.hub} (${who})`,
      "stop it first, or leave out --hub",
    )
  }

  #locked(): Failure {
    const { home, name } = this.#options
    const owner = ownerOf(home, name)
    const who = owner ? `agentmesh ${owner.command}, process ${owner.pid},` : "another process"
    const advice = `stop it, or use another identity with --as NAME; the lock is in ${home.store(name)}`
    const message = `${who} has the identity ${name} open and does not answer`
    return new Failure(1, message, advice, "agent/store-locked")
  }

  /** Runs an operation. */
  async call<K extends keyof Operations>(
    name: K,
    args: Parameters<Operations[K]>[0],
  ): Promise<Awaited<ReturnType<Operations[K]>>> {
    for (let ended = 0; ; ) {
      await this.open()
      const own = this.#own
      if (own) return (await own.operations[name](args as never)) as never
      try {
        return (await this.#client?.call(name, args)) as never
      } catch (error) {
        if (!(error instanceof Moved)) throw error
        const begun = error.message === "the process ended"
        this.#client?.close()
        this.#client = null
        if (begun && (!REPEATABLE.includes(name) || ++ended >= MAX_ENDED)) {
          const what = "the process that has the identity ended before it answered"
          throw new Failure(1, what, "it is not known whether it did what was asked")
        }
      }
    }
  }

  /** Closes what this process has opened. */
  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined)
    this.#client?.close()
    await this.#own?.close()
    this.#own = null
  }
}
