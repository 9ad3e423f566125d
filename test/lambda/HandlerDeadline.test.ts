/** An invocation ends itself before Lambda does, so that it can say what it was doing. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { graceFrom } from "../../src/execution/Core.ts"
import { defaultOptions } from "../../src/invocation/Assembly.ts"
import { limitsOf } from "../../src/invocation/Invocation.ts"
import { contextOf, Lambda, type Invocation } from "./support.ts"

const Work = DurableFunction.make("work", { success: Schema.Json })

type Body = Effect.Effect<Schema.Json, DurableError.OperationError, Durable.Execution | Hanging>

/**
 * A function whose first invocation runs out of time once a body of it hangs, and whose later ones have all the time. A
 * deadline in real time would come too early on one machine and too late on another.
 */
const deployed = (body: (invocation: number) => Body): Lambda => {
  let invocation = 0
  const lambda = new Lambda({ context: () => contextOf(900_000) })
  const work = Work.implement(() => Effect.suspend(() => body(++invocation)))
  return lambda.deploy(
    "work",
    LambdaHandler.make(work, { layer: untilSomethingHangs, checkpoints: lambda.checkpoints })
  )
}

/** Whether a body hangs by now, which is when the time of its invocation is over. */
class Hanging extends Context.Service<Hanging, Latch.Latch>()("test/Hanging") {}

const untilSomethingHangs: Layer.Layer<Hanging> = Layer.effectContext(
  Effect.gen(function* () {
    const hanging = yield* Latch.make()
    const real = yield* Clock.Clock
    const sleep = (duration: Duration.Duration): Effect.Effect<void> =>
      Duration.isGreaterThan(duration, Duration.minutes(1))
        ? Effect.andThen(hanging.await, hanging.close)
        : real.sleep(duration)
    const clock: Clock.Clock = Object.assign(Object.create(real), { sleep })
    return Context.make(Hanging, hanging).pipe(Context.add(Clock.Clock, clock))
  })
)

const first = (lambda: Lambda): Promise<Invocation> => lambda.first("work")

const messageOf = ({ error }: Invocation): string => {
  assert.instanceOf(error, DurableError.InvocationFailed)
  assert.instanceOf(error, Error)
  assert.strictEqual(error.name, "InvocationFailed")
  assert.strictEqual(error.reason, "deadline")
  return error.message
}

const timeIsOver = Effect.flatMap(Hanging, (hanging) => hanging.open)

/** Work that takes longer than any invocation of these tests has. */
const hang = Effect.andThen(timeIsOver, Effect.as(Effect.sleep("1 minute"), null))

describe("an invocation that runs out of time", () => {
  it("rejects, names the step that was running, and says what to change", async () => {
    const message = messageOf(await first(deployed(() => Durable.step("reindex", hang))))
    assert.include(message, `while running the step "reindex"`)
    assert.include(message, "Raise the function's time-out or split the work")
  })

  it("names every step that was running, by its path", async () => {
    const message = messageOf(
      await first(
        deployed(() =>
          Durable.child(
            "books",
            Effect.all([Durable.step("a", Effect.never), Durable.step("b", hang)], { concurrency: 2, discard: true })
          ).pipe(Effect.as(null))
        )
      )
    )
    assert.match(message, /the step "[^"]*books[^"]*a", the step "[^"]*books[^"]*b"/)
  })

  it("names a hold as a hold", async () => {
    assert.include(messageOf(await first(deployed(() => Durable.hold(hang)))), "while running the hold")
  })

  it("says so when its layer is not built in time", async () => {
    const lambda = new Lambda({ context: () => contextOf(150) })
    const layer = Layer.effectDiscard(Effect.never)
    const work = Work.implement(() => Effect.succeed(null))
    lambda.deploy("work", LambdaHandler.make(work, { layer, checkpoints: lambda.checkpoints, margin: "50 millis" }))
    assert.include(messageOf(await lambda.first("work")), "while it built the layer of its handler")
  })

  it("names nothing when no step was running", async () => {
    const endless: Body = Effect.andThen(
      timeIsOver,
      Effect.promise(() => new Promise<null>(() => undefined))
    )
    assert.match(messageOf(await first(deployed(() => endless))), /^The invocation ran out of time\. /)
  })

  it("keeps what was acknowledged: the next invocation goes on from there", async () => {
    const ran: Array<string> = []
    const note = (text: string) => Effect.sync(() => (ran.push(text), text))
    const lambda = deployed((invocation) =>
      Effect.gen(function* () {
        yield* Durable.step("one", note("one"))
        yield* Durable.step("two", Effect.andThen(note("two"), invocation === 1 ? hang : Effect.succeed(null)))
        return ran
      })
    )
    assert.deepInclude(await lambda.run("work"), { status: "SUCCEEDED", result: `["one","two","two"]` })
    assert.deepStrictEqual(
      lambda.invocations.map(({ answer }) => answer?.Status),
      [undefined, "SUCCEEDED"]
    )
    const failed = lambda.updates.filter(({ Action }) => Action === "FAIL" || Action === "RETRY")
    assert.deepStrictEqual(failed, [])
  })

  it("interrupts the bodies in flight, and waits for their finalizers", async () => {
    const log: Array<string> = []
    const finalizer = Effect.andThen(
      Effect.sleep(50),
      Effect.sync(() => void log.push("released"))
    )
    const invocation = await first(deployed(() => Durable.step("export", Effect.ensuring(hang, finalizer))))
    messageOf(invocation)
    assert.deepStrictEqual(log, ["released"])
  })

  it("waits for finalizers for half a second, and not for a minute", async () => {
    const slow = Effect.sleep("1 minute")
    const invocation = await first(deployed(() => Durable.step("export", Effect.ensuring(hang, slow))))
    messageOf(invocation)
  })

  it("ends also when its code cannot be interrupted", async () => {
    const invocation = await first(deployed(() => Durable.step("export", Effect.uninterruptible(hang))))
    assert.include(messageOf(invocation), `the step "export"`)
  })

  it("is no failure that the workflow could catch", async () => {
    let caught = 0
    const catching = Durable.step("export", hang).pipe(
      Effect.onError(() => Effect.sync(() => void caught++)),
      Effect.catchCause(() => Effect.succeed("caught"))
    )
    const invocation = await first(deployed(() => catching))
    messageOf(invocation)
    assert.isAtMost(caught, 1)
    assert.isUndefined(invocation.answer)
  })

  it("records nothing more while it ends", async () => {
    const lambda = deployed(() =>
      Effect.ensuring(Durable.step("export", hang), Effect.ignoreCause(Durable.step("clean up", Effect.void)))
    )
    messageOf(await first(lambda))
    assert.notInclude(
      lambda.updates.map(({ Name }) => Name),
      "clean up"
    )
  })

  it("may be over before it begins", async () => {
    for (const millis of [0, -1_000]) {
      let invocation = 0
      const lambda = new Lambda({ context: () => contextOf(invocation++ === 0 ? millis : 900_000) })
      const work = Work.implement(() => Durable.step("export", Effect.succeed("exported")))
      lambda.deploy(
        "work",
        LambdaHandler.make(work, { layer: Layer.empty, checkpoints: lambda.checkpoints, margin: "50 millis" })
      )
      messageOf(await first(lambda))
      await lambda.settle()
      assert.strictEqual(lambda.invocations.at(-1)?.answer?.Status, "SUCCEEDED")
    }
  })
})

describe("the margin of a handler", () => {
  it("is half of the time where there is no more than that, so that a function of one second gets somewhere", async () => {
    // Here of a quarter of an hour, which is no less true.
    const lambda = new Lambda({ context: () => contextOf(900_000) })
    const work = Work.implement(() => Durable.step("quick", Effect.succeed("done")))
    const options = { layer: Layer.empty, checkpoints: lambda.checkpoints, margin: "15 minutes" } as const
    lambda.deploy("work", LambdaHandler.make(work, options))
    await lambda.run("work")
    assert.strictEqual(lambda.invocations.at(-1)?.answer?.Status, "SUCCEEDED")
    assert.lengthOf(lambda.invocations, 1)
  })

  /** The milliseconds that a step has left at its beginning, of an hour. */
  const leftWith = async (margin?: Duration.Input): Promise<number> => {
    const lambda = new Lambda({ context: () => contextOf(3_600_000) })
    const remaining = Effect.flatMap(Durable.StepContext, ({ remaining }) => Effect.map(remaining, Duration.toMillis))
    const work = Work.implement(() => Durable.step("ask", remaining))
    const options = { layer: Layer.empty, checkpoints: lambda.checkpoints }
    const handler = LambdaHandler.make(work, margin === undefined ? options : { ...options, margin })
    const outcome = await lambda.deploy("work", handler).run("work")
    return Number("result" in outcome ? outcome.result : undefined)
  }

  it("is one second by default", async () => {
    const left = await leftWith()
    assert.isAtMost(left, 3_599_000)
    assert.isAbove(left, 3_000_000)
  })

  it("leaves less time when it is larger, and more when it is smaller", async () => {
    const [large, small] = await Promise.all([leftWith("15 minutes"), leftWith("400 millis")])
    assert.isAtMost(large, 2_700_000)
    assert.isAbove(small, 2_700_000)
    assert.isAtMost(small, 3_599_600)
  })
})

describe("the time of local finalizers", () => {
  it("leaves some of the margin, so that the invocation answers before its function is cut off", () => {
    assert.deepStrictEqual(limitsOf(0, 60_000), { deadline: 59_000, end: 60_000 })
    assert.deepStrictEqual(limitsOf(0, 60_000, 200), { deadline: 59_800, end: 60_000 })
    assert.deepStrictEqual(limitsOf(7, 1_000), { deadline: 507, end: 1_007 })
    assert.deepStrictEqual(limitsOf(0, 1_000, 0), { deadline: 1_000, end: 1_000 })
    assert.deepStrictEqual(limitsOf(0, -10), { deadline: 0, end: -10 })
    const settings = { ...defaultOptions, end: 1_000 }
    assert.deepStrictEqual(
      [-60_000, 0, 800, 1_000, 2_000].map((now) => graceFrom(now, settings)),
      [500, 500, 160, 0, 0]
    )
  })

  it("is that of an invocation without an end where the time that is left is no number", () => {
    for (const remaining of [NaN, Infinity]) assert.deepStrictEqual(limitsOf(0, remaining), {})
  })
})

describe("the margin of a handler that is none", () => {
  for (const [text, margin] of Object.entries({
    soon: cast<unknown, Duration.Input>("soon"),
    endless: "Infinity" as const
  })) {
    it(`is refused when the handler is made: ${text}`, () => {
      const work = Work.implement(() => Effect.succeed(null))
      const make = () => LambdaHandler.make(work, { layer: Layer.empty, margin })
      assert.throws(make, /option margin/)
    })
  }
})

describe("the time that a step has left", () => {
  it("has no end without a context", async () => {
    const lambda = new Lambda({ context: () => undefined })
    const remaining = Effect.flatMap(Durable.StepContext, ({ remaining }) => Effect.map(remaining, Duration.isFinite))
    const work = Work.implement(() => Durable.step("ask", remaining))
    lambda.deploy("work", LambdaHandler.make(work, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
    assert.deepInclude(await lambda.run("work"), { result: "false" })
  })
})
