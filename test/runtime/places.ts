/**
 * What a workflow sees at each place of its code, over all replays of one execution.
 */
import { assert } from "@effect/vitest"
import { type Durable, type DurableError, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Where virtual time begins. */
export const start = Date.UTC(2026, 0, 1)
export const minute = 60_000
export const hour = 60 * minute

/** The workflow's time in milliseconds since the execution began. */
export const elapsed: Effect.Effect<number> = Effect.map(Clock.currentTimeMillis, (millis) => millis - start)

/** Notes what there is to see at a place, and answers with it. */
export type Look<A> = (place: string) => Effect.Effect<A>

const Work = DurableFunction.make("work")

/**
 * Runs a workflow to its end, and answers with what it saw at each place, in the order in which it first came there. At
 * every replay it must see the same.
 */
export const places = <A>(
  read: Effect.Effect<A>,
  workflow: (look: Look<A>) => Effect.Effect<unknown, DurableError.OperationError, Durable.Execution>,
  options: { readonly functions?: ReadonlyArray<TestEngine.Stub>; readonly name?: string } = {}
): Effect.Effect<Record<string, A>> =>
  Effect.gen(function* () {
    const seen: Record<string, A> = {}
    const visits: Record<string, number> = {}
    const changed: Array<string> = []
    const look: Look<A> = (place) =>
      Effect.map(read, (value) => {
        visits[place] = (visits[place] ?? 0) + 1
        if (visits[place] === 1) seen[place] = value
        else if (seen[place] !== value) {
          changed.push(`${place}: first ${String(seen[place])}, at visit ${visits[place]} ${String(value)}`)
        }
        return value
      })
    const work = Work.implement(() => Effect.asVoid(workflow(look)))
    const run = Effect.flatMap(
      TestEngine.start(Work, undefined, { executionName: options.name ?? "one" }),
      ({ result }) => result
    )
    yield* Effect.orDie(run).pipe(
      Effect.provide(TestEngine.layer([work, ...(options.functions ?? [])], { invocationTimeout: Infinity }))
    )
    assert.deepStrictEqual(changed, [])
    return seen
  })
