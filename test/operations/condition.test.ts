import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction, Serdes } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
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
  twice,
  unchecked,
  valueOf,
  type Ran
} from "./support.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

class Broken extends Schema.TaggedError<Broken>()("Broken", { part: Schema.String }) {}

/** Counts from 0, a second apart. */
const counting = {
  initial: 0,
  check: (n: number) => Effect.succeed(n + 1),
  delay: "1 second"
} as const

/** A check that notes its states, its attempts and its times. */
const noting = () => {
  const states: Array<unknown> = []
  const attempts: Array<number> = []
  const at: Array<number> = []
  const check = (n: number) =>
    Effect.gen(function* () {
      states.push(n)
      attempts.push((yield* Durable.StepContext).attempt)
      at.push(yield* Clock.currentTimeMillis)
      return n + 1
    })
  const pauses = (): ReadonlyArray<number> => at.slice(1).map((time, i) => (time - at[i]!) / 1_000)
  return { states, attempts, pauses, check }
}

const fails = (ran: Ran<unknown, unknown>): number => ran.updates.filter(({ Action }) => Action === "FAIL").length

/** Gets options past the compiler, as callers do who have none. */
const unsafe = (value: unknown): never => cast(value)

describe("waitForCondition", () => {
  it.effect(
    "looks until it is as it should be, carries the state, and ends with the last one, live and on replay",
    () =>
      Effect.gen(function* () {
        const { attempts, check, pauses, states } = noting()
        const { ends, ran } = yield* twice(
          Durable.waitForCondition("ready", { initial: 10, check, until: (n) => n === 13, delay: "90 seconds" })
        )
        assertSucceeded(ran)
        assert.deepStrictEqual(ends, [Exit.succeed(13), Exit.succeed(13)])
        assert.deepStrictEqual(states, [10, 11, 12])
        assert.deepStrictEqual(attempts, [1, 2, 3])
        assert.deepStrictEqual(pauses(), [90, 90])
        const [operation] = ran.operations
        assert.deepInclude(operation, { Type: "STEP", SubType: "WaitForCondition", Name: "ready", Status: "SUCCEEDED" })
        assert.deepStrictEqual(
          ran.requests.map((request) => request.Updates.map(({ Action, Payload }) => [Action, Payload])),
          [
            [
              ["START", undefined],
              ["RETRY", "11"]
            ],
            [
              ["START", undefined],
              ["RETRY", "12"]
            ],
            [
              ["START", undefined],
              ["SUCCEED", "13"]
            ],
            [["START", undefined]]
          ]
        )
        assert.deepStrictEqual(
          ran.updates.filter(({ Action }) => Action === "RETRY").map((update) => update.StepOptions),
          [{ NextAttemptDelaySeconds: 90 }, { NextAttemptDelaySeconds: 90 }]
        )
        assert.strictEqual(ran.invocations, 4)
      })
  )

  it.effect("needs no second look where the first one finds what it should", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Durable.waitForCondition("ready", {
          initial: "RUNNING",
          check: () => Effect.succeed("DONE"),
          until: (s) => s === "DONE"
        })
      )
      assert.strictEqual(valueOf(ran), "DONE")
      assert.deepStrictEqual(actions(ran.updates), ["START ready", "SUCCEED ready"])
      assert.lengthOf(ran.requests, 1)
    })
  )

  it.effect("numbers itself, in a loop and in several fibers", () =>
    Effect.gen(function* () {
      const once = Durable.waitForCondition("ready", { ...counting, until: (n) => n === 2 })
      for (const concurrency of [1, "unbounded"] as const) {
        const { ends } = yield* twice(Effect.map(Effect.all([once, once], { concurrency }), ([a, b]) => a + b))
        assert.deepStrictEqual(ends, [Exit.succeed(4), Exit.succeed(4)])
      }
      const unordered = yield* execute(Effect.asVoid(besidePromise(once, once)))
      assert.strictEqual(failureOf(unordered).errorType, "NameInUse")
    })
  )

  it.effect("gives its check its place and any service, and no execution", () =>
    Effect.gen(function* () {
      class Jobs extends Context.Service<Jobs, { readonly status: Effect.Effect<string> }>()("test/Jobs") {}
      const Watch = DurableFunction.make("watch", { success: Schema.String })
      const keys: Array<string> = []
      const watch = Watch.implement(() =>
        Effect.orDie(
          Durable.waitForCondition("ready", {
            initial: "",
            check: () =>
              Effect.gen(function* () {
                const { idempotencyKey, name } = yield* Durable.StepContext
                keys.push(`${name} ${idempotencyKey}`)
                return yield* (yield* Jobs).status
              }),
            until: (status) => status === "DONE",
            delay: "1 second"
          })
        )
      )
      let looks = 0
      const jobs = Layer.succeed(Jobs)({ status: Effect.sync(() => (++looks < 3 ? "RUNNING" : "DONE")) })
      const result = yield* Effect.provide(TestEngine.run(Watch), TestEngine.layer([watch]).pipe(Layer.provide(jobs)))
      assert.strictEqual(result, "DONE")
      assert.lengthOf(keys, 3)
      assert.lengthOf(new Set(keys), 1)
      assert.match(keys[0]!, /^ready /)
      const nested = yield* execute(
        Effect.asVoid(
          Durable.waitForCondition("ready", {
            initial: 0,
            check: () => unchecked<number>(Durable.wait("nap", "1 second")),
            until: () => true
          })
        )
      )
      assert.strictEqual(failureOf(nested).errorType, "NestedOperation")
      assert.strictEqual(fails(nested), 1)
    })
  )

  it.effect("that was a step in the history is NonDeterministic, and the other way round", () =>
    Effect.gen(function* () {
      const suspended = Durable.wait("nap", "1 hour")
      const condition = Effect.andThen(Durable.waitForCondition("ready", { ...counting, until: () => true }), suspended)
      const step = Effect.andThen(Durable.step("ready", Effect.succeed(1)), suspended)
      for (const body of [deployed(condition, step), deployed(step, condition)]) {
        const failure = failureOf(yield* execute(body))
        assert.strictEqual(failure.errorType, "NonDeterministic")
        assert.match(
          failure.errorMessage ?? "",
          /STEP \((Step|WaitForCondition)\) at "ready".*STEP \((WaitForCondition|Step)\)/
        )
      }
      const underWay = deployed(
        Effect.asVoid(Durable.waitForCondition("ready", { ...counting, until: () => false })),
        Effect.asVoid(Durable.step("ready", Effect.succeed(1)))
      )
      assert.strictEqual(failureOf(yield* execute(underWay)).errorType, "NonDeterministic")
    })
  )

  for (const action of ["START", "RETRY", "SUCCEED"]) {
    for (const which of [1, 2, 3]) {
      for (const when of ["before", "after"] as const) {
        it.effect(`keeps its state when the process dies ${when} ${action} number ${which}`, () =>
          Effect.gen(function* () {
            let seen = 0
            const crash = crashAt((request) => holds(action, "ready")(request) && ++seen === which, when)
            const states: Array<number> = []
            const { ends, ran } = yield* twice(
              Durable.waitForCondition("ready", {
                initial: 0,
                check: (n) => Effect.sync(() => (states.push(n), n + 1)),
                until: (n) => n === 4,
                delay: "1 second"
              }),
              undefined,
              crash
            )
            assertSucceeded(ran)
            assert.deepStrictEqual(ends, [Exit.succeed(4), Exit.succeed(4)])
            // A look whose outcome was lost is made again with the same state.
            assert.deepStrictEqual([...new Set(states)], [0, 1, 2, 3])
            assert.strictEqual(ran.operations[0]!.StepDetails?.Attempt, 4)
          })
        )
      }
    }
  }

  it.effect("looks again in the same invocation while a sibling keeps it alive", () =>
    Effect.gen(function* () {
      const { check, pauses } = noting()
      const ran = yield* execute(
        Effect.map(
          Effect.all(
            [
              Durable.waitForCondition("ready", { initial: 0, check, until: (n) => n === 4, delay: "7 seconds" }),
              Durable.step("long", Effect.sleep("1 minute"))
            ],
            { concurrency: "unbounded" }
          ),
          ([n]) => n
        )
      )
      assert.strictEqual(valueOf(ran), 4)
      assert.strictEqual(ran.invocations, 1)
      assert.deepStrictEqual(pauses(), [7, 7, 7])
    })
  )

  it.effect("fails once, and not twice, in an invocation that has looked before (defect 2 of AWS's SDK)", () =>
    Effect.gen(function* () {
      for (const failure of [Effect.fail(new Broken({ part: "fan" })), Effect.die(new TypeError("broken"))]) {
        let looks = 0
        const ends: Array<Exit.Exit<unknown, unknown>> = []
        const ran = yield* execute(
          Effect.gen(function* () {
            const [end] = yield* Effect.all(
              [
                Effect.exit(
                  Durable.waitForCondition("ready", {
                    initial: 0,
                    check: () => Effect.suspend(() => (++looks < 3 ? Effect.succeed(0) : failure)),
                    until: () => false,
                    delay: "2 seconds",
                    error: Broken
                  })
                ),
                Durable.step("long", Effect.sleep("1 minute"))
              ],
              { concurrency: "unbounded" }
            )
            ends.push(end)
            yield* Durable.wait("replay", "1 second")
          })
        )
        assertSucceeded(ran)
        assert.strictEqual(fails(ran), 1)
        assert.strictEqual(ran.operations.find(({ Name }) => Name === "ready")?.StepDetails?.Attempt, 3)
        assert.lengthOf(ends, 2)
        assert.strictEqual(String(ends[0]), String(ends[1]))
      }
    })
  )

  it.effect("is left where it is when the execution is stopped or has no time left", () =>
    Effect.gen(function* () {
      const forEver = Effect.asVoid(
        Durable.waitForCondition("ready", { ...counting, until: () => false, maxAttempts: Infinity, delay: "1 hour" })
      )
      const stopped = yield* execute(forEver, {
        outside: ({ stop }) => Effect.andThen(Effect.sleep("5 hours"), stop)
      })
      assert.strictEqual(failureOf(stopped).status, "STOPPED")
      const late = yield* execute(forEver, { engine: { executionTimeout: "1 day" } })
      assert.strictEqual(failureOf(late).status, "TIMED_OUT")
      assert.strictEqual(fails(late), 0)
    })
  )

  it.effect("is let go of by Durable.timeout and by a race, also in the middle of a look", () =>
    Effect.gen(function* () {
      for (const check of [(n: number) => Effect.succeed(n + 1), (n: number) => Effect.as(Effect.sleep("1 day"), n)]) {
        const slow = (name: string) =>
          Durable.waitForCondition(name, {
            initial: 0,
            check,
            until: () => false,
            delay: "20 minutes",
            maxAttempts: Infinity
          })
        const { ends, ran } = yield* twice(
          Effect.gen(function* () {
            const limited = yield* Effect.flip(Durable.timeout("limited", slow("a"), "1 hour"))
            const raced = yield* Durable.race("raced", [
              slow("b"),
              Effect.as(Durable.step("other", Effect.sleep("30 minutes")), -1)
            ])
            return `${limited._tag} ${raced}`
          })
        )
        assertSucceeded(ran)
        assert.deepStrictEqual(ends, [Exit.succeed("DurableTimeout -1"), Exit.succeed("DurableTimeout -1")])
        assert.strictEqual(
          ran.updates.filter(({ Action, SubType }) => Action === "FAIL" && SubType === "WaitForCondition").length,
          0
        )
      }
    })
  )

  it.effect("takes nothing from the randomness and the time that the workflow sees", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Durable.waitForCondition("ready", {
            initial: 0,
            check: (n) => Effect.succeed(n + 1),
            until: (n) => n === 5
          })
          seen.push(`${yield* Random.next} ${yield* Clock.currentTimeMillis}`)
          yield* Durable.wait("replay", "1 second")
        })
      )
      assertSucceeded(ran)
      assert.lengthOf(seen, 2)
      assert.strictEqual(seen[0], seen[1])
    })
  )
})

describe("The state of a waitForCondition", () => {
  const states: Record<string, ReadonlyArray<unknown>> = {
    records: [{ n: 0 }, { n: 1, list: [] }, { n: 2, list: [1] }],
    "null and numbers": [null, 1, null, 2],
    "nothing and texts": [undefined, "a", undefined, "b"],
    "nothing at all": [undefined, undefined, undefined],
    "what is false": [0, false, "", null, true]
  }
  for (const [name, values] of Object.entries(states)) {
    for (const crash of ["never", "before", "after"] as const) {
      it.effect(
        `is what the last look ended with: ${name}${crash === "never" ? "" : `, with crashes ${crash} requests`}`,
        () =>
          Effect.gen(function* () {
            const given: Array<unknown> = []
            let looks = 0
            const { ends, ran } = yield* twice(
              Durable.waitForCondition("ready", {
                initial: unsafe("the beginning"),
                check: (state: unknown): Effect.Effect<never> =>
                  Durable.StepContext.pipe(
                    Effect.map(({ attempt }) => {
                      given[attempt - 1] = state
                      looks = attempt
                      return unsafe(values[attempt - 1])
                    }),
                    (effect) => cast(effect)
                  ),
                until: () => looks === values.length,
                delay: "1 second"
              }),
              undefined,
              crash === "never" ? undefined : crashAt(holds(values.length > 1 ? "RETRY" : "SUCCEED", "ready"), crash)
            )
            assertSucceeded(ran)
            assert.deepStrictEqual(given, ["the beginning", ...values.slice(0, -1)])
            assert.deepStrictEqual<unknown>(ends, [Exit.succeed(values.at(-1)), Exit.succeed(values.at(-1))])
          })
      )
    }
  }

  it.effect("of nothing is nothing, and not the beginning, for a look that was started and lost", () =>
    Effect.gen(function* () {
      const given: Array<unknown> = []
      let starts = 0
      const ran = yield* execute(
        Durable.waitForCondition("ready", {
          initial: unsafe("the beginning"),
          check: (state: string | undefined): Effect.Effect<string | undefined> =>
            Effect.andThen(
              Effect.sync(() => given.push(state)),
              // Long enough for its START to be recorded before the process dies.
              Effect.as(Effect.sleep("10 seconds"), undefined)
            ),
          until: () => given.length > 2,
          delay: "1 second"
        }),
        { store: crashAt((request) => holds("RETRY", "ready")(request) && ++starts === 2, "before") }
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(given, ["the beginning", undefined, undefined])
    })
  )

  it.effect("is a Date by its Schema, in the check, in until, in the delay and as the result", () =>
    Effect.gen(function* () {
      const kinds: Array<string> = []
      const note = (where: string, date: Date): void => void kinds.push(`${where} ${date instanceof Date}`)
      const { ends, ran } = yield* twice(
        Durable.waitForCondition("ready", {
          initial: new Date(0),
          state: Schema.Date,
          check: (date) => Effect.sync(() => (note("check", date), new Date(date.getTime() + 1_000))),
          until: (date) => (note("until", date), date.getTime() === 2_000),
          delay: ({ state }) => (note("delay", state), "1 second")
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(ends, [Exit.succeed(new Date(2_000)), Exit.succeed(new Date(2_000))])
      assert.isTrue(kinds.every((kind) => kind.endsWith("true")))
      assert.deepStrictEqual(
        ran.updates.flatMap(({ Payload }) => Payload ?? []),
        [`"1970-01-01T00:00:01.000Z"`, `"1970-01-01T00:00:02.000Z"`]
      )
    })
  )

  it.effect("that a codec cannot write or read is SerdesFailed once; only for now it is tried again", () =>
    Effect.gen(function* () {
      const refuse = { serialize: () => Effect.fail(new Error("no ink")), deserialize: () => Effect.succeed(1) }
      const write = yield* execute(
        Effect.asVoid(
          Durable.waitForCondition("ready", {
            ...counting,
            until: () => true,
            stateSerdes: Serdes.make<number>(refuse)
          })
        )
      )
      assert.strictEqual(failureOf(write).errorType, "SerdesFailed")
      assert.match(failureOf(write).errorMessage ?? "", /write the state of "ready": no ink/)
      assert.strictEqual(fails(write), 1)
      let reads = 0
      const throttled = Serdes.make<number>({
        serialize: String,
        deserialize: (text) =>
          ++reads % 3 === 0
            ? Effect.fail(new Serdes.SerdesError({ message: "throttled", transient: true }))
            : Effect.succeed(Number(text))
      })
      const { ends, ran } = yield* twice(
        Durable.waitForCondition("ready", { ...counting, until: (n) => n === 4, stateSerdes: throttled })
      )
      assertSucceeded(ran)
      assert.strictEqual(fails(ran), 0)
      assert.deepStrictEqual(ends.at(-1), Exit.succeed(4))
    })
  )

  it.effect("that is no plain data, or too large, fails the operation once and says so", () =>
    Effect.gen(function* () {
      for (const [state, type, message] of [
        [new Map(), "SerdesFailed", /state of "ready".*Map/],
        [Number.NaN, "SerdesFailed", /state of "ready".*NaN/],
        ["x".repeat(262_143), "PayloadTooLarge", /state of "ready".*262144.*262145/]
      ] as const) {
        const ran = yield* execute(
          Effect.asVoid(
            Durable.waitForCondition("ready", {
              initial: unsafe(0),
              check: (): Effect.Effect<never> => Effect.succeed(unsafe(state)),
              until: () => false
            })
          )
        )
        assert.strictEqual(failureOf(ran).errorType, type)
        assert.match(failureOf(ran).errorMessage ?? "", message)
        assert.strictEqual(fails(ran), 1)
        assert.deepStrictEqual(actions(ran.updates), ["START ready", "FAIL ready"])
      }
      const fits = yield* execute(
        Durable.waitForCondition("ready", {
          initial: "",
          check: () => Effect.succeed("x".repeat(262_142)),
          until: (text) => text !== ""
        })
      )
      assert.lengthOf(valueOf(fits), 262_142)
    })
  )
})

describe("The failures of a waitForCondition", () => {
  it.effect("are those of its check as themselves, and are not repeated", () =>
    Effect.gen(function* () {
      let looks = 0
      const { ends, ran } = yield* twice(
        Durable.child(
          "child",
          Durable.waitForCondition("ready", {
            initial: 0,
            check: () => Effect.suspend(() => Effect.fail(new Broken({ part: `fan ${++looks}` }))),
            until: () => true,
            error: Broken
          }),
          { error: Broken }
        )
      )
      assertSucceeded(ran)
      assert.strictEqual(looks, 1)
      const expected = Exit.fail(new Broken({ part: "fan 1" }))
      assert.deepStrictEqual(ends, [expected, expected])
    })
  )

  const defects: Record<string, Partial<Durable.ConditionOptions<number>>> = {
    "its check dies": { check: () => Effect.die(new RangeError("broken")) },
    "its check throws": {
      check: () => {
        throw new RangeError("broken")
      }
    },
    "until throws": {
      until: () => {
        throw new RangeError("broken")
      }
    },
    "the delay throws": {
      delay: () => {
        throw new RangeError("broken")
      }
    }
  }
  for (const [name, options] of Object.entries(defects)) {
    it.effect(`are defects of the workflow when ${name}: recorded once, the same on replay`, () =>
      Effect.gen(function* () {
        const { ends, ran } = yield* twice(
          Durable.waitForCondition("ready", { ...counting, until: () => false, ...options })
        )
        assertSucceeded(ran)
        for (const end of ends) assert.deepInclude(defectOf(end), { name: "RangeError", message: "broken" })
        assert.lengthOf(ends, 2)
        assert.strictEqual(fails(ran), 1)
        assert.strictEqual(ran.updates.filter(({ Action }) => Action === "RETRY").length, 0)
      })
    )
  }

  it.effect("are Interrupted when the check interrupts itself", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.asVoid(
          Durable.waitForCondition("ready", { initial: 0, check: () => Effect.interrupt, until: () => true })
        )
      )
      assert.strictEqual(failureOf(ran).errorType, "Interrupted")
      assert.strictEqual(fails(ran), 1)
    })
  )

  it.effect("are ConditionExhausted after the last look, out of a child, a map and the execution", () =>
    Effect.gen(function* () {
      const never = Durable.waitForCondition("ready", { ...counting, until: () => false, maxAttempts: 3 })
      const { ends, ran } = yield* twice(Durable.child("child", never))
      const expected = Exit.fail(new DurableError.ConditionExhausted({ operation: "child/ready", attempts: 3 }))
      assert.deepStrictEqual(ends, [expected, expected])
      assert.deepStrictEqual(
        actions(ran.updates).filter((action) => action.endsWith("ready")),
        ["START ready", "RETRY ready", "START ready", "RETRY ready", "START ready", "FAIL ready"]
      )
      const map = yield* twice(
        Effect.map(
          Durable.map("map", [1], () => never),
          ({ errors }) => errors[0]?._tag
        )
      )
      assert.deepStrictEqual<unknown>(map.ends, [
        Exit.succeed("ConditionExhausted"),
        Exit.succeed("ConditionExhausted")
      ])
      const alone = errorOf((yield* execute(Effect.asVoid(never))).result)
      assert.instanceOf(alone, DurableError.ConditionExhausted)
      assert.match(alone.message, /"ready" did not hold after 3 attempts.*Raise maxAttempts/)
    })
  )

  it.effect("do not come when the last look that there may be finds what it should", () =>
    Effect.gen(function* () {
      for (const maxAttempts of [1, 5]) {
        const ran = yield* execute(
          Durable.waitForCondition("ready", { ...counting, until: (n) => n === maxAttempts, maxAttempts })
        )
        assert.strictEqual(valueOf(ran), maxAttempts)
      }
      const once = yield* execute(
        Effect.asVoid(Durable.waitForCondition("ready", { ...counting, until: () => false, maxAttempts: 1 }))
      )
      assert.deepStrictEqual(actions(once.updates), ["START ready", "FAIL ready"])
    })
  )

  it.effect("come after 60 looks by default, and never with Infinity", () =>
    Effect.gen(function* () {
      const { attempts, check } = noting()
      const ran = yield* execute(
        Effect.asVoid(Durable.waitForCondition("ready", { initial: 0, check, until: () => false }))
      )
      assert.instanceOf(errorOf(ran.result), DurableError.ConditionExhausted)
      assert.lengthOf(attempts, 60)
      const long = yield* execute(
        Durable.waitForCondition("ready", { ...counting, until: (n) => n === 100, maxAttempts: Infinity })
      )
      assert.strictEqual(valueOf(long), 100)
    })
  )

  for (const maxAttempts of [0, -1, 1.5, Number.NaN, -Infinity, unsafe("3"), unsafe(null)]) {
    it.effect(`are InvalidOptions before anything is recorded when maxAttempts is ${String(maxAttempts)}`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(
          Effect.asVoid(Durable.waitForCondition("ready", { ...counting, until: () => true, maxAttempts }))
        )
        const failure = failureOf(ran)
        assert.strictEqual(failure.errorType, "InvalidOptions")
        assert.match(failure.errorMessage ?? "", /maxAttempts of "ready".*whole number.*found .*Infinity/)
        assert.lengthOf(ran.updates, 0)
      })
    )
  }
})

describe("The delays of a waitForCondition", () => {
  const delays: Record<
    string,
    readonly [Duration.Input | ((look: Durable.ConditionAttempt<number>) => Duration.Input), ReadonlyArray<number>]
  > = {
    "a duration": ["90 seconds", [90, 90, 90]],
    "a function of the attempt": [({ attempt }) => Duration.minutes(attempt), [60, 120, 180]],
    "a function of the state": [({ state }) => state * 10_000, [10, 20, 30]],
    "less than a second": [({ attempt }) => attempt, [1, 1, 1]],
    "no time at all": [0, [1, 1, 1]],
    "parts of seconds": ["2600 millis", [3, 3, 3]],
    days: ["300 days", [25_920_000, 25_920_000, 25_920_000]],
    "more than the service takes": ["500 days", [31_622_400, 31_622_400, 31_622_400]]
  }
  for (const [name, [delay, expected]] of Object.entries(delays)) {
    it.effect(`are whole seconds of at least one, spent without an invocation: ${name}`, () =>
      Effect.gen(function* () {
        const { check, pauses } = noting()
        const ran = yield* execute(
          Durable.waitForCondition("ready", { initial: 0, check, until: (n) => n === 4, delay })
        )
        assert.strictEqual(valueOf(ran), 4)
        assert.deepStrictEqual(pauses(), expected)
        assert.strictEqual(ran.invocations, 4)
      })
    )
  }

  it.effect("by default grow by half from 5 seconds to 5 minutes, with full jitter from the seed of the engine", () =>
    Effect.gen(function* () {
      const run = (engineSeed: number) => {
        const { check, pauses } = noting()
        return execute(Durable.waitForCondition("ready", { initial: 0, check, until: (n) => n === 20 }), {
          engine: { seed: engineSeed }
        }).pipe(Effect.map(pauses))
      }
      const [first, again, other] = yield* Effect.all([run(seed), run(seed), run(seed + 1)])
      assert.deepStrictEqual(first, again)
      assert.notDeepEqual(first, other)
      first.forEach((pause, i) => {
        assert.isAtLeast(pause, 1)
        assert.isAtMost(pause, Math.ceil(Math.min(5 * 1.5 ** i, 300)))
      })
      assert.isAbove(new Set(first).size, 5)
    })
  )

  it.effect("by a function get a random number of their own each time", () =>
    Effect.gen(function* () {
      const randoms: Array<number> = []
      yield* execute(
        Durable.waitForCondition("ready", {
          ...counting,
          until: (n) => n === 10,
          delay: ({ random }) => (randoms.push(random), 1_000)
        })
      )
      assert.lengthOf(randoms, 9)
      assert.lengthOf(new Set(randoms), 9)
      for (const random of randoms) assert.isTrue(random >= 0 && random < 1)
    })
  )

  const invalid: Record<string, unknown> = {
    "not a number": Number.NaN,
    negative: -5_000,
    "negative in words": "-5 seconds",
    infinite: Infinity,
    "infinite in words": "Infinity",
    "an infinite Duration": Duration.infinity,
    "no duration": "soon",
    "a point in time": new Date(),
    nothing: () => undefined,
    null: () => null,
    "not a number from a function": () => Number.NaN,
    "an Effect": () => Effect.succeed(1_000)
  }
  for (const [name, delay] of Object.entries(invalid)) {
    it.effect(`are InvalidDuration when they are ${name}: recorded once, with what was found and what to write`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(
          Effect.asVoid(Durable.waitForCondition("ready", { ...counting, until: () => false, delay: unsafe(delay) }))
        )
        const failure = failureOf(ran)
        assert.strictEqual(failure.errorType, "InvalidDuration")
        assert.match(failure.errorMessage ?? "", /^Expected the delay of "ready" .*, found .+\. Write /)
        assert.deepStrictEqual(actions(ran.updates), ["START ready", "FAIL ready"])
      })
    )
  }
})
