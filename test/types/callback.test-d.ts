/** What the compiler knows of callbacks and conditions. */
import { describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import * as Durable from "../../src/Durable.ts"
import type {
  CallbackFailed,
  CallbackSubmitFailed,
  CallbackTimedOut,
  ConditionExhausted
} from "../../src/DurableError.ts"
import * as RetryPolicy from "../../src/RetryPolicy.ts"
import * as Serdes from "../../src/Serdes.ts"

class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { reason: Schema.String }) {}
class NoPaper extends Schema.TaggedError<NoPaper>()("NoPaper", { sheets: Schema.Number }) {}
class Mail extends Context.Service<Mail, { readonly send: (to: string) => Effect.Effect<void, NoPaper> }>()(
  "test/Mail"
) {}
class Keys extends Context.Service<Keys, { readonly key: string }>()("test/Keys") {}

const Answer = Schema.Struct({ at: Schema.Date, yes: Schema.Boolean })
type Answer = typeof Answer.Type

const date = Serdes.make<Date>({ serialize: String, deserialize: (text) => new Date(text ?? "") })
const secret = Serdes.make<Date, Keys>({
  serialize: (value) => String(value),
  deserialize: (text) => Effect.as(Keys, new Date(text ?? ""))
})

declare const dateTime: DateTime.DateTime
declare const someTime: Durable.Timeout

type Durably<A, E = never, R = never> = Effect.Effect<A, E, R | Durable.Execution>
type Outside = CallbackFailed | CallbackTimedOut

/** How a callback is created, and what its answer is. */
type Opens<A, E = never, R = never, Created = never> = Durably<Durable.Callback<A, E, R>, Created>

describe("callback", () => {
  it("answers with text, unless a Schema or a codec says what it is", () => {
    expectTypeOf(Durable.callback("a")).toEqualTypeOf<Opens<string>>()
    expectTypeOf(Durable.callback("a", {})).toEqualTypeOf<Opens<string>>()
    expectTypeOf(Durable.callback("a", { timeout: "1 hour", heartbeatTimeout: 5_000 })).toEqualTypeOf<Opens<string>>()
    expectTypeOf(Durable.callback("a", { success: Answer })).toEqualTypeOf<Opens<Answer>>()
    expectTypeOf(Durable.callback("a", { successSerdes: date })).toEqualTypeOf<Opens<Date>>()
    expectTypeOf(Durable.callback("a", { successSerdes: secret })).toEqualTypeOf<Opens<Date, never, Keys>>()
    expectTypeOf(Durable.callback("a", { successSerdes: { deserialize: () => Effect.succeed(1) } })).toEqualTypeOf<
      Opens<number>
    >()
  })

  it("fails with the errors of its Schema besides the library's own", () => {
    const opened = Durable.callback("a", { error: Schema.Union([Rejected, NoPaper]), success: Answer })
    expectTypeOf(opened).toEqualTypeOf<Opens<Answer, Rejected | NoPaper>>()
    expectTypeOf(Effect.flatMap(opened, (callback) => callback.await)).toEqualTypeOf<
      Durably<Answer, Rejected | NoPaper | Outside>
    >()
  })

  it("may find that a point in time has passed already", () => {
    expectTypeOf(Durable.callback("a", { timeout: new Date() })).toEqualTypeOf<
      Opens<string, never, never, CallbackTimedOut>
    >()
    expectTypeOf(Durable.callback("a", { timeout: dateTime })).toEqualTypeOf<
      Opens<string, never, never, CallbackTimedOut>
    >()
    expectTypeOf(Durable.callback("a", { timeout: someTime, success: Schema.Int })).toEqualTypeOf<
      Opens<number, never, never, CallbackTimedOut>
    >()
  })

  it("refuses what makes no sense", () => {
    // @ts-expect-error a heartbeat comes again and again, and not at a point in time
    Durable.callback("a", { heartbeatTimeout: new Date() })
    // @ts-expect-error no duration
    Durable.callback("a", { timeout: "soon" })
    // @ts-expect-error there is no option "timout"
    Durable.callback("a", { timout: "1 hour", success: Answer })
    // @ts-expect-error a type is no Schema
    Durable.callback("a", { success: String })
    // @ts-expect-error only waitForCallback submits
    Durable.callback("a", { success: Answer, retry: RetryPolicy.none })
    // @ts-expect-error a step cannot hold durable operations
    Durable.step("s", Durable.callback("a"))
    // @ts-expect-error the same of its await
    Effect.flatMap(Durable.callback("a"), (callback) => Durable.step("s", Effect.orDie(callback.await)))
  })
})

describe("waitForCallback", () => {
  const mail = (id: string) => Effect.flatMap(Mail, (service) => service.send(id))

  it("answers as a callback does, and needs what its submitter needs", () => {
    expectTypeOf(Durable.waitForCallback("a", () => Effect.void)).toEqualTypeOf<
      Durably<string, Outside | CallbackSubmitFailed>
    >()
    expectTypeOf(Durable.waitForCallback("a", mail)).toEqualTypeOf<
      Durably<string, Outside | CallbackSubmitFailed, Mail>
    >()
    expectTypeOf(Durable.waitForCallback("a", mail, { success: Answer, error: Rejected })).toEqualTypeOf<
      Durably<Answer, Rejected | Outside | CallbackSubmitFailed, Mail>
    >()
    expectTypeOf(Durable.waitForCallback("a", mail, { successSerdes: secret, timeout: new Date() })).toEqualTypeOf<
      Durably<Date, Outside | CallbackSubmitFailed, Mail | Keys>
    >()
    expectTypeOf(
      Durable.waitForCallback("a", (id) =>
        Effect.map(Durable.StepContext, ({ attempt }) => {
          expectTypeOf(id).toEqualTypeOf<string>()
          return attempt
        })
      )
    ).toEqualTypeOf<Durably<string, Outside | CallbackSubmitFailed>>()
  })

  it("gives the errors of its submitter to its policy, as they are", () => {
    Durable.waitForCallback("a", mail, { retry: RetryPolicy.fixed({ while: (error) => error.sheets === 0 }) })
    Durable.waitForCallback("a", mail, { retry: RetryPolicy.exponential({ maxAttempts: 3 }), timeout: "1 hour" })
    const other = RetryPolicy.fixed({ while: (error: Rejected) => error.reason === "" })
    // @ts-expect-error it does not fail with that
    Durable.waitForCallback("a", mail, { retry: other })
  })

  it("refuses what makes no sense", () => {
    // @ts-expect-error a submitter cannot hold durable operations
    Durable.waitForCallback("a", () => Durable.wait("nap", "1 second"))
    // @ts-expect-error the same with an id
    Durable.waitForCallback("a", (id) => Durable.step("mail", mail(id), { error: NoPaper }))
    // @ts-expect-error there is no option "retries"
    Durable.waitForCallback("a", mail, { success: Answer, retries: 3 })
    // @ts-expect-error a heartbeat comes again and again, and not at a point in time
    Durable.waitForCallback("a", mail, { heartbeatTimeout: dateTime })
    // @ts-expect-error no submitter
    Durable.waitForCallback("a", { timeout: "1 hour" })
  })
})

describe("waitForCondition", () => {
  type Job = "RUNNING" | "DONE"
  const job: Effect.Effect<Job> = Effect.succeed("DONE")
  const printed: Effect.Effect<number, NoPaper> = Effect.succeed(1)

  it("answers with the state", () => {
    expectTypeOf(
      Durable.waitForCondition("a", { initial: "RUNNING", check: () => job, until: (state) => state === "DONE" })
    ).toEqualTypeOf<Durably<Job, ConditionExhausted>>()
    expectTypeOf(
      Durable.waitForCondition("a", {
        initial: { n: 0 },
        check: (state) => Effect.succeed({ n: state.n + 1 }),
        until: ({ n }) => n > 3,
        delay: ({ attempt, random, state }) => (attempt + random + state.n) * 1_000,
        maxAttempts: Infinity
      })
    ).toEqualTypeOf<Durably<{ n: number }, ConditionExhausted>>()
    expectTypeOf(
      Durable.waitForCondition("a", {
        initial: undefined,
        check: () => Effect.void,
        until: () => true,
        delay: "1 minute"
      })
    ).toEqualTypeOf<Durably<void, ConditionExhausted>>()
    const options: Durable.ConditionOptions<{ n: number }> = {
      initial: { n: 0 },
      check: ({ n }) => Effect.succeed({ n: n + 1 }),
      until: ({ n }) => n > 3
    }
    expectTypeOf(Durable.waitForCondition("a", options)).toEqualTypeOf<Durably<{ n: number }, ConditionExhausted>>()
    const looked: Durably<number | null, ConditionExhausted> = Durable.waitForCondition("a", {
      initial: null as number | null,
      check: (state) => Effect.succeed(state === null ? 1 : null),
      until: (state) => state !== null
    })
    expectTypeOf(looked).toExtend<Durably<number | null, ConditionExhausted>>()
  })

  it("knows the state wherever it stands, and whichever option comes first", () => {
    const found: Effect.Effect<{ readonly id: string } | null> = Effect.succeed(null)
    expectTypeOf(
      Effect.all([
        Durable.waitForCondition("a", { until: (state) => state !== null, initial: null, check: () => found }),
        Durable.waitForCondition("b", {
          initial: { n: 0 },
          until: ({ n }) => n > 1,
          check: ({ n }) => Effect.map(job, () => ({ n: n + 1 }))
        })
      ])
    ).toEqualTypeOf<Durably<[{ readonly id: string } | null, { n: number }], ConditionExhausted>>()
    expectTypeOf(
      Effect.map(
        Durable.waitForCondition("a", {
          initial: 0,
          check: () => Effect.map(job, (state) => state.length),
          until: (n) => n > 3
        }),
        (n) => `${n}`
      )
    ).toEqualTypeOf<Durably<string, ConditionExhausted>>()
    expectTypeOf(
      Durable.child(
        "c",
        Durable.waitForCondition("a", { initial: "RUNNING", check: () => job, until: (state) => state === "DONE" })
      )
    ).toEqualTypeOf<Durably<Job, ConditionExhausted>>()
  })

  it("takes a Schema or a codec of the state, and a Schema of the errors", () => {
    const until = (state: Date): boolean => state > new Date(0)
    const check = (state: Date): Effect.Effect<Date> => Effect.succeed(state)
    expectTypeOf(
      Durable.waitForCondition("a", { initial: new Date(), check, until, state: Schema.Date })
    ).toEqualTypeOf<Durably<Date, ConditionExhausted>>()
    expectTypeOf(
      Durable.waitForCondition("a", { initial: new Date(), check, until, stateSerdes: secret })
    ).toEqualTypeOf<Durably<Date, ConditionExhausted, Keys>>()
    expectTypeOf(
      Durable.waitForCondition("a", { initial: 0, check: () => printed, until: (n) => n > 1, error: NoPaper })
    ).toEqualTypeOf<Durably<number, NoPaper | ConditionExhausted>>()
    // @ts-expect-error a Date is no plain data
    Durable.waitForCondition("a", { initial: new Date(), check, until })
    // @ts-expect-error the Schema is of something else
    Durable.waitForCondition("a", { initial: new Date(), check, until, state: Schema.Number })
    const Health = Schema.Struct({ since: Schema.NullOr(Schema.Date) })
    expectTypeOf(
      Durable.waitForCondition("a", {
        initial: { since: null },
        state: Health,
        check: (state) => Effect.map(job, () => ({ since: state.since ?? new Date() })),
        until: ({ since }) => since !== null && since.getTime() > 0
      })
    ).toEqualTypeOf<Durably<typeof Health.Type, ConditionExhausted>>()
    const either = Schema.Union([Schema.Number, Schema.String])
    const same = (n: number) => Effect.succeed(n)
    // @ts-expect-error the Schema reads what the check does not take
    Durable.waitForCondition("a", { initial: 0, check: same, until: () => true, state: either })
    // @ts-expect-error the codec is of something else
    Durable.waitForCondition("a", { initial: 1, check: () => Effect.succeed(1), until: () => true, stateSerdes: date })
    // @ts-expect-error an error without a Schema
    Durable.waitForCondition("a", { initial: 0, check: () => printed, until: () => true })
    // @ts-expect-error another error than that of the Schema
    Durable.waitForCondition("a", { initial: 0, check: () => printed, until: () => true, error: Rejected })
  })

  it("gives its check a StepContext and any service, and no execution", () => {
    expectTypeOf(
      Durable.waitForCondition("a", {
        initial: 0,
        check: (n) => Effect.map(Effect.all([Keys, Durable.StepContext]), ([, { attempt }]) => n + attempt),
        until: (n) => n > 3
      })
    ).toEqualTypeOf<Durably<number, ConditionExhausted, Keys>>()
    Durable.waitForCondition("a", {
      initial: 0,
      // @ts-expect-error a check cannot hold durable operations
      check: () => Durable.step("b", Effect.succeed(1)),
      until: () => true
    })
    Durable.waitForCondition("a", {
      initial: 0,
      // @ts-expect-error the same with a state
      check: (state) => Effect.as(Durable.wait("nap", "1 second"), state + 1),
      until: () => true
    })
  })

  it("refuses what makes no sense", () => {
    const options = { initial: 0, check: () => Effect.succeed(1), until: () => true }
    // @ts-expect-error there is no option "maxAttempt"
    Durable.waitForCondition("a", { ...options, maxAttempt: 3 })
    // @ts-expect-error no duration
    Durable.waitForCondition("a", { ...options, delay: "soon" })
    // @ts-expect-error a delay is no point in time
    Durable.waitForCondition("a", { ...options, delay: new Date() })
    // @ts-expect-error nothing to begin with
    Durable.waitForCondition("a", { check: () => Effect.succeed(1), until: () => true })
    // @ts-expect-error no way to end
    Durable.waitForCondition("a", { initial: 0, check: () => Effect.succeed(1) })
    // @ts-expect-error until decides, and does not work
    Durable.waitForCondition("a", { ...options, until: () => Effect.succeed(true) })
  })
})
