/** Operations that get their effect in a pipe: they are the same operations. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy, type DurableError } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import { errorOf, execute, failureOf, twice, unchecked, type Ran } from "./support.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}

const once = RetryPolicy.none
const thrice = RetryPolicy.fixed({ maxAttempts: 3, delay: "1 second" })
const declined = Effect.fail(new Declined({ code: "51" }))
const nap = Durable.wait("nap", "2 seconds")

/** What was sent, without what differs from run to run. */
const sent = ({ updates }: Ran<unknown, never>) =>
  updates.map(({ Action, ContextOptions, Id, Name, ParentId, Payload, StepOptions, SubType, Type }) => ({
    Action,
    ContextOptions,
    Id,
    Name,
    ParentId,
    Payload,
    StepOptions,
    SubType,
    Type
  }))

interface Pair {
  readonly first: Effect.Effect<unknown, DurableError.OperationError | Declined, Durable.Execution>
  readonly last: Effect.Effect<unknown, DurableError.OperationError | Declined, Durable.Execution>
}

const pairs: Record<string, Pair> = {
  "a step": {
    first: Durable.step("a", Effect.succeed({ n: 1 })),
    last: Effect.succeed({ n: 1 }).pipe(Durable.step("a"))
  },
  "a step with options": {
    first: Durable.step("a", Effect.succeed(new Date(0)), { success: Schema.Date, semantics: "at-most-once" }),
    last: Effect.succeed(new Date(0)).pipe(Durable.step("a", { success: Schema.Date, semantics: "at-most-once" }))
  },
  "a step with options that are undefined": {
    first: Durable.step("a", Effect.succeed(1), undefined),
    last: Effect.succeed(1).pipe(Durable.step("a", undefined))
  },
  "a step that fails": {
    first: Durable.step("a", declined, { error: Declined, retry: once }),
    last: declined.pipe(Durable.step("a", { error: Declined, retry: once }))
  },
  "a step whose body is an error": {
    first: Durable.step("a", new Declined({ code: "51" }), { error: Declined, retry: once }),
    last: new Declined({ code: "51" }).pipe(Durable.step("a", { error: Declined, retry: once }))
  },
  "a child": {
    first: Durable.child("a", Effect.as(nap, "x")),
    last: nap.pipe(Effect.as("x"), Durable.child("a"))
  },
  "a child with options": {
    first: Durable.child("a", Effect.as(nap, new Date(0)), { success: Schema.Date }),
    last: nap.pipe(Effect.as(new Date(0)), Durable.child("a", { success: Schema.Date }))
  },
  "a flat child": {
    first: Durable.child("a", nap, { flat: true }),
    last: nap.pipe(Durable.child("a", { flat: true }))
  },
  "a time-out that is in time": {
    first: Durable.timeout("a", nap, "1 minute"),
    last: nap.pipe(Durable.timeout("a", "1 minute"))
  },
  "a time-out that is too late": {
    first: Durable.timeout("a", Effect.as(nap, new Date(0)), "1 second", { success: Schema.Date }),
    last: nap.pipe(Effect.as(new Date(0)), Durable.timeout("a", "1 second", { success: Schema.Date }))
  },
  "a retry": {
    first: Durable.retry("a", Effect.andThen(nap, declined), thrice, { error: Declined }),
    last: nap.pipe(Effect.andThen(declined), Durable.retry("a", thrice, { error: Declined }))
  },
  "a compensation": {
    first: Durable.withCompensation("a", Effect.as(nap, 1), (n) => Durable.step("undo", Effect.succeed(n))),
    last: nap.pipe(
      Effect.as(1),
      Durable.withCompensation("a", (n) => Durable.step("undo", Effect.succeed(n)))
    )
  },
  "a finalizer": {
    first: Durable.onExit(nap, (exit) => Durable.step("clean", Effect.succeed(exit._tag))),
    last: nap.pipe(Durable.onExit((exit) => Durable.step("clean", Effect.succeed(exit._tag))))
  },
  "what is held": {
    first: Durable.hold(Effect.succeed(1)),
    last: Effect.succeed(1).pipe(Durable.hold)
  },
  "what is local": {
    first: Durable.local(Effect.succeed(1)),
    last: Effect.succeed(1).pipe(Durable.local)
  }
}

describe("An operation in a pipe", () => {
  for (const [name, { first, last }] of Object.entries(pairs)) {
    it.effect(`is the same, live and replayed: ${name}`, () =>
      Effect.gen(function* () {
        const expected = yield* twice(first)
        const found = yield* twice(last)
        assert.lengthOf(found.ends, 2)
        assert.deepStrictEqual(found.ends, expected.ends)
        assert.deepStrictEqual(sent(found.ran), sent(expected.ran))
      })
    )
  }

  it.effect("runs its body once, however often it is used", () =>
    Effect.gen(function* () {
      let runs = 0
      const counted = Durable.step("a")(Effect.sync(() => ++runs))
      const { ends } = yield* twice(Effect.map(Effect.all([counted, counted]), String))
      assert.deepStrictEqual(ends, [Exit.succeed("1,2"), Exit.succeed("1,2")])
      assert.strictEqual(runs, 2)
    })
  )

  it.effect("is made once and gets many effects", () =>
    Effect.gen(function* () {
      const named = Durable.step("a", { semantics: "at-most-once" })
      const { ends } = yield* twice(
        Effect.map(Effect.all([named(Effect.succeed(1)), named(Effect.succeed("x"))]), String)
      )
      assert.deepStrictEqual(ends, [Exit.succeed("1,x"), Exit.succeed("1,x")])
    })
  )

  it.effect("undoes what it did", () =>
    Effect.gen(function* () {
      const undone: Array<number> = []
      const ran = yield* execute(
        Effect.succeed(12).pipe(
          Durable.step("book"),
          Durable.withCompensation("hotel", (room) =>
            Effect.sync(() => void undone.push(room)).pipe(Durable.step("cancel"))
          ),
          Effect.andThen(Effect.die(new Error("no")))
        )
      )
      assert.strictEqual(failureOf(ran).errorMessage, "no")
      assert.deepStrictEqual(undone, [12])
    })
  )

  it.effect("builds a local layer", () =>
    Effect.gen(function* () {
      class Pool extends Context.Service<Pool, number>()("test/Pool") {}
      const { ends } = yield* twice(
        Effect.map(Pool, (n) => n).pipe(Effect.provide(Layer.succeed(Pool, 7).pipe(Durable.local)))
      )
      assert.deepStrictEqual(ends, [Exit.succeed(7), Exit.succeed(7)])
    })
  )

  it.effect("says what is wrong as in the other form", () =>
    Effect.gen(function* () {
      const { ends } = yield* twice(Effect.exit(nap.pipe(Durable.timeout("a", "1 second"))))
      const [end] = ends
      assert.isTrue(end !== undefined && Exit.isSuccess(end))
      if (end !== undefined && Exit.isSuccess(end)) assert.strictEqual(errorOf(end.value)._tag, "DurableTimeout")
      const ran = yield* execute(unchecked(nap).pipe(Durable.step("a")))
      assert.strictEqual(failureOf(ran).errorType, "NestedOperation")
      const named = yield* execute(Effect.succeed(1).pipe(Durable.step("")))
      assert.strictEqual(failureOf(named).errorType, "InvalidName")
    })
  )
})
