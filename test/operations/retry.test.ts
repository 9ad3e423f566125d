import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, RetryPolicy } from "effect-durable"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Schema from "effect/Schema"
import { contextNames } from "./blocks.ts"
import {
  actions,
  assertSucceeded,
  besidePromise,
  crashAt,
  defectOf,
  deployed,
  errorOf,
  execute,
  failureOf,
  holds,
  invokeOnce,
  valueOf
} from "./support.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}

const once = { retry: RetryPolicy.none }
const often = RetryPolicy.fixed({ maxAttempts: 5, delay: "1 minute" })

/** A step that fails so many times with a defect, each time it is really run. */
const flaky = (times: number, name = "work") => {
  const runs = { count: 0, at: [] as Array<number> }
  const block = Durable.step(
    name,
    Effect.gen(function* () {
      runs.at.push(yield* Clock.currentTimeMillis)
      if (++runs.count <= times) return yield* Effect.die(new Error(`no ${runs.count}`))
      return runs.count
    }),
    once
  )
  return { runs, block }
}

/** A policy that notes what it is asked. */
const asked = (policy: RetryPolicy.RetryPolicy, seen: Array<number> = []) => {
  const noting: RetryPolicy.RetryPolicy = {
    ...policy,
    decide: (input) => {
      seen.push(input.attempt)
      return policy.decide(input)
    }
  }
  return { seen, policy: noting }
}

describe("Durable.retry", () => {
  it.effect("records a context, and a wait after each attempt that failed, as the AWS SDK does", () =>
    Effect.gen(function* () {
      const { block, runs } = flaky(2)
      const ran = yield* execute(Durable.retry("reserve", block, often))
      assert.strictEqual(valueOf(ran), 3)
      assert.strictEqual(runs.count, 3)
      assert.deepStrictEqual(actions(ran.updates), [
        "START reserve",
        "START work",
        "FAIL work",
        "START back-off",
        "START work",
        "FAIL work",
        "START back-off",
        "START work",
        "SUCCEED work",
        "SUCCEED reserve"
      ])
      const [context] = ran.operations
      for (const operation of ran.operations.slice(1)) assert.strictEqual(operation.ParentId, context?.Id)
      assert.strictEqual(context?.ContextDetails?.Result, "3")
    })
  )

  it.effect("costs one operation when the block succeeds at once", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.retry("reserve", Effect.succeed("seat 12"), often))
      assert.strictEqual(valueOf(ran), "seat 12")
      assert.deepStrictEqual(
        ran.operations.map((operation) => operation.Name),
        ["reserve"]
      )
    })
  )

  it.effect("spends the time between two attempts without an invocation, as long as the policy says", () =>
    Effect.gen(function* () {
      const { block, runs } = flaky(3)
      const policy = RetryPolicy.exponential({ maxAttempts: 4, initialDelay: "10 seconds", jitter: "none" })
      const ran = yield* execute(Durable.retry("reserve", block, policy))
      assertSucceeded(ran)
      assert.deepStrictEqual(
        runs.at.slice(1).map((time, index) => time - runs.at[index]!),
        [10_000, 20_000, 40_000]
      )
      assert.strictEqual(ran.invocations, 4)
    })
  )

  it.effect("fails as the last attempt did, with the typed error", () =>
    Effect.gen(function* () {
      let attempts = 0
      const block = Effect.suspend(() => Effect.fail(new Declined({ code: `code ${++attempts}` })))
      const tries = RetryPolicy.fixed<Declined>({ maxAttempts: 3, delay: "1 second" })
      const ran = yield* execute(Effect.flip(Durable.retry("reserve", block, tries, { error: Declined })))
      // An attempt that records nothing runs again on every replay, as all code between operations does.
      assert.instanceOf(valueOf(ran), Declined)
      assert.strictEqual(ran.invocations, 3)
      assert.strictEqual(ran.operations[0]?.ContextDetails?.Error?.ErrorType, "Declined")
    })
  )

  it.effect("asks the policy with the error as it was declared, and stops when it says so", () =>
    Effect.gen(function* () {
      const codes: Array<string> = []
      const policy = RetryPolicy.fixed<Declined>({
        maxAttempts: 5,
        delay: "1 second",
        while: (error) => {
          codes.push(error.code)
          return error.code === "busy"
        }
      })
      let runs = 0
      const charge = Durable.step(
        "charge",
        Effect.suspend(() => Effect.fail(new Declined({ code: ++runs < 3 ? "busy" : "stolen" }))),
        { error: Declined, retry: RetryPolicy.none }
      )
      const ran = yield* execute(Effect.flip(Durable.retry("pay", charge, policy, { error: Declined })))
      assert.deepStrictEqual(valueOf(ran), new Declined({ code: "stolen" }))
      assert.deepStrictEqual(codes, ["busy", "busy", "stolen"])
    })
  )

  it.effect("dies as the last attempt did", () =>
    Effect.gen(function* () {
      const { block } = flaky(Infinity)
      const ran = yield* execute(Durable.retry("reserve", block, RetryPolicy.fixed({ maxAttempts: 2, delay: 1_000 })))
      assert.strictEqual(cast<unknown, Error>(defectOf(ran.exits.at(-1))).message, "no 2")
      assert.strictEqual(failureOf(ran).errorMessage, "no 2")
    })
  )

  it.effect("takes an attempt that interrupts itself for a failed one, in a child as well as directly", () =>
    Effect.gen(function* () {
      let runs = 0
      const count = Durable.step(
        "count",
        Effect.sync(() => ++runs)
      )
      const block = Effect.flatMap(count, (run) => (run < 3 ? Effect.interrupt : Effect.succeed(run)))
      assert.strictEqual(valueOf(yield* execute(Durable.retry("again", block, often))), 3)
      runs = 0
      assert.strictEqual(valueOf(yield* execute(Durable.retry("again", Durable.child("in", block), often))), 3)
    })
  )

  it.effect("does not repeat a mistake of the program", () =>
    Effect.gen(function* () {
      const { policy, seen } = asked(often)
      const twice = besidePromise(Durable.wait("same", "1 second"), Durable.wait("same", "1 second"))
      const ran = yield* execute(Durable.retry("block", Effect.asVoid(twice), policy))
      assert.strictEqual(failureOf(ran).errorType, "NameInUse")
      const wrong = yield* execute(Durable.retry("block", Durable.child("in", Durable.wait("\n", 1_000)), policy))
      assert.strictEqual(failureOf(wrong).errorType, "InvalidName")
      assert.deepStrictEqual(seen, [])
    })
  )

  it.effect("lets every attempt use the same names, also in concurrent branches", () =>
    Effect.gen(function* () {
      let runs = 0
      const block = Effect.all(
        [
          Durable.step("a", Effect.succeed("a")),
          Durable.step(
            "b",
            Effect.sync(() => ++runs)
          )
        ],
        { concurrency: "unbounded" }
      ).pipe(Effect.flatMap(([a, b]) => (b < 3 ? Effect.die(new Error("no")) : Effect.succeed(`${a}${b}`))))
      const ran = yield* execute(Durable.retry("both", block, often))
      assert.strictEqual(valueOf(ran), "a3")
      assert.strictEqual(new Set(ran.operations.map((operation) => operation.Id)).size, ran.operations.length)
      assert.strictEqual(ran.operations.filter((operation) => operation.Name === "a").length, 3)
    })
  )

  it.effect("may be used again under the same name, and inside of itself", () =>
    Effect.gen(function* () {
      const inner = flaky(3)
      const few = RetryPolicy.fixed({ maxAttempts: 2, delay: "1 second" })
      const nested = Durable.retry("block", Durable.retry("block", inner.block, few), few)
      const ran = yield* execute(Effect.all([nested, nested]))
      assert.deepStrictEqual(valueOf(ran), [4, 5])
      assert.strictEqual(inner.runs.count, 5)
    })
  )

  it.effect("suspends inside of an attempt and goes on there", () =>
    Effect.gen(function* () {
      const { block, runs } = flaky(2)
      const attempt = Effect.andThen(Durable.wait("settle", "1 hour"), block)
      const { policy, seen } = asked(often)
      const ran = yield* execute(Durable.retry("reserve", attempt, policy))
      assert.strictEqual(valueOf(ran), 3)
      assert.strictEqual(runs.count, 3)
      assert.deepStrictEqual(seen, [1, 2])
      const pauses = runs.at.slice(1).map((time, index) => time - runs.at[index]!)
      assert.deepStrictEqual(pauses, [3_660_000, 3_660_000])
    })
  )

  it.effect("keeps the delays that were recorded when the policy changes", () =>
    Effect.gen(function* () {
      const { block, runs } = flaky(2)
      const before = Durable.retry("reserve", block, RetryPolicy.fixed({ maxAttempts: 9, delay: "1 hour" }))
      const after = Durable.retry("reserve", block, RetryPolicy.fixed({ maxAttempts: 9, delay: "1 day" }))
      const ran = yield* execute(deployed(before, after))
      assert.strictEqual(valueOf(ran), 3)
      assert.deepStrictEqual(
        runs.at.slice(1).map((time, index) => time - runs.at[index]!),
        [3_600_000, 86_400_000]
      )
    })
  )

  it.effect("makes the attempt that was decided on, although the policy is stricter by then", () =>
    Effect.gen(function* () {
      const { block, runs } = flaky(1)
      const ran = yield* execute(
        deployed(Durable.retry("reserve", block, often), Durable.retry("reserve", block, RetryPolicy.none))
      )
      assert.strictEqual(valueOf(ran), 2)
      assert.strictEqual(runs.count, 2)
    })
  )

  for (const when of ["before", "after"] as const) {
    it.effect(`asks again only for a decision that was not recorded: a crash ${when} its wait is acknowledged`, () =>
      Effect.gen(function* () {
        const { block, runs } = flaky(1)
        const { policy, seen } = asked(often)
        const ran = yield* execute(Durable.retry("reserve", block, policy), {
          store: crashAt(holds("START", "back-off"), when)
        })
        assert.strictEqual(valueOf(ran), 2)
        assert.strictEqual(runs.count, 2)
        assert.deepStrictEqual(seen, when === "before" ? [1, 1] : [1])
        assert.strictEqual(ran.operations.filter((operation) => operation.Type === "WAIT").length, 1)
      })
    )
  }

  it.effect("does every step once wherever the process dies", () =>
    Effect.gen(function* () {
      const { requests } = yield* execute(Durable.retry("reserve", flaky(2).block, often))
      for (let at = 0; at < requests.length; at++) {
        let seen = 0
        const ran = yield* execute(Durable.retry("reserve", flaky(2).block, often), {
          store: crashAt(() => seen++ === at, "after")
        })
        assertSucceeded(ran)
        assert.deepStrictEqual(
          ran.operations.map((operation) => operation.Name),
          ["reserve", "work", "back-off", "work", "back-off", "work"]
        )
      }
    })
  )

  for (const [what, decide] of [
    ["throws", () => Effect.die(new Error("no policy"))],
    ["gives no number", () => Effect.succeed({ _tag: "Retry" as const, delaySeconds: Number.NaN })]
  ] as const) {
    it.effect(`fails, and does not hang, with a policy that ${what}`, () =>
      Effect.gen(function* () {
        const { block, runs } = flaky(Infinity)
        const ran = yield* execute(Durable.retry("reserve", block, { ...often, decide }))
        assert.strictEqual(runs.count, 1)
        assert.include(failureOf(ran).errorMessage, what === "throws" ? "no policy" : "to decide")
      })
    )
  }

  it.effect("waits at least a second and at most 366 days", () =>
    Effect.gen(function* () {
      for (const [delaySeconds, expected] of [
        [0, 1],
        [-5, 1],
        [1e12, 366 * 86_400]
      ] as const) {
        const { block, runs } = flaky(1)
        const policy = RetryPolicy.make(() => Effect.succeed({ _tag: "Retry" as const, delaySeconds }))
        assertSucceeded(yield* execute(Durable.retry("reserve", block, policy)))
        assert.strictEqual(runs.at[1]! - runs.at[0]!, expected * 1_000)
      }
    })
  )

  it.effect("rebuilds a result that is too large to keep, and asks no policy again", () =>
    Effect.gen(function* () {
      const { policy, seen } = asked(often)
      const { block, runs } = flaky(1)
      const large = Effect.map(block, (run) => "x".repeat(300_000) + run)
      const ran = yield* execute(
        Effect.gen(function* () {
          const text = yield* Durable.retry("large", large, policy)
          yield* Durable.wait("replay", "1 hour")
          return text.length
        })
      )
      assert.strictEqual(valueOf(ran), 300_001)
      assert.strictEqual(runs.count, 2)
      assert.deepStrictEqual(seen, [1])
    })
  )

  it.effect("undoes what a failed attempt did when the execution fails, and not when only the attempt does", () =>
    Effect.gen(function* () {
      const undone: Array<number> = []
      const program = (last: Effect.Effect<void, DurableError.DurableTimeout>) => {
        const { block } = flaky(2)
        let books = 0
        const book = Durable.withCompensation(
          "book",
          Durable.step(
            "book",
            Effect.sync(() => ++books)
          ),
          (number) =>
            Durable.step(
              "cancel",
              Effect.sync(() => void undone.push(number))
            )
        )
        return Effect.gen(function* () {
          yield* Durable.retry("trip", Effect.andThen(book, block), often)
          yield* Durable.wait("replay", "1 hour")
          yield* last
        })
      }
      assertSucceeded(yield* execute(program(Effect.void)))
      assert.deepStrictEqual(undone, [])
      const failed = yield* execute(program(Effect.fail(new DurableError.DurableTimeout({ operation: "x" }))))
      assert.instanceOf(errorOf(failed.result), DurableError.DurableTimeout)
      assert.deepStrictEqual(undone, [3, 2, 1])
      assert.deepStrictEqual(contextNames(failed), ["trip", "compensate:book", "compensate:book", "compensate:book"])
    })
  )

  it.effect("asks no policy about a retry that failed before and is run again for what it registered", () =>
    Effect.gen(function* () {
      const { policy, seen } = asked(RetryPolicy.fixed({ maxAttempts: 2, delay: "1 second" }))
      const more = asked(often, seen)
      const undone: Array<string> = []
      const trip = (retry: RetryPolicy.RetryPolicy) =>
        Effect.gen(function* () {
          const block = Effect.andThen(
            Durable.withCompensation("book", Durable.step("book", Effect.succeed("room")), (room) =>
              Durable.step(
                "cancel",
                Effect.sync(() => void undone.push(room))
              )
            ),
            Durable.step("pay", Effect.die(new Error("declined")), once)
          )
          yield* Effect.exit(Durable.retry("trip", block, retry))
          yield* Durable.wait("replay", "1 hour")
          return yield* Effect.die(new Error("at last"))
        })
      // The policy of the later invocations would make more attempts.
      let invocations = 0
      const ran = yield* execute(Effect.suspend(() => trip(++invocations <= 2 ? policy : more.policy)))
      assert.strictEqual(failureOf(ran).errorMessage, "at last")
      assert.deepStrictEqual(seen, [1, 2])
      assert.deepStrictEqual(undone, ["room", "room"])
    })
  )

  it.effect("lets a failed attempt be told from a suspension", () =>
    Effect.gen(function* () {
      const { policy, seen } = asked(often)
      const swallowing = Effect.exit(Durable.retry("wait", Durable.wait("long", "1 hour"), policy))
      const ran = yield* execute(Effect.map(swallowing, (exit) => exit._tag))
      assert.strictEqual(valueOf(ran), "Success")
      assert.deepStrictEqual(seen, [])
    })
  )

  it.effect("ends the invocation, not the block, when the store fails", () =>
    Effect.gen(function* () {
      const { policy, seen } = asked(often)
      const { block, runs } = flaky(0)
      const ran = yield* execute(Durable.retry("reserve", block, policy), {
        store: crashAt(holds("SUCCEED", "work"), "before")
      })
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, [])
      assert.strictEqual(runs.count, 2)
    })
  )

  it.effect("counts its waits among the operations of the execution", () =>
    Effect.gen(function* () {
      const { block } = flaky(0)
      const { answer } = yield* invokeOnce(Effect.asVoid(Durable.retry("reserve", block, often)), {
        run: { maxOperations: 2 }
      })
      assert.strictEqual(answer?.Status === "FAILED" ? answer.Error?.ErrorType : "", "LimitExceeded")
    })
  )

  it.effect("hands on the errors of the library, which need no declaring", () =>
    Effect.gen(function* () {
      const failing = Effect.fail(new DurableError.StepInterrupted({ operation: "x", attempt: 1 }))
      const ran = yield* execute(Effect.exit(Durable.retry("block", failing, RetryPolicy.none)))
      assert.instanceOf(errorOf(valueOf(ran)), DurableError.StepInterrupted)
    })
  )
})
