/** What the compiler knows of retry policies: for which errors they are. */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import * as RetryPolicy from "../../src/RetryPolicy.ts"

class Throttled extends Schema.TaggedError<Throttled>()("Throttled", { retryable: Schema.Boolean }) {}
class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}

describe("a policy", () => {
  it("that ignores the error is for every error", () => {
    for (const policy of [RetryPolicy.standard, RetryPolicy.none, RetryPolicy.linear(), RetryPolicy.fixed({})]) {
      expectTypeOf(policy).toEqualTypeOf<RetryPolicy.RetryPolicy>()
      expectTypeOf(policy).toExtend<RetryPolicy.RetryPolicy<Throttled>>()
      expectTypeOf(policy).toExtend<RetryPolicy.RetryPolicy<never>>()
    }
  })

  it("that reads the error is for that error", () => {
    const policy = RetryPolicy.exponential({ while: (error: Throttled) => error.retryable })
    expectTypeOf(policy).toEqualTypeOf<RetryPolicy.RetryPolicy<Throttled>>()
    expectTypeOf(policy).not.toExtend<RetryPolicy.RetryPolicy<Throttled | Declined>>()
    expectTypeOf<RetryPolicy.RetryPolicy<Throttled | Declined>>().toExtend<RetryPolicy.RetryPolicy<Throttled>>()
    expectTypeOf(RetryPolicy.linear<Throttled | Declined>({ while: Schema.is(Throttled) })).toEqualTypeOf<
      RetryPolicy.RetryPolicy<Throttled | Declined>
    >()
  })

  it("gets the type of the error from where it is used", () => {
    const use = (_policy: RetryPolicy.RetryPolicy<Throttled | Declined>) => {}
    use(RetryPolicy.fixed({ while: (error) => error._tag === "Throttled" && error.retryable }))
    use(RetryPolicy.standard.pipe(RetryPolicy.while((error) => error._tag === "Throttled" && error.retryable)))
    // @ts-expect-error a field that one of the errors lacks
    use(RetryPolicy.fixed({ while: (error) => error.retryable }))
  })

  it("refuses what is no duration and no option", () => {
    // @ts-expect-error no duration
    RetryPolicy.fixed({ delay: "soon" })
    // @ts-expect-error no option
    RetryPolicy.exponential({ attempts: 3 })
    // @ts-expect-error no jitter
    RetryPolicy.linear({ jitter: "FULL" })
  })
})

describe("a policy made from another", () => {
  it("is for the errors that both read", () => {
    const picky = RetryPolicy.standard.pipe(RetryPolicy.while((error: Throttled) => error.retryable))
    expectTypeOf(picky).toEqualTypeOf<RetryPolicy.RetryPolicy<Throttled>>()
    expectTypeOf(RetryPolicy.upTo(picky, { attempts: 2 })).toEqualTypeOf<RetryPolicy.RetryPolicy<Throttled>>()
    expectTypeOf(picky.pipe(RetryPolicy.withDelay(() => "1 second"))).toEqualTypeOf<
      RetryPolicy.RetryPolicy<Throttled>
    >()
    expectTypeOf(RetryPolicy.make<Declined>(() => Effect.succeed({ _tag: "Stop" }))).toEqualTypeOf<
      RetryPolicy.RetryPolicy<Declined>
    >()
    // @ts-expect-error no limit
    RetryPolicy.upTo(picky, { times: 3 })
  })

  it("reads the errors of that policy without being told their type", () => {
    const policy = RetryPolicy.exponential<Throttled | Declined>({ maxAttempts: 5 }).pipe(
      RetryPolicy.while((error) => error._tag === "Throttled" && error.retryable),
      RetryPolicy.withDelay(({ failure }) =>
        failure._tag === "Fail" && failure.error._tag === "Throttled" ? "1 minute" : undefined
      )
    )
    expectTypeOf(policy).toEqualTypeOf<RetryPolicy.RetryPolicy<Throttled | Declined>>()
    // @ts-expect-error a field that one of the errors lacks
    RetryPolicy.fixed<Throttled | Declined>({}).pipe(RetryPolicy.while((error) => error.retryable))
  })
})

describe("a schedule as a policy", () => {
  const ofThrottled = Schedule.spaced("1 second").pipe(
    Schedule.setInputType<Throttled>(),
    Schedule.while(({ input }) => input.retryable)
  )

  it("is for every error when it takes any input", () => {
    expectTypeOf(RetryPolicy.fromSchedule(Schedule.exponential("1 second"))).toEqualTypeOf<RetryPolicy.RetryPolicy>()
    expectTypeOf(RetryPolicy.fromSchedule(Schedule.cron("0 * * * *"))).toEqualTypeOf<RetryPolicy.RetryPolicy>()
  })

  it("that reads errors is for them, and says what a defect is", () => {
    expectTypeOf(RetryPolicy.fromSchedule(ofThrottled, { retryDefects: false })).toEqualTypeOf<
      RetryPolicy.RetryPolicy<Throttled>
    >()
    RetryPolicy.fromSchedule(ofThrottled, { defect: () => new Throttled({ retryable: true }) })
    // @ts-expect-error what is a defect to it?
    RetryPolicy.fromSchedule(ofThrottled)
    // @ts-expect-error the same
    RetryPolicy.fromSchedule(ofThrottled, { retryDefects: true })
    // @ts-expect-error another error
    RetryPolicy.fromSchedule(ofThrottled, { defect: () => new Declined({ code: "51" }) })
  })

  it("needs no services: a policy decides where there are none", () => {
    const needy = Schedule.spaced("1 second").pipe(Schedule.while(() => Effect.map(RandomBit, (bit) => bit === 1)))
    // @ts-expect-error it needs a service
    RetryPolicy.fromSchedule(needy)
  })
})

declare const RandomBit: Effect.Effect<0 | 1, never, "RandomBit">
