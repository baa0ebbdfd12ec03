// A hub that the suite starts itself: it can be killed and started again, and its output is known.

import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Failure } from "./stream.ts"
import type { HubTarget } from "./trial.ts"

/** How a hub is started. */
export interface SpawnOptions {
  /** Where it stores, if the command does not say it with `{data}`. */
  readonly data?: string
  /** Longest time until it listens, milliseconds; 20,000 by default. */
  readonly patience?: number
}

/** A hub in a process of its own. */
export interface SpawnedHub extends HubTarget {
  readonly stop: () => Promise<void>
}

/** Characters of its output that are kept. */
const KEPT = 4_194_304

/** A port that is free now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port })
    const end = (does: boolean) => (): void => {
      socket.destroy()
      resolve(does)
    }
    socket.once("connect", end(true)).once("error", end(false))
  })
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Starts a hub with a command for the shell. `{port}` in it is the port to listen on at 127.0.0.1,
 * `{data}` a fresh folder, the same after a restart.
 *
 * @throws Failure if it does not listen in time.
 */
export async function spawnHub(command: string, options: SpawnOptions = {}): Promise<SpawnedHub> {
  const port = await freePort()
  const own = command.includes("{data}") ? mkdtempSync(join(tmpdir(), "agentmesh-hub-")) : null
  const data = own ?? options.data
  const line = command
    .replaceAll("{port}", String(port))
    .replaceAll("{data}", `'${(data ?? "").replaceAll("'", "'\\''")}'`)
  let child: ChildProcess
  let closed: Promise<void>
  let output = ""

  const start = async (): Promise<void> => {
    // A group of its own: what the shell starts dies with it.
    child = spawn(line, { shell: true, detached: true, stdio: ["ignore", "pipe", "pipe"] })
    const keep = (text: Buffer): void => {
      output = (output + text.toString("latin1")).slice(-KEPT)
    }
    child.stdout?.on("data", keep)
    child.stderr?.on("data", keep)
    closed = new Promise((resolve) => child.once("close", () => resolve()))
    const deadline = Date.now() + (options.patience ?? 20_000)
    while (!(await listens(port))) {
      const over = child.exitCode !== null || child.signalCode !== null
      if (over || Date.now() > deadline) {
        await kill()
        throw new Failure(`the hub did not listen on ${port}: ${output.slice(-500)}`)
      }
      await pause(20)
    }
  }
  const kill = async (): Promise<void> => {
    try {
      process.kill(-(child.pid as number), "SIGKILL")
    } catch {
      child.kill("SIGKILL") // it has ended, or the platform has no process groups
    }
    await closed
  }

  await start()
  return {
    ...{ host: "127.0.0.1", port },
    ...(data !== undefined && { data }),
    output: () => output,
    restart: async () => {
      await kill()
      await start()
    },
    stop: async () => {
      await kill()
      if (own !== null) rmSync(own, { recursive: true, force: true })
    },
  }
}
