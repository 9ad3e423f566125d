/** Runs requirements on a backend and says of each whether it is met. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { setTimeout } from "node:timers/promises"
import type { Backend, Functions } from "./backend.ts"
import {
  bindVariables,
  patternIn,
  problemsOf,
  problemsOfHistory,
  substitute,
  type Bindings,
  type Json
} from "./matcher.ts"
import type { Watch } from "./process.ts"
import { isHistoryOnly, needsCrash, type CallbackAction, type Requirement } from "./requirement.ts"

export interface Pack {
  readonly handlers: Readonly<Record<string, Functions["handler"]>>
  readonly targets: Functions["targets"]
  readonly durableTargets: Functions["durableTargets"]
}

export interface Verdict {
  readonly id: string
  readonly suite: string
  readonly status: "passed" | "failed" | "not implemented"
  readonly optional: boolean
  readonly problems: ReadonlyArray<string>
  readonly milliseconds: number
}

/**
 * Runs all requirements, as many at once as the backend allows; those in which a process dies run alone, because there is
 * no telling whose exit it is otherwise.
 */
export const runAll = async (
  requirements: ReadonlyArray<Requirement>,
  pack: Pack,
  backend: Backend,
  watch: Watch,
  seed: number
): Promise<ReadonlyArray<Verdict>> => {
  const memory = mkdtempSync(join(tmpdir(), "effect-durable-conformance-"))
  const before = process.env["HARNESS_STATE_DIR"]
  process.env["HARNESS_STATE_DIR"] = memory
  try {
    const verdicts = new Map<Requirement, Verdict>()
    const run = async (requirement: Requirement): Promise<void> => {
      verdicts.set(requirement, await runOne(requirement, pack, backend, watch, seed))
    }
    await concurrently(
      requirements.filter((requirement) => !needsCrash(requirement)),
      backend.width,
      run
    )
    await concurrently(requirements.filter(needsCrash), 1, run)
    return requirements.flatMap((requirement) => verdicts.get(requirement) ?? [])
  } finally {
    if (before === undefined) delete process.env["HARNESS_STATE_DIR"]
    else process.env["HARNESS_STATE_DIR"] = before
    rmSync(memory, { recursive: true })
  }
}

const concurrently = async <A>(
  items: ReadonlyArray<A>,
  width: number,
  f: (item: A) => Promise<void>
): Promise<void> => {
  const queue = items.values()
  const work = async (): Promise<void> => {
    for (const item of queue) await f(item)
  }
  await Promise.all(Array.from({ length: width }, work))
}

const runOne = async (
  requirement: Requirement,
  pack: Pack,
  backend: Backend,
  watch: Watch,
  seed: number
): Promise<Verdict> => {
  const { id, optional = false, suite } = requirement
  const handler = pack.handlers[id]
  const since = performance.now()
  const verdict = (status: Verdict["status"], problems: ReadonlyArray<string>): Verdict => ({
    id,
    suite,
    status,
    optional,
    problems,
    milliseconds: Math.round(performance.now() - since)
  })
  if (handler === undefined) return verdict("not implemented", [])
  const { durableTargets, targets } = pack
  const problems = await judge(requirement, { handler, targets, durableTargets }, backend, watch, seed)
  return verdict(problems.length === 0 ? "passed" : "failed", problems)
}

/** Milliseconds without a new event after which an execution counts as stuck. */
const patience = 30_000

const judge = async (
  requirement: Requirement,
  functions: Functions,
  backend: Backend,
  watch: Watch,
  seed: number
): Promise<ReadonlyArray<string>> => {
  const variables = bindVariables(requirement, randomOf(`${seed} ${requirement.id}`))
  const outsiders = new Outsiders(requirement, variables)
  const run = await backend.start({
    ...functions,
    id: requirement.id,
    mayCrash: needsCrash(requirement),
    input: JSON.stringify(substitute(requirement.Input ?? null, variables)),
    onCallback: outsiders.ask,
    onRefused: outsiders.refused
  })
  try {
    let count = 0
    let lastNews = performance.now()
    let endedAt: number | undefined
    for (;;) {
      const ended = run.ended()
      const events = run.events()
      const problems = isHistoryOnly(requirement)
        ? problemsOfHistory(requirement, new Map(variables), events)
        : ended === undefined
          ? ["the execution does not come to an end"]
          : problemsOf(requirement, variables, { events, ended, logs: watch.logsOf(run.executionArn()) })
      if (problems.length === 0) return outsiders.problems
      // A history only grows: when it is as long as expected, it is as right as it will ever be.
      const isTold = isHistoryOnly(requirement) && events.length > (requirement.ExpectedExecutionHistory ?? []).length
      if (ended !== undefined || isTold) endedAt ??= performance.now()
      if (events.length > count) {
        count = events.length
        lastNews = performance.now()
      }
      const isLost = outsiders.problems.length > 0
      const isOver = isLost || (endedAt !== undefined && performance.now() - endedAt >= backend.lateness)
      if (isOver || performance.now() - lastNews > patience) return [...outsiders.problems, ...problems, told(events)]
      await setTimeout(10)
    }
  } finally {
    run.stop()
    watch.onExit = undefined
  }
}

const told = (events: ReadonlyArray<Json>): string =>
  `the history was ${events.map(({ EventId, EventType }) => `${String(EventId)} ${String(EventType)}`).join(", ")}`

/** Those who complete the callbacks: each action is taken once, by the first callback that it fits. */
export class Outsiders {
  readonly #actions: Array<CallbackAction>
  readonly #hasActions: boolean
  readonly problems: Array<string> = []

  constructor(requirement: Requirement, variables: Bindings) {
    this.#actions = (requirement.CallbackActions ?? []).map((action) => ({
      ...action,
      CallbackName: String(substitute(action.CallbackName, variables)),
      ...("Payload" in action ? { Payload: substitute(action.Payload, variables) } : undefined)
    }))
    this.#hasActions = this.#actions.length > 0
  }

  readonly ask = (started: Json, history: ReadonlyArray<Json>): CallbackAction | undefined => {
    const name = knownAs(started, history)
    const index = this.#actions.findIndex(({ CallbackName }) => {
      return CallbackName === "*" || (patternIn(CallbackName)?.test(name) ?? CallbackName === name)
    })
    const [action] = index === -1 ? [] : this.#actions.splice(index, 1)
    if (action === undefined && this.#hasActions)
      this.problems.push(`nobody does anything about the callback "${name}"`)
    return action
  }

  readonly refused = (started: Json, { Operation }: CallbackAction, error: unknown): void => {
    const reason = error instanceof Error ? error.message : JSON.stringify(error)
    this.problems.push(`the ${Operation} for callback "${nameOf(started)}" was refused: ${reason}`)
  }
}

/** A callback that somebody was asked for goes by the name of the question. */
const knownAs = (started: Json, history: ReadonlyArray<Json>): string => {
  const question = history.find(
    ({ EventType, Id, SubType }) =>
      EventType === "ContextStarted" && SubType === "WaitForCallback" && Id === started["ParentId"]
  )
  return nameOf(question ?? started)
}

const nameOf = ({ Name }: Json): string => (typeof Name === "string" ? Name : "")

/** Chance that a seed repeats: mulberry32 over a hash of the text. */
const randomOf = (text: string): (() => number) => {
  let state = 0
  for (const character of text) state = (Math.imul(state, 31) + (character.codePointAt(0) ?? 0)) | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
