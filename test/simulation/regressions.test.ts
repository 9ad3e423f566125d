/**
 * What the simulation has found, cut down to the smallest program that shows it.
 */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"
import * as Schema from "effect/Schema"
import type { Node } from "./program.ts"
import { noFaults } from "./schedule.ts"
import { simulate } from "./simulate.ts"

const Program = DurableFunction.make("program")

const both = { concurrency: "unbounded" } as const
const stray = Effect.forkDetach(Durable.step("stray", Effect.void))

/** When it is replayed the wait is over at once, and the fork has not begun when the block ends. */
const block = Effect.asVoid(Effect.all([Durable.wait("pause", "2 seconds"), stray], both))

const run = (program: Effect.Effect<void, never, Durable.Execution>) =>
  TestEngine.run(Program).pipe(Effect.provide(TestEngine.layer([Program.implement(() => program)])))

describe("A fork that is never joined", () => {
  it.effect("may still have to begin when a replay of the workflow ends", () => run(block))

  // NonDeterministic: "The history holds STEP "stray", but the code of "child" ended without asking for it."
  it.effect("may still have to begin when a replay of a child ends", () => run(Durable.child("child", block)))
})

describe("A hold that outlives its child", () => {
  // TestFailure: "The execution was suspended while the workflow slept for 5 ms outside of a step".
  it.effect("is let go of at a suspension, and is not taken for a sleep outside of holds", () =>
    run(
      Effect.andThen(
        Durable.child("child", Effect.asVoid(Effect.forkDetach(Durable.hold(Effect.sleep(5))))),
        Durable.wait("pause", "1 second")
      )
    )
  )
})

describe("A fork that is never joined, and takes the end of the workflow for its own", () => {
  const asked = Effect.gen(function* () {
    const answer = yield* Durable.callback("answer")
    yield* Durable.step("ask", Effect.void)
    yield* answer.await
  })

  // NonDeterministic: 'The history holds STEP "ask", but the code of the workflow ended without asking for it.'
  it.effect("may not have got as far as before when a replay of the workflow ends", () => {
    const aside = Effect.flatMap(Effect.forkChild(Effect.exit(asked)), Fiber.join)
    const program = Effect.andThen(
      Effect.forkDetach(Durable.child("aside", aside, { flat: true })),
      Durable.wait("pause", "5 seconds")
    )
    return run(program)
  })
})

class Oops extends Schema.TaggedError<Oops>()("Oops", {}) {}

const Failing = DurableFunction.make("failing", { error: Oops })

/** Runs a workflow that forks something, does a step and fails, and lists what there is of an operation then. */
const failBeside = (aside: Effect.Effect<void, never, Durable.Execution>, name: string) => {
  const workflow = Effect.gen(function* () {
    yield* Effect.forkChild(aside)
    yield* Durable.step("work", Effect.void)
    return yield* new Oops()
  })
  return Effect.gen(function* () {
    const run = yield* TestEngine.start(Failing)
    const exit = yield* Effect.exit(run.result)
    assert.deepStrictEqual(exit, Exit.fail(new Oops()))
    return (yield* run.operations({ name })).map(({ Status }) => Status)
  }).pipe(Effect.provide(TestEngine.layer([Failing.implement(() => workflow)], { patience: "2 seconds" })))
}

describe("A workflow that fails beside a fork, with nothing to undo", () => {
  const nap = Durable.wait("nap", "1 hour")

  // TestFailure: 'The execution did not end. It waits for this: in "failing" "nap" (WAIT) has no outcome.'
  it.effect("waits for what cannot be interrupted, and ends", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* failBeside(Effect.uninterruptible(nap), "nap"), ["SUCCEEDED"])
    })
  )

  it.effect("runs the durable finalizers of the fork, and ends", () =>
    Effect.gen(function* () {
      const aside = Durable.onExit(nap, () => Durable.wait("clean up", "1 minute"))
      assert.deepStrictEqual(yield* failBeside(aside, "clean up"), ["SUCCEEDED"])
    })
  )
})

describe("A fork that outlives a block which a limit cuts off", () => {
  const wait = Durable.wait("a", "14 seconds")
  const blocks = {
    "a retry": Durable.retry("again", wait, RetryPolicy.fixed({ maxAttempts: 3, delay: "8 seconds" })),
    "a child": Durable.child("again", wait),
    "a wait": wait
  }
  for (const [what, inner] of Object.entries(blocks)) {
    // Stuck: "all of its 2 fibers wait for each other": the retry took the interruption for a failure of its attempt.
    it.effect(`is over, when it is in ${what} with a durable finalizer`, () => {
      const aside = Effect.exit(Durable.onExit(inner, () => Effect.void))
      const block = Effect.andThen(Effect.forkDetach(aside), Durable.wait("long", "20 seconds"))
      return run(Effect.ignore(Durable.timeout("limit", block, "4 seconds")))
    })
  }
})

describe("The test engine", () => {
  const waits = Effect.andThen(Durable.wait("a", "1 second"), Durable.wait("b", "1 second"))

  // Virtual time stands still while an invocation without a run sleeps.
  it.effect("lets time pass for an invocation that repeats a request for its state", () =>
    Effect.gen(function* () {
      const { world } = yield* TestEngine.TestEngine
      const { loadState } = world.store
      let requests = 0
      const flaky: Pick<CheckpointStore.CheckpointStore["Service"], "loadState"> = {
        loadState: (request) =>
          Effect.suspend(() =>
            requests++ === 0
              ? Effect.fail(new CheckpointStore.StoreUnavailable({ message: "busy" }))
              : loadState(request)
          )
      }
      Object.assign(world.store, flaky)
      yield* TestEngine.run(Program)
      assert.isAbove(requests, 1)
    }).pipe(Effect.provide(TestEngine.layer([Program.implement(() => waits)], { pageItems: 1, patience: "1 second" })))
  )
})

describe("A finalizer that would sleep beyond the end of an invocation", () => {
  it.effect("is cut short, so that what is around it is released", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const note = (line: string) => Effect.sync(() => void log.push(line))
      yield* run(
        Durable.wait("pause", "1 minute").pipe(
          Effect.ensuring(Effect.andThen(Effect.sleep("10 seconds"), note("slept"))),
          Effect.ensuring(note("released"))
        )
      )
      assert.deepStrictEqual(log, ["released", "released", "slept", "released"])
    })
  )
})

let ids = 0
const node = (kind: object, ...bodies: ReadonlyArray<Node>): Node => cast<object, Node>({ id: ++ids, bodies, ...kind })

describe("A fork that outlives its child, and sleeps for nearly as long as an invocation may last", () => {
  // TestFailure: 4 invocations in a row failed. The last one: InvocationFailed: The invocation ran out of time.
  it("holds a replay up for no longer than the grace time", async () => {
    const stray = node({ op: "stray", detached: false }, node({ op: "sleep", seconds: 7 }))
    const child = node({ op: "child", name: "a", kind: "large" }, node({ op: "patched", name: "a" }), stray)
    const answer = { kind: "value", beats: 0, seconds: 7 }
    const asked = node({ op: "waitForCallback", name: "c", answer, script: ["ok"], retry: "none" })
    const root = node({ op: "sequence" }, { ...child, bodies: [node({ op: "sequence" }, ...child.bodies)] }, asked)
    const seen = await simulate(
      { isSteady: false, sharesNames: false, root },
      { ...noFaults, invocationTimeout: 8_000 }
    )
    assert.match(seen.end, /^value /)
  })
})

describe("A context whose end was acknowledged without its record", () => {
  it("ended when that was acknowledged, also for a nap after it", async () => {
    const nap = node({ op: "sequence" }, node({ op: "nap", millis: 1 }), node({ op: "wait", name: "c", seconds: 16 }))
    const condition = { op: "condition", name: "c", script: ["done"], maxAttempts: 1, seconds: 4, millis: 0 }
    const pure = node({ op: "pure" })
    const queue = node({ op: "queue", capacity: 2 }, pure, pure, nap, node(condition))
    const race = node({ op: "durableRace", name: "b", until: "end", large: false }, pure)
    const seen = await simulate(
      { isSteady: false, sharesNames: true, root: node({ op: "sequence" }, race, queue) },
      { ...noFaults, coarse: { behind: [0], lags: [false] }, mute: [true, false, false] }
    )
    assert.match(seen.end, /^value /)
    assert.deepStrictEqual(seen.tally.changed, [])
  })
})

describe("A nap after a request that was answered late", () => {
  // Stuck: "The execution can never continue: its only fiber waits, in the workflow, and no operation is open."
  it("is no row of naps in which nothing happens", async () => {
    const nap = (millis: number): Node => node({ op: "nap", millis })
    const limit = node({ op: "timeout", name: "a", seconds: 1, days: 0, large: false }, nap(300))
    const seen = await simulate(
      { isSteady: false, sharesNames: false, root: node({ op: "sequence" }, limit, nap(1)) },
      { ...noFaults, faults: { 1: { kind: "slow", when: "after", millis: 3_600_000 } } }
    )
    assert.match(seen.end, /^value /)
  })
})

describe("A branch that was let go of, and whose records the service never told", () => {
  // NonDeterministic: 'The history holds a STEP (Step) at "c[0]/b/c", but the code asks for a STEP (Step)'
  it("is undone", async () => {
    const step = (name: string, script: ReadonlyArray<string>): Node =>
      node({ op: "step", name, script, retry: "none", once: false, millis: 0 })
    const pure = (): Node => node({ op: "pure" })
    const policy = { after: 2, as: "SUCCEEDED" }
    const batch = { op: "batch", name: "c", kind: "map", policy, concurrency: "unbounded", flat: false, large: false }
    const part = node({ op: "compensate", name: "b" }, step("c", ["ok"]), pure())
    const root = node({ op: "sequence" }, node(batch, part, pure(), pure()), step("a", ["fail"]))
    const seen = await simulate(
      { isSteady: false, sharesNames: false, root },
      { ...noFaults, coarse: { behind: [0], lags: [false] }, mute: [true, false] }
    )
    assert.match(seen.end, /Oops/)
  })
})
