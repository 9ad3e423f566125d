/** Durations as people write them: every operation that takes one tells the spelling that is accepted. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { howToWrite, millisIn } from "../../src/internal/durations.ts"
import { execute, failureOf, unchecked } from "../operations/support.ts"

/** A text that is no duration to the compiler either, as JavaScript and configuration have it. */
const text = (written: string): Duration.Input => cast<string, Duration.Input>(written)

const spellings: Record<string, string> = {
  "1h": '"1 hour"',
  "2h": '"2 hours"',
  "30 mins": '"30 minutes"',
  "30m": '"30 minutes"',
  "90s": '"90 seconds"',
  "1.5 hrs": '"1.5 hours"',
  "500ms": '"500 millis"',
  "2 Days": '"2 days"',
  "2days": '"2 days"',
  " 2 days ": '"2 days"',
  "1 wk": '"1 week"',
  "1h 30m": "{ hours: 1, minutes: 30 }",
  "1 hour and 30 minutes": "{ hours: 1, minutes: 30 }",
  "2d, 4h": "{ days: 2, hours: 4 }"
}

const records: ReadonlyArray<readonly [given: object, said: string]> = [
  [{ hour: 1 }, "Write { hours: 1 }."],
  [{ min: 5, sec: 30 }, "Write { minutes: 5, seconds: 30 }."],
  [{ hour: "1" }, 'Write "1 hour", "30 seconds", a Duration or a number of milliseconds.'],
  [{ hour: 1, hours: 2 }, 'Write "1 hour", "30 seconds", a Duration or a number of milliseconds.'],
  [{ fortnights: 1 }, 'Write "1 hour", "30 seconds", a Duration or a number of milliseconds.'],
  [[1], 'Write "1 hour", "30 seconds", a Duration or a number of milliseconds.']
]

describe("A text that is no duration", () => {
  for (const [written, spelling] of Object.entries(spellings)) {
    it(`is told how to be written: ${JSON.stringify(written)}`, () => {
      assert.isTrue(Option.isNone(Duration.fromInput(text(written))))
      assert.strictEqual(howToWrite(written), `Write ${spelling}.`)
      const accepted = spelling.startsWith('"') ? JSON.parse(spelling) : undefined
      if (accepted !== undefined) assert.isTrue(Option.isSome(Duration.fromInput(accepted)))
    })
  }

  it.each(["", "soon", "1", "h", "1 month", "1h 2h", "1h or so", "PT1H", "9".repeat(1_000)])(
    "is told the spellings in general when nobody can know what is meant: %s",
    (written) => {
      assert.strictEqual(howToWrite(written), 'Write "1 hour", "30 seconds", a Duration or a number of milliseconds.')
    }
  )
})

describe("A record that is no duration", () => {
  it.each(records)("is told how to be written: %j", (given, said) => {
    assert.isUndefined(millisIn(given))
    assert.strictEqual(howToWrite(given), said)
  })
})

describe("What is a duration", () => {
  const durations: ReadonlyArray<readonly [given: unknown, millis: number | undefined]> = [
    [0, 0],
    [-5, -5],
    ["2 days", 172_800_000],
    ["Infinity", Infinity],
    [Duration.hours(1), 3_600_000],
    [1_000_000n, 1],
    [[1, 500_000_000], 1_500],
    [{ hours: 1, minutes: 30 }, 5_400_000],
    [{ hours: 1, minutes: undefined }, 3_600_000],
    [Number.NaN, undefined],
    [{ hours: Number.NaN }, undefined],
    [{ hours: undefined }, undefined],
    [{}, undefined],
    [[], undefined],
    [new Date(0), undefined],
    [null, undefined],
    [undefined, undefined],
    [true, undefined],
    ["1h", undefined]
  ]
  it("is what its type lets through, and no more", () => {
    for (const [given, millis] of durations) assert.strictEqual(millisIn(given), millis, String(given))
  })
})

const Callee = DurableFunction.plain("callee")

/** Everything in a workflow that takes a duration. */
const operationsWith = (given: Duration.Input): Record<string, Effect.Effect<unknown, unknown, Durable.Execution>> => ({
  "Durable.wait": Durable.wait("a", given),
  "Durable.timeout": Durable.timeout("a", Effect.void, given),
  "the timeout of Durable.invoke": Durable.invoke(Callee, undefined, { name: "a", timeout: given }),
  "the timeout of Durable.callback": Durable.callback("a", { timeout: given }),
  "the heartbeatTimeout of Durable.callback": Durable.callback("a", { heartbeatTimeout: given }),
  "the timeout of Durable.waitForCallback": Durable.waitForCallback("a", () => Effect.void, { timeout: given }),
  "the heartbeatTimeout of Durable.waitForCallback": Durable.waitForCallback("a", () => Effect.void, {
    heartbeatTimeout: given
  }),
  "the delay of Durable.waitForCondition": Durable.waitForCondition("a", {
    initial: 0,
    check: (state: number) => Effect.succeed(state),
    until: () => false,
    delay: given
  })
})

describe("The accepted spelling is in the message", () => {
  for (const [name, operation] of Object.entries(operationsWith(text("1h")))) {
    it.effect(`of ${name}`, () =>
      Effect.gen(function* () {
        const failure = failureOf(yield* execute(Effect.asVoid(unchecked(operation))))
        assert.strictEqual(failure.errorType, "InvalidDuration")
        assert.match(failure.errorMessage ?? "", /"1h".* Write "1 hour"\.$/)
      })
    )
  }

  // Effect reads it as no time at all.
  for (const [name, operation] of Object.entries(operationsWith(cast<object, Duration.Input>({ hour: 1 })))) {
    it.effect(`of ${name}, for a record with a unit that there is not`, () =>
      Effect.gen(function* () {
        const failure = failureOf(yield* execute(Effect.asVoid(unchecked(operation))))
        assert.strictEqual(failure.errorType, "InvalidDuration")
        assert.match(failure.errorMessage ?? "", /found {"hour":1}.* Write { hours: 1 }\.$/)
      })
    )
  }

  const thrown: Record<string, () => unknown> = {
    "RetryPolicy.exponential": () => RetryPolicy.exponential({ initialDelay: text("1h") }),
    "RetryPolicy.linear": () => RetryPolicy.linear({ increment: text("1h") }),
    "RetryPolicy.fixed": () => RetryPolicy.fixed({ delay: text("1h") }),
    "RetryPolicy.upTo": () => RetryPolicy.upTo(RetryPolicy.standard, { duration: text("1h") }),
    "Reply.after": () => Reply.after(text("1h"), Reply.never)
  }
  for (const [name, make] of Object.entries(thrown)) {
    it(`of ${name}`, () => {
      assert.throws(make, /found "1h"\. Write "1 hour"\.$/)
    })
  }

  it.effect("of RetryPolicy.withDelay, of which the step dies", () =>
    Effect.gen(function* () {
      const retry = RetryPolicy.withDelay(RetryPolicy.standard, () => text("1h"))
      const failure = failureOf(yield* execute(Durable.step("a", Effect.die("no"), { retry })))
      assert.match(failure.errorMessage ?? "", /found "1h"\. Write "1 hour"\.$/)
    })
  )

  it.effect("of the options of a test world, and of its sleep", () =>
    Effect.gen(function* () {
      const Nap = DurableFunction.make("nap", { success: Schema.Void })
      const nap = Nap.implement(() => Effect.void)
      const messageOf = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.map(Effect.exit(effect), (exit) => String(exit._tag === "Failure" ? exit.cause : exit))
      for (const option of ["executionTimeout", "invocationTimeout", "outsideLimit", "patience"]) {
        const world = TestEngine.layer([nap], { [option]: text("1h") })
        const message = yield* messageOf(Effect.provide(TestEngine.run(Nap), world))
        assert.include(message, `Expected the option ${option} of TestEngine.layer to be a duration `)
        assert.include(message, `, found "1h". Write "1 hour".`)
      }
      const sleeping = Effect.provide(TestEngine.sleep(text("1h")), TestEngine.layer([nap]))
      assert.include(yield* messageOf(sleeping), 'found "1h". Write "1 hour".')
    })
  )
})
