/**
 * The promise that most tests of constructs make, in one entry each: what passes between fibers is decided by the order in
 * which outcomes came, so that a workflow ends as a process would that never stops, wherever it is killed.
 */
import { assert, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { isDeepStrictEqual } from "node:util"
import {
  differenceIn,
  everywhere,
  hoursAt,
  run,
  valueOf,
  type Kit,
  type Options,
  type Program,
  type Ran
} from "../support/host.ts"

/** What a workflow does that passes something between fibers, and then goes on after a wait. */
export interface Survives {
  readonly program: Program
  /** The value of the program, which the execution completes with. */
  readonly ends: unknown
  /** What it did to the world. */
  readonly log: ReadonlyArray<string>
  /** What the clock shows then, in hours since the start. */
  readonly hours: number
  /** The durable sleeps of Effect's own time that it took, by name, in the order in which they began. Default: none. */
  readonly sleeps?: ReadonlyArray<string>
  readonly options?: Omit<Options, "kill">
}

/**
 * Two tests: the program does what it should, and does it wherever an invocation is killed; and it depends on the order of
 * outcomes, because it does something else, even when nothing kills it, where they are delivered in the order in which
 * fibers ask for them.
 */
export const survives = (promise: string, expected: Survives): void => {
  const program: Program = (kit) => Effect.tap(expected.program(kit), () => goOn(kit))
  it.effect(
    promise,
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere(program, expected.options)
        assert.deepStrictEqual(seenOf(ran), expectedOf(expected))
      }),
    unhurried
  )
  it.effect(
    `${promise} (not in the order of claims)`,
    () =>
      Effect.gen(function* () {
        const ran = yield* run(program, { ...expected.options, inOrderOfClaims: true })
        const isSame = isDeepStrictEqual(seenOf(ran), expectedOf(expected)) && differenceIn(ran) === undefined
        assert.isFalse(isSame, "The order of outcomes makes no difference to this program.")
      }),
    unhurried
  )
}

const seenOf = (ran: Ran): Omit<Required<Survives>, "options" | "program"> => ({
  ends: valueOf(ran),
  log: ran.log,
  hours: hoursAt(ran, "afterwards") ?? Number.NaN,
  sleeps: ran.operations.flatMap(({ path, type }) => (type === "WAIT" && path.startsWith("sleep ") ? [path] : []))
})

const expectedOf = ({ ends, hours, log, sleeps = [] }: Survives): ReturnType<typeof seenOf> => ({
  ends,
  log: [...log, "last"],
  hours,
  sleeps
})

/** Real milliseconds after which a test is given up: many executions are run, on a machine that has other work. */
export const unhurried = 120_000

/** The time, a number, a suspension, and one more step: each of them shows what a replay got wrong before. */
const goOn = (kit: Kit): Effect.Effect<void, never, Durable.Execution> =>
  Effect.gen(function* () {
    yield* kit.time("afterwards")
    yield* kit.chance("afterwards")
    yield* Durable.wait("pause", "1 day")
    yield* kit.step("last")
  })

/** Concurrency of branches that all run at once. */
export const together = { concurrency: "unbounded" } as const

/** Waits for so many hours, under a name. */
export const hours = (name: string, count: number): Effect.Effect<void, never, Durable.Execution> =>
  Durable.wait(name, `${count} hours`)
