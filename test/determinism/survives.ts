/**
 * The promise that most tests of constructs make, in one entry each: what passes between fibers is decided by the order in
 * which outcomes came, so that a workflow ends as a process would that never stops, wherever it is killed.
 */
import { assert, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { everywhere, hoursAt, valueOf, type Kit, type Options, type Program } from "../support/host.ts"

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

/** A test: the program does what it should, and does it wherever an invocation is killed. */
export const survives = (promise: string, expected: Survives): void =>
  it.effect(
    promise,
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) => Effect.tap(expected.program(kit), () => goOn(kit)), expected.options)
        assert.deepStrictEqual(valueOf(ran), expected.ends)
        assert.deepStrictEqual(ran.log, [...expected.log, "last"])
        assert.strictEqual(hoursAt(ran, "afterwards"), expected.hours)
        const sleeps = ran.operations.filter(({ path, type }) => type === "WAIT" && path.startsWith("sleep "))
        assert.deepStrictEqual(
          sleeps.map(({ path }) => path),
          expected.sleeps ?? []
        )
      }),
    unhurried
  )

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
