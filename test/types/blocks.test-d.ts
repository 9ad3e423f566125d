/** What the compiler knows of blocks of operations, of compensation and of other executions. */
import { describe, it } from "@effect/vitest"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { expectTypeOf } from "vitest"
import * as Durable from "../../src/Durable.ts"
import type * as DurableClient from "../../src/DurableClient.ts"
import * as DurableFunction from "../../src/DurableFunction.ts"
import * as RetryPolicy from "../../src/RetryPolicy.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}
class Lost extends Schema.TaggedError<Lost>()("Lost", {}) {}
class Database extends Context.Service<Database, { readonly query: string }>()("test/Database") {}

declare const number: Effect.Effect<number>
declare const date: Effect.Effect<Date>
declare const charge: Effect.Effect<number, Declined>
declare const scoped: Effect.Effect<void, Lost, Database | Scope.Scope>

type Durably<A, E = never, R = never> = Effect.Effect<A, E, R | Durable.Execution>
type Outside = Durable.Execution | DurableClient.DurableClient

const attempts = RetryPolicy.fixed({ maxAttempts: 3, delay: "1 second" })

describe("retry", () => {
  it("knows what its block returns and fails with", () => {
    expectTypeOf(Durable.retry("a", number, attempts)).toEqualTypeOf<Durably<number>>()
    expectTypeOf(Durable.retry("a", Effect.andThen(Database, number), attempts)).toEqualTypeOf<
      Durably<number, never, Database>
    >()
    expectTypeOf(Durable.retry("a", charge, attempts, { error: Declined })).toEqualTypeOf<Durably<number, Declined>>()
    expectTypeOf(Durable.retry("a", date, attempts, { success: Schema.Date })).toEqualTypeOf<Durably<Date>>()
    expectTypeOf(Durable.retry("a", Durable.wait("b", "1 second"), attempts)).toEqualTypeOf<Durably<void>>()
  })

  it("gives the policy the errors of the block", () => {
    Durable.retry("a", charge, RetryPolicy.fixed({ while: (error: Declined) => error.code === "51" }), {
      error: Declined
    })
    // @ts-expect-error the policy is for other errors
    Durable.retry("a", charge, RetryPolicy.fixed({ while: (error: Lost) => error._tag === "Lost" }), {
      error: Declined
    })
  })

  it("refuses what it cannot record", () => {
    // @ts-expect-error value is not plain data
    Durable.retry("a", date, attempts)
    // @ts-expect-error an error without a Schema
    Durable.retry("a", charge, attempts)
    // @ts-expect-error a policy is needed
    Durable.retry("a", number)
  })
})

describe("withCompensation", () => {
  it("gives the undo the value and the failure, and adds what the undo requires but not what it fails with", () => {
    const booked = Durable.withCompensation("a", charge, (value, cause) => {
      expectTypeOf(value).toEqualTypeOf<number>()
      expectTypeOf(cause).toEqualTypeOf<Cause.Cause<unknown>>()
      return scoped
    })
    expectTypeOf(booked).toEqualTypeOf<Durably<number, Declined, Database | Scope.Scope>>()
  })

  it("hands any value through, because it records none itself", () => {
    expectTypeOf(Durable.withCompensation("a", date, () => Effect.void)).toEqualTypeOf<Durably<Date>>()
  })

  it("refuses an undo that is no effect, or no function", () => {
    // @ts-expect-error no effect
    Durable.withCompensation("a", number, () => 1)
    // @ts-expect-error no function
    Durable.withCompensation("a", number, Effect.void)
  })
})

const Report = DurableFunction.make("report", { payload: Schema.String, success: Schema.Number })
const Bare = DurableFunction.make("bare")
const Plain = DurableFunction.plain("plain", { payload: Schema.String, success: Schema.Number })

describe("other executions", () => {
  it("are started by a contract, with the payload it asks for", () => {
    expectTypeOf(Durable.start(Report, "2026")).toEqualTypeOf<
      Effect.Effect<DurableClient.Started<typeof Report>, DurableClient.ClientError, Outside>
    >()
    Durable.start(Bare)
    Durable.start(Bare, undefined, { name: "again", executionName: "one", tenantId: "t" })
    // @ts-expect-error another payload
    Durable.start(Report, 1)
    // @ts-expect-error no payload
    Durable.start(Report)
    // @ts-expect-error a plain function has no executions
    Durable.start(Plain, "2026")
  })

  it("are stopped by a reference, or by an ARN alone", () => {
    expectTypeOf(Durable.stop({ executionArn: "arn" })).toEqualTypeOf<
      Effect.Effect<void, DurableClient.ClientError, Outside>
    >()
    // @ts-expect-error no reference
    Durable.stop("arn")
  })

  it("are handed over to for good: nothing comes back", () => {
    expectTypeOf(Durable.continueWith(Report, "2026")).toEqualTypeOf<Effect.Effect<never, never, Outside>>()
    // @ts-expect-error another payload
    Durable.continueWith(Report, 1)
    // @ts-expect-error a plain function has no executions
    Durable.continueWith(Plain, "2026")
  })
})

describe("facts", () => {
  it("need nothing but the execution", () => {
    expectTypeOf(Durable.patched("a")).toEqualTypeOf<Durably<boolean>>()
    expectTypeOf(Durable.isReplaying).toEqualTypeOf<Durably<boolean>>()
    expectTypeOf(Durable.isSuspending).toEqualTypeOf<Durably<boolean>>()
    expectTypeOf(Durable.execution).toEqualTypeOf<Durably<Durable.ExecutionInfo>>()
  })
})
