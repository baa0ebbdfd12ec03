// Model-based properties: sequences of commands against the driver and a small model of it.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { property, type Setting, type Spec } from "./define.ts"
import type { Trial } from "./trial.ts"

/** One kind of command. */
export interface Move<M extends object> {
  readonly commands: fc.Arbitrary<fc.AsyncCommand<M, Trial>>
}

class Command<M extends object, A> implements fc.AsyncCommand<M, Trial> {
  readonly #name: string
  readonly #args: A
  readonly #run: (model: M, trial: Trial, args: A) => Promise<void>
  readonly #when: (model: M, args: A) => boolean

  constructor(
    name: string,
    args: A,
    run: (model: M, trial: Trial, args: A) => Promise<void>,
    when: (model: M, args: A) => boolean,
  ) {
    this.#name = name
    this.#args = args
    this.#run = run
    this.#when = when
  }

  check(model: Readonly<M>): boolean {
    return this.#when(model, this.#args)
  }

  run(model: M, trial: Trial): Promise<void> {
    return this.#run(model, trial, this.#args)
  }

  toString(): string {
    return `${this.#name} ${JSON.stringify(this.#args) ?? ""}`
  }
}

/**
 * A kind of command.
 *
 * @param run - Performs it on the driver, judges what came, and moves the model on.
 * @param when - Whether it makes sense in this state; otherwise it is left out.
 */
export function move<M extends object, A>(
  name: string,
  args: fc.Arbitrary<A>,
  run: (model: M, trial: Trial, args: A) => Promise<void>,
  when: (model: M, args: A) => boolean = () => true,
): Move<M> {
  return { commands: args.map((value) => new Command<M, A>(name, value, run, when)) }
}

/** Parts of a model-based property. */
export interface Script<C, M extends object> {
  /** What stays the same during one sequence: suites, limits, names. */
  readonly config: (setting: Setting) => fc.Arbitrary<C>
  /** Fresh handles and a fresh model. */
  readonly setup: (trial: Trial, config: C) => Promise<M>
  readonly moves: readonly Move<M>[]
  /** Longest sequence. */
  readonly max: number
  /** What has to hold at the end. */
  readonly finish?: (model: M, trial: Trial) => Promise<void>
}

/** A property over command sequences; failing ones shrink to the commands that matter. */
export function modelProperty<C, M extends object>(
  spec: Omit<Spec, "model">,
  script: Script<C, M>,
): Property {
  const { config, setup, moves, max, finish } = script
  const sequences = fc.commands(
    moves.map((kind) => kind.commands),
    { maxCommands: max, size: "max" },
  )
  return property(
    { ...spec, model: true },
    (setting) => fc.tuple(config(setting), sequences),
    async (trial, [chosen, commands]) => {
      let model: M | null = null
      await fc.asyncModelRun(async () => {
        model = await setup(trial, chosen)
        return { model, real: trial }
      }, commands)
      if (finish && model !== null) await finish(model, trial)
    },
  )
}
