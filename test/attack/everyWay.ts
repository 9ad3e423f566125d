/**
 * The ways in which a program is run that nobody may be able to tell from each other: suspended at each wait, kept awake so
 * that nothing is ever replayed, killed at every request, and in a strict world, with its history in pages of one operation.
 *
 * Owns: those ways, and the few words that attacks are written in. Does not own: what a run shows, and how it is killed, which
 * is the host's.
 */
import { assert, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import type { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import {
  differenceIn,
  everywhere,
  Refused,
  run,
  valueOf,
  type Kit,
  type Options,
  type Program,
  type Ran
} from "../support/host.ts"
import { someKills } from "../support/kills.ts"

/** A program, and what it comes to in every way. */
interface Attack {
  readonly program: Program
  /** The value of the execution, or how it fails. */
  readonly ends: unknown
  /** What is done to the world without a kill, in order. */
  readonly log?: ReadonlyArray<string>
  readonly parts?: NonNullable<Options["parts"]>
  /** Does without what follows other programs: a clock, a number, a suspension and a step. For programs that may not suspend. */
  readonly bare?: boolean
  /**
   * Ways that it cannot be run in: awake, if two clocks of the world meet in one instant; killed, if the names of its sleeps
   * say what the time was; strict, if it works outside of steps. Default: none.
   */
  readonly except?: ReadonlyArray<"awake" | "killed" | "strict">
}

/** A test for each program. What the host reports as a warning is none that a program may cause. */
export const attacks = (programs: Readonly<Record<string, Attack>>): void => {
  for (const [name, attack] of Object.entries(programs)) it.effect(name, () => inEveryWay(attack))
}

const inEveryWay = ({ bare = false, ends, except = [], log, parts = [], program: self }: Attack): Effect.Effect<void> =>
  Effect.gen(function* () {
    const program = bare ? self : followed(self)
    const clean = yield* except.includes("killed")
      ? run(program, { parts })
      : everywhere(program, { parts, kills: killsOfItsOwn })
    assert.strictEqual(differenceIn(clean), undefined)
    assert.deepStrictEqual(valueOf(clean), ends)
    const isFollowed = !bare && clean.outcome.startsWith("completed")
    if (log !== undefined) assert.deepStrictEqual(clean.log, isFollowed ? [...log, "last"] : log)
    assert.deepStrictEqual(clean.warnings, [])
    const same = (way: string, again: Program, engine: TestEngine.Options = {}) =>
      Effect.map(run(again, { parts, engine }), (ran) => assert.deepStrictEqual(seen(ran), seen(clean), way))
    if (!except.includes("awake")) yield* same("kept awake", awake(program))
    yield* same("in a strict world, in pages of one", program, { strict: !except.includes("strict"), pageItems: 1 })
  })

/**
 * One kill for each state in which the service may be left, in what is the program's own, up to the suspension that follows it.
 * Answers that are lost, and kills in what follows, are the same for every program, and test/determinism has them.
 */
const killsOfItsOwn = (requests: ReadonlyArray<string>) => {
  const last = requests.findIndex((held) => held.includes(`START ${suspension}`))
  return someKills(last === -1 ? requests.length : last + 1).filter(({ side }) => side !== "lost")
}

const suspension = "pause"

/** Goes on with the clock, a number and a suspension, which show what a replay gets wrong. */
const followed =
  (program: Program): Program =>
  (kit) =>
    Effect.tap(program(kit), () =>
      Effect.gen(function* () {
        yield* kit.time("afterwards")
        yield* kit.chance("afterwards")
        yield* Durable.wait(suspension, "1 day")
        yield* kit.step("last")
      })
    )

const waking = "stays awake"

/** A step that takes for ever runs beside, so the invocation lasts, and nothing is replayed. */
const awake =
  (program: Program): Program =>
  (kit) =>
    Effect.andThen(Effect.forkChild(Durable.step(waking, Effect.sleep("3000 days"))), program(kit))

/** What is the same in every way: all but readings of the clock, which are recorded only where nothing else tells the time. */
const seen = (ran: Ran) => ({
  outcome: ran.outcome.replaceAll(/#\d+/g, "#"),
  log: ran.log,
  reports: ran.reports.map(({ compared, place, values }) => `${place}: ${values.length} ${compared}`).toSorted(),
  operations: ran.operations
    .filter(({ path }) => path !== waking && !path.includes("reading:"))
    .map(({ path, status, type }) => `${path} ${type} ${status}`)
    .toSorted()
})

/** Concurrency of fibers that all run at once. */
export const both = { concurrency: "unbounded" } as const

/** Waits for so many hours, under a name. */
export const hours = (name: string, count: number): Effect.Effect<void, never, Durable.Execution> =>
  Durable.wait(name, `${count} hours`)

/** A part of the business that is undone if the rest fails; either step may come after some hours. */
export const part = (kit: Kit, name: string, takes = 0, undo = 0): Effect.Effect<string, never, Durable.Execution> => {
  const after = (wait: string, count: number) => (count === 0 ? Effect.void : hours(wait, count))
  return Durable.withCompensation(name, Effect.andThen(after("takes", takes), kit.step(`do ${name}`)), () =>
    Effect.andThen(after("undoing", undo), kit.step(`undo ${name}`))
  )
}

/** Notes in a list of the workflow's own. */
export const notes = () => {
  const list: Array<string> = []
  return { list, note: (text: string) => Effect.sync(() => void list.push(text)) }
}

/** What a cause holds, in words. */
export const reasonsOf = (cause: Cause.Cause<unknown>): ReadonlyArray<string> =>
  cause.reasons.map((reason) => {
    if (Cause.isInterruptReason(reason)) return "an interruption"
    const [kind, value] = Cause.isFailReason(reason) ? ["a failure", reason.error] : ["a defect", reason.defect]
    const name = [Refused, TypeError].find((known) => value instanceof known)?.name ?? "of no class"
    return `${kind}, ${name}, ${value instanceof Error ? value.message : JSON.stringify(value)}`
  })
