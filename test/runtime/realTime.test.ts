import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Tracer from "effect/Tracer"
import { hour, start } from "./places.ts"

const Work = DurableFunction.make("work")

const work = Work.implement(() =>
  Effect.gen(function* () {
    yield* Effect.log("begins")
    yield* Durable.wait("nap", "1 hour")
    yield* Durable.child(
      "block",
      Effect.andThen(Durable.wait("inside", "1 hour"), Effect.log("later")).pipe(Effect.withSpan("block"))
    )
    yield* Effect.log("ends").pipe(Effect.withSpan("end"))
  }).pipe(Effect.withSpan("workflow"))
)

describe("In a workflow whose clock stands still", () => {
  it.effect("logs have the real time, after replays too", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make<unknown, void>(
        ({ date, message }) => void lines.push(`${String(message)} ${(date.getTime() - start) / hour}`)
      )
      yield* TestEngine.run(Work).pipe(Effect.provide(Layer.provide(TestEngine.layer([work]), Logger.layer([logger]))))
      assert.deepStrictEqual(lines, ["begins 0", "later 2", "ends 2"])
    })
  )

  it.effect("spans have the real time, and so have their events", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const at = (nanos: bigint): number => Number((nanos / 1_000_000n - BigInt(start)) / BigInt(hour))
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          const { end, event } = { end: span.end.bind(span), event: span.event.bind(span) }
          const began = at(options.startTime)
          span.end = (time, exit) => {
            told.push(`${options.name} ${began} to ${at(time)}`)
            end(time, exit)
          }
          span.event = (name, time, attributes) => {
            told.push(`${name} ${at(time)}`)
            event(name, time, attributes)
          }
          return span
        }
      })
      const services = Layer.merge(Layer.succeed(Tracer.Tracer, tracer), Logger.layer([Logger.tracerLogger]))
      yield* TestEngine.run(Work).pipe(Effect.provide(Layer.provide(TestEngine.layer([work]), services)))
      assert.deepStrictEqual(told, [
        "begins 0",
        "workflow 0 to 0",
        "Invocation 0 to 0",
        "nap 0 to 1",
        "block 1 to 1",
        "workflow 1 to 1",
        "Invocation 1 to 1",
        "inside 1 to 2",
        "later 2",
        "block 2 to 2",
        "ends 2",
        "end 2 to 2",
        "workflow 2 to 2",
        "block 1 to 2",
        "Invocation 2 to 2",
        "Workflow 0 to 2"
      ])
    })
  )
})
