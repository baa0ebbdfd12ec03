// The control socket: the process that has an identity open works for others of the same user.
//
// One JSON object a line, [id, operation, arguments] and [id, ok, result or error]. The socket is in
// a directory that only its owner can enter: whoever reaches it could read the store as well.

import { existsSync, rmSync } from "node:fs"
import { connect, createServer, type Server, type Socket } from "node:net"
import { AgentMeshError, ERROR_CODES, type ErrorCode } from "../errors.ts"
import { EXIT, Failure, failureOf } from "./failure.ts"
import type { Operations } from "./operations.ts"

/** Characters of a line at most: a page of messages and one of the largest size, escaped. */
const MAX_LINE = 33_554_432
/** Connections at the same time. */
const MAX_CONNECTIONS = 64
/** Longest path of a socket that every system takes, bytes. */
const MAX_PATH = 100

/** The operation was not begun: the process that has the identity is ending. */
export class Moved extends Error {}

/** Whether a process can be reached at this path. */
export function isControlPath(path: string): boolean {
  return process.platform !== "win32" && Buffer.byteLength(path) <= MAX_PATH
}

function onLines(socket: Socket, take: (line: string) => void): void {
  let text = ""
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk
    const lines = text.split("\n")
    text = lines.pop() as string
    if (text.length > MAX_LINE) socket.destroy()
    else for (const line of lines) take(line)
  })
}

/** Answers other processes. */
export class ControlServer {
  readonly #operations: Operations
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #active = 0
  #idle: (() => void) | null = null
  #closing = false

  private constructor(operations: Operations) {
    this.#operations = operations
    this.#server = createServer((socket) => this.#accept(socket))
    this.#server.maxConnections = MAX_CONNECTIONS
  }

  /** Listens at `path`; the caller holds the lock of the store, so what is there is stale. */
  static async start(path: string, operations: Operations): Promise<ControlServer> {
    const control = new ControlServer(operations)
    if (existsSync(path)) rmSync(path)
    await new Promise<void>((resolve, reject) => {
      control.#server.once("error", reject).listen(path, resolve)
    })
    control.#server.unref() // a command that is done ends
    return control
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on("error", () => undefined).on("close", () => this.#sockets.delete(socket))
    onLines(socket, (line) => {
      void this.#answer(line).then((answer) => socket.write(`${answer}\n`))
    })
  }

  async #answer(line: string): Promise<string> {
    let id: unknown = null
    try {
      const [number, name, args] = JSON.parse(line) as [number, keyof Operations, never]
      id = number
      if (this.#closing) return JSON.stringify([id, false, { moved: true }])
      if (!Object.hasOwn(this.#operations, name)) throw new TypeError(`no operation ${name}`)
      this.#active++
      const work = this.#operations[name](args).finally(() => {
        this.#active--
        if (this.#active === 0) this.#idle?.()
      })
      return JSON.stringify([id, true, await work])
    } catch (error) {
      const { message, advice, exit, code } = failureOf(error)
      return JSON.stringify([id, false, { message, advice, exit, code }])
    }
  }

  /** Begins nothing more, finishes what was begun, and ends. */
  async close(): Promise<void> {
    this.#closing = true
    if (this.#active > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
    await new Promise((resolve) => setImmediate(resolve)) // the last answers are written
    for (const socket of this.#sockets) socket.end()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

interface Call {
  resolve(result: unknown): void
  reject(error: Error): void
}

interface Refusal {
  readonly moved?: boolean
  readonly message: string
  readonly advice: string
  readonly exit: number
  readonly code?: string
}

/** Asks the process that has the identity. */
export class ControlClient {
  readonly #socket: Socket
  readonly #calls = new Map<number, Call>()
  #next = 1
  /** Whether the other process can still be asked. */
  open = true

  private constructor(socket: Socket) {
    this.#socket = socket
    onLines(socket, (line) => this.#take(line))
    socket.on("error", () => undefined)
    socket.on("close", () => {
      this.open = false
      for (const call of this.#calls.values()) call.reject(new Moved("the process ended"))
      this.#calls.clear()
    })
  }

  /** Connects; null if nobody is there. */
  static connect(path: string): Promise<ControlClient | null> {
    if (!isControlPath(path) || !existsSync(path)) return Promise.resolve(null)
    return new Promise((resolve) => {
      const socket = connect(path)
      const none = (): void => resolve(null)
      socket.once("error", none)
      socket.once("connect", () => {
        socket.off("error", none)
        resolve(new ControlClient(socket))
      })
    })
  }

  #take(line: string): void {
    const [id, ok, result] = JSON.parse(line) as [number, boolean, unknown]
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    if (ok) call?.resolve(result)
    else call?.reject(errorOf(result as Refusal))
  }

  /** Runs an operation there. */
  call<K extends keyof Operations>(
    name: K,
    args: Parameters<Operations[K]>[0],
  ): ReturnType<Operations[K]> {
    const id = this.#next++
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      if (!this.open) reject(new Moved("the process ended"))
      else this.#socket.write(`${JSON.stringify([id, name, args])}\n`)
    })
    return answer as ReturnType<Operations[K]>
  }

  /** Ends the connection. */
  close(): void {
    this.open = false
    this.#socket.end()
    this.#socket.unref()
  }
}

function errorOf({ moved, message, advice, exit, code }: Refusal): Error {
  if (moved) return new Moved("the process is ending")
  if (code !== undefined && (ERROR_CODES as readonly string[]).includes(code)) {
    return new AgentMeshError(code as ErrorCode, message)
  }
  return new Failure(exit ?? EXIT.failed, message, advice)
}
