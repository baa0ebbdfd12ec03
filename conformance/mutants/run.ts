// Runs the mutants: in child processes, several at a time.

import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Task } from "./examine.ts"
import type { Fate, Mutant } from "./mutant.ts"
import { Workspace } from "./workspace.ts"

/** How mutants are run. */
export interface MutantOptions {
  readonly mutants: readonly Mutant[]
  /** The check that killed a mutant before; it is tried first. */
  readonly kills?: Readonly<Record<string, string>>
  /** Child processes at the same time; 2 by default. */
  readonly parallel?: number
  /** Milliseconds for one mutant; 120,000 by default. */
  readonly limit?: number
  /** Whether it is found out what else notices a mutant that survives; true by default. */
  readonly search?: boolean
  readonly onFate?: (fate: Fate, done: number) => void
}

/** A process that examines one copy after the other. */
class Examiner {
  readonly #limit: number
  #child: ChildProcess | null = null

  constructor(limit: number) {
    this.#limit = limit
  }

  examine(task: Task): Promise<Fate> {
    const { id, req } = task
    const child = this.#started()
    return new Promise((resolve) => {
      const end = (fate: Fate, dead: boolean): void => {
        clearTimeout(timer)
        child.removeAllListeners()
        if (dead) this.close()
        resolve(fate)
      }
      const broken = (by: string): void => end({ id, req, outcome: "broken", by }, true)
      const timer = setTimeout(() => broken(`no verdict in ${this.#limit} ms`), this.#limit)
      child.once("message", (fate) => end(fate as Fate, false))
      child.once("exit", (code) => broken(`the process ended with ${code}`))
      child.once("error", (error) => broken(error.message))
      child.send(task)
    })
  }

  #started(): ChildProcess {
    this.#child ??= fork(fileURLToPath(new URL("./child.js", import.meta.url)), {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    })
    return this.#child
  }

  close(): void {
    this.#child?.kill("SIGKILL")
    this.#child = null
  }
}

/** What became of each mutant, in their order. */
export async function runMutants(options: MutantOptions): Promise<readonly Fate[]> {
  const { mutants, kills = {}, parallel = 2, onFate } = options
  const fates = new Map<string, Fate>()
  const queue = [...mutants]
  const workspace = await Workspace.open()
  const { clean } = workspace
  const work = async (): Promise<void> => {
    const examiner = new Examiner(options.limit ?? 120_000)
    try {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const about = { clean, hint: kills[mutant.id], search: options.search }
        const fate = await examineOne(workspace, examiner, mutant, about)
        fates.set(mutant.id, fate)
        onFate?.(fate, fates.size)
      }
    } finally {
      examiner.close()
    }
  }
  try {
    await Promise.all(Array.from({ length: parallel }, work))
  } finally {
    workspace.close()
  }
  return mutants.map(({ id }) => fates.get(id) as Fate)
}

async function examineOne(
  workspace: Workspace,
  examiner: Examiner,
  mutant: Mutant,
  about: Pick<Task, "clean" | "hint" | "search">,
): Promise<Fate> {
  const { id, req } = mutant
  const copy = workspace.mutate(mutant)
  if ("problem" in copy) return { id, req, outcome: "broken", by: copy.problem }
  try {
    return await examiner.examine({ id, req, folder: copy.folder, ...about })
  } finally {
    workspace.remove(copy.folder)
  }
}
