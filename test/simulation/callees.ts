/**
 * The functions that programs invoke.
 */
import { Durable, DurableFunction } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { mix, Oops } from "./digest.ts"
import type { Callee } from "./program.ts"
import type { Tally } from "./tally.ts"

const contract = { payload: Schema.Int, success: Schema.Int, error: Oops }

export const contracts = {
  double: DurableFunction.plain("double", contract),
  slow: DurableFunction.plain("slow", contract),
  declines: DurableFunction.plain("declines", contract),
  breaks: DurableFunction.plain("breaks", contract),
  throttled: DurableFunction.plain("throttled", contract),
  silent: DurableFunction.plain("silent", contract),
  worker: DurableFunction.make("worker", contract),
  refuser: DurableFunction.make("refuser", contract),
  broken: DurableFunction.make("broken", contract),
  caller: DurableFunction.make("caller", contract),
  sleeper: DurableFunction.make("sleeper", contract)
}

/** The functions that programs invoke, each of which notes its calls. */
export const callees = (tally: Tally) => {
  const called = (callee: Callee) => Effect.sync(() => void tally.calls.push(callee))
  /** A durable callee is called once per execution, however often it is invoked: the call is a step. */
  const begin = (callee: Callee) => Durable.step("begin", called(callee))
  return [
    TestEngine.stub(contracts.double, (value) => Effect.as(called("double"), mix(value, 2))),
    TestEngine.stub(contracts.slow, (value) => Effect.as(Effect.delay(called("slow"), 3_000), mix(value, 3))),
    TestEngine.stub(contracts.declines, (value) => Effect.andThen(called("declines"), new Oops({ code: value % 100 }))),
    TestEngine.stub(contracts.breaks, () => {
      tally.calls.push("breaks")
      return Reply.fail({ ErrorType: "Broken", ErrorMessage: "in two" })
    }),
    TestEngine.stub(contracts.throttled, () => {
      tally.calls.push("throttled")
      return Reply.throttle
    }),
    TestEngine.stub(contracts.silent, () => {
      tally.calls.push("silent")
      return Reply.never
    }),
    contracts.worker.implement((value) =>
      Effect.gen(function* () {
        yield* begin("worker")
        yield* Durable.wait("pause", "2 seconds")
        return yield* Durable.step("work", Effect.succeed(mix(value, 7)))
      })
    ),
    contracts.refuser.implement((value) => Effect.andThen(begin("refuser"), new Oops({ code: value % 100 }))),
    contracts.broken.implement(() => Effect.andThen(begin("broken"), Effect.die(new TypeError("broken inside")))),
    contracts.caller.implement((value) =>
      Effect.andThen(begin("caller"), Durable.child("calls", Durable.invoke(contracts.double, value), { error: Oops }))
    ),
    contracts.sleeper.implement((value) =>
      Effect.as(Effect.andThen(begin("sleeper"), Durable.wait("long", "30 days")), value)
    )
  ]
}

/** Whether a function is an ordinary one, by its name. */
export const isPlain = (name: string): boolean =>
  Object.values(contracts).some((contract) => contract.name === name && contract.kind === "plain")
