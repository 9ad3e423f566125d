/**
 * The promise that most tests of suspensions make, in one table entry each: the first invocation of a workflow is suspended,
 * leaves nothing behind, and the execution goes on from there to its end.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  host,
  valueOf,
  type Chooser,
  type Host,
  type HostOptions,
  type Note,
  type Program,
  type Turn
} from "./harness.ts"

/** What a workflow does when it meets a suspension. Whatever is absent must not have happened. */
export interface Suspends {
  readonly program: (note: Note) => Program
  /** What the first invocation waits for when it is suspended. */
  readonly waitsFor: ReadonlyArray<string>
  /** What the workflow noted by then, and the outcomes that were recorded by then. */
  readonly noted?: ReadonlyArray<string>
  readonly recorded?: ReadonlyArray<string>
  /** What the runtime warned about by then. */
  readonly warned?: ReadonlyArray<string>
  /** Whether finalizers outlast their grace period, so that their fibers are given up where they are. */
  readonly abandoned?: boolean
  /** The result in the end, and all that the workflow noted on the way. Without it the execution is left suspended. */
  readonly ends?: unknown
  readonly log?: ReadonlyArray<string>
  readonly choose?: Chooser
  readonly options?: HostOptions
}

/** A test: the first invocation is suspended and leaves nothing behind, and the execution goes on from there to its end. */
export const suspends = (promise: string, expected: Suspends): void => it.live(promise, () => suspendsAndEnds(expected))

/** What such a test does, with the clock of whoever runs it. */
export const suspendsAndEnds = (expected: Suspends): Effect.Effect<void> =>
  Effect.gen(function* () {
    const execution = yield* host(expected.program, expected.options)
    const first = yield* execution.turn()
    assertSuspended(execution, first, expected)
    if (!("ends" in expected)) return
    const { answer, turns } = yield* execution.drive(expected.choose)
    assert.deepStrictEqual(valueOf(answer), expected.ends)
    assert.deepStrictEqual(execution.log, expected.log ?? [])
    if (expected.abandoned !== true) for (const turn of turns) assert.strictEqual(turn.fibersLeft, 0)
  })

/** The invocation answered that the execution goes on later. */
export const assertPending = (turn: Turn): void => {
  assert.strictEqual(turn.failure?.message, undefined)
  assert.deepStrictEqual(turn.answer, { Status: "PENDING" })
}

/** The execution was suspended as expected. */
export const assertSuspended = (execution: Host, turn: Turn, expected: Omit<Suspends, "program">): void => {
  assertPending(turn)
  assert.deepStrictEqual(execution.waitsFor, expected.waitsFor)
  assert.deepStrictEqual(execution.log, expected.noted ?? [])
  assert.deepStrictEqual(turn.recorded, expected.recorded ?? [])
  assert.strictEqual(execution.warnings.length, expected.warned?.length ?? 0, execution.warnings.join("\n"))
  for (const [i, text] of (expected.warned ?? []).entries()) assert.include(execution.warnings[i], text)
  assert.strictEqual(turn.fibersLeft > 0, expected.abandoned ?? false)
}
