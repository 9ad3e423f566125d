/** What the compiler knows of contracts: their types, their handlers and their addresses. */
import { describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import { expectTypeOf } from "vitest"
import type { InvokeError, InvokeFailed } from "../../src/DurableError.ts"
import * as DurableFunction from "../../src/DurableFunction.ts"
import type { Execution } from "../../src/execution/Parts.ts"
import * as Serdes from "../../src/Serdes.ts"

class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}
class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", { sku: Schema.String }) {}
class Database extends Context.Service<Database, { readonly query: string }>()("test/Database") {}
class Decoder extends Context.Service<Decoder, { readonly key: string }>()("test/Decoder") {}
class Encoder extends Context.Service<Encoder, { readonly key: string }>()("test/Encoder") {}

const Order = Schema.Struct({ id: Schema.String, due: Schema.Date })
const Receipt = Schema.Union([
  Schema.Struct({ status: Schema.Literal("paid"), at: Schema.Date }),
  Schema.Struct({ status: Schema.Literal("declined"), code: Schema.String })
])
declare const Sealed: Schema.Codec<string, string, Decoder, Encoder>

const Pay = DurableFunction.make("pay", { payload: Order, success: Receipt, error: CardDeclined })
const Validate = DurableFunction.plain("validate", { payload: Order, success: Schema.Boolean, error: OutOfStock })

declare const durable: <A, E = never>(value: A) => Effect.Effect<A, E, Execution>
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- stands for a text of any type
declare const as: <A extends string>() => A
declare const nothing: never
declare const library: Effect.Effect<string, InvokeError>

type Requirements<I> = I extends DurableFunction.Implementation<infer _, infer R> ? R : unknown

describe("a contract", () => {
  it("carries the types of payload, result and errors", () => {
    expectTypeOf<DurableFunction.Payload<typeof Pay>>().toEqualTypeOf<{ readonly id: string; readonly due: Date }>()
    expectTypeOf<DurableFunction.Success<typeof Validate>>().toEqualTypeOf<boolean>()
    expectTypeOf<DurableFunction.Error<typeof Pay>>().toEqualTypeOf<CardDeclined>()
    expectTypeOf(Pay.name).toEqualTypeOf<"pay">()
    expectTypeOf(Pay.kind).toEqualTypeOf<"durable">()
    expectTypeOf(Validate.kind).toEqualTypeOf<"plain">()
  })

  it("takes nothing, returns nothing and fails never unless it says so", () => {
    const Tick = DurableFunction.make("tick")
    expectTypeOf<DurableFunction.Payload<typeof Tick>>().toEqualTypeOf<void>()
    expectTypeOf<DurableFunction.Success<typeof Tick>>().toEqualTypeOf<void>()
    expectTypeOf<DurableFunction.Error<typeof Tick>>().toEqualTypeOf<never>()
    expectTypeOf(Tick.implement(() => Effect.void)).toExtend<DurableFunction.Implementation<typeof Tick, never>>()
  })

  it("is any contract", () => {
    expectTypeOf(Pay).toExtend<DurableFunction.Any>()
    expectTypeOf(Pay).toExtend<DurableFunction.AnyDurable>()
    expectTypeOf(Validate).toExtend<DurableFunction.Any>()
    expectTypeOf(Validate).not.toExtend<DurableFunction.AnyDurable>()
    const keyed = DurableFunction.make("keyed", { payload: Order, idempotencyKey: (order) => order.id })
    expectTypeOf(keyed).toExtend<DurableFunction.Any>()
  })

  it("says what a caller and what a callee need", () => {
    const Both = DurableFunction.make("both", { payload: Sealed, success: Sealed })
    expectTypeOf<DurableFunction.CallerServices<typeof Both>>().toEqualTypeOf<Encoder | Decoder>()
    const In = DurableFunction.plain("in", { payload: Sealed })
    expectTypeOf<DurableFunction.CallerServices<typeof In>>().toEqualTypeOf<Encoder>()
    expectTypeOf<DurableFunction.CalleeServices<typeof In>>().toEqualTypeOf<Decoder>()
    const codec = Serdes.make<string, Database>({
      serialize: (text) => Effect.as(Database, text),
      deserialize: (text) => text ?? ""
    })
    const Coded = DurableFunction.make("coded", { payload: Schema.String, payloadSerdes: codec })
    expectTypeOf<DurableFunction.CallerServices<typeof Coded>>().toEqualTypeOf<Database>()
    expectTypeOf<DurableFunction.CalleeServices<typeof Coded>>().toEqualTypeOf<Database>()
  })

  it("refuses a key and codecs of something else than its payload and result", () => {
    // @ts-expect-error no such field
    DurableFunction.make("pay", { payload: Order, idempotencyKey: (order) => order.number })
    // @ts-expect-error a key is a text
    DurableFunction.make("pay", { payload: Order, idempotencyKey: (order) => order.due })
    // @ts-expect-error a contract is read on one side and written on the other
    DurableFunction.make("pay", { success: Schema.Number, successSerdes: Serdes.reader(Number) })
    const ofNumbers = Serdes.make({ serialize: (n: number) => `${n}`, deserialize: Number })
    DurableFunction.make("pay", { payload: Schema.Number, payloadSerdes: ofNumbers })
    // @ts-expect-error a codec of numbers for a text
    DurableFunction.make("pay", { payload: Schema.String, payloadSerdes: ofNumbers })
    // @ts-expect-error a codec of numbers for nothing
    DurableFunction.make("pay", { successSerdes: ofNumbers })
  })
})

describe("implement", () => {
  it("gives Effect.fn the type of the payload", () => {
    const pay = Pay.implement(
      Effect.fn("pay")(function* (order) {
        expectTypeOf(order).toEqualTypeOf<{ readonly id: string; readonly due: Date }>()
        if (order.id === "") return yield* new CardDeclined({ code: "51" })
        yield* durable(1)
        return { status: "paid", at: order.due }
      })
    )
    expectTypeOf(pay).toEqualTypeOf<DurableFunction.Implementation<typeof Pay, never>>()
  })

  it("takes Effect.fn with transformations, Effect.fnUntraced and plain functions", () => {
    Pay.implement(
      Effect.fn("pay")(
        function* (order) {
          yield* durable<number, CardDeclined>(1)
          return { status: "paid" as const, at: order.due }
        },
        Effect.catchTag("CardDeclined", (e) => Effect.succeed({ status: "declined" as const, code: e.code }))
      )
    )
    Pay.implement(
      Effect.fnUntraced(function* (order) {
        return yield* durable({ status: "paid" as const, at: order.due })
      })
    )
    Pay.implement((order) => Effect.succeed({ status: "paid", at: order.due }))
    Pay.implement(() => new CardDeclined({ code: "51" }))
    Pay.implement(() => Effect.die("bug"))
    Pay.implement(() => Effect.never)
  })

  it("keeps what the handler requires, without the execution", () => {
    const pay = Pay.implement(
      Effect.fn(function* (order) {
        const { query } = yield* Database
        yield* durable(query)
        return { status: "paid", at: order.due }
      })
    )
    expectTypeOf<Requirements<typeof pay>>().toEqualTypeOf<Database>()
    expectTypeOf(pay.handler).returns.toExtend<Effect.Effect<unknown, unknown, Database | Execution | Scope>>()
    expectTypeOf(pay).toExtend<DurableFunction.AnyImplementation<Database>>()
    expectTypeOf(pay).toExtend<DurableFunction.AnyImplementation>()
    expectTypeOf(pay).not.toExtend<DurableFunction.AnyImplementation<never>>()
  })

  it("gives a durable function a scope of its own", () => {
    const pay = Pay.implement((order) =>
      Effect.as(
        Effect.addFinalizer(() => Effect.void),
        { status: "paid" as const, at: order.due }
      )
    )
    expectTypeOf(pay).toEqualTypeOf<DurableFunction.Implementation<typeof Pay, never>>()
  })

  it("adds what reading the payload and writing the result require", () => {
    const Open = DurableFunction.make("open", { payload: Sealed })
    const open = Open.implement(() => durable(undefined))
    expectTypeOf<Requirements<typeof open>>().toEqualTypeOf<Decoder>()
    const Close = DurableFunction.make("close", { success: Sealed })
    const close = Close.implement(() => Effect.succeed("text"))
    expectTypeOf<Requirements<typeof close>>().toEqualTypeOf<Encoder>()
  })

  it("accepts the errors of the contract and those of the library, and no others", () => {
    Pay.implement((order) => Effect.map(library, () => ({ status: "paid", at: order.due })))
    Pay.implement(() => durable<never, CardDeclined | InvokeFailed>(nothing))
    // @ts-expect-error an error that the contract does not declare
    Pay.implement(() => new OutOfStock({ sku: "1" }))
    // @ts-expect-error the same beside one that it declares
    Pay.implement(() => durable<never, CardDeclined | OutOfStock>(nothing))
    Pay.implement(
      // @ts-expect-error the same in Effect.fn
      Effect.fn("pay")(function* (order) {
        yield* new OutOfStock({ sku: order.id })
        return { status: "paid" as const, at: order.due }
      })
    )
    // @ts-expect-error a text
    Pay.implement(() => Effect.fail("no"))
  })

  it("wants the result of the contract, of the payload of the contract", () => {
    // @ts-expect-error another result
    Pay.implement(() => Effect.succeed({ status: "lost" }))
    // @ts-expect-error a field of another type
    Pay.implement(() => Effect.succeed({ status: "paid", at: 1 }))
    // @ts-expect-error a field that the payload does not have
    Pay.implement((order) => Effect.succeed({ status: "paid", at: order.at }))
    // @ts-expect-error a payload of another type
    Pay.implement((order: string) => Effect.succeed({ status: "declined", code: order }))
    // @ts-expect-error no Effect
    Pay.implement((order) => ({ status: "paid", at: order.due }))
  })

  it("keeps durable operations out of plain functions", () => {
    const validate = Validate.implement((order) => Effect.map(Database, ({ query }) => query === order.id))
    expectTypeOf(validate).toEqualTypeOf<DurableFunction.Implementation<typeof Validate, Database>>()
    expectTypeOf(validate.handler).returns.toExtend<Effect.Effect<boolean, unknown, Database>>()
    expectTypeOf(validate).toExtend<DurableFunction.AnyImplementation<Database>>()
    Validate.implement(
      Effect.fn("validate")(function* (order) {
        if (order.id === "") return yield* new OutOfStock({ sku: "1" })
        return true
      })
    )
    // @ts-expect-error a plain function has no history
    Validate.implement(() => durable(true))
    Validate.implement(
      // @ts-expect-error the same in Effect.fn
      Effect.fn("validate")(function* () {
        return yield* durable(true)
      })
    )
    // @ts-expect-error so no errors of operations either
    Validate.implement(() => Effect.as(library, true))
  })
})

describe("the target of a durable contract", () => {
  it("has a version or an alias", () => {
    DurableFunction.make("pay", { target: "charge:live" })
    DurableFunction.make("pay", { target: "charge:7" })
    DurableFunction.make("pay", { target: "charge:$LATEST" })
    DurableFunction.make("pay", { target: "arn:aws:lambda:us-east-1:123456789012:function:charge:live" })
    DurableFunction.make("pay", { target: "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:charge:$LATEST" })
    DurableFunction.make("pay", { target: "123456789012:function:charge:7" })
    DurableFunction.make("pay", { target: "us-east-1:123456789012:function:charge:7" })
    // A function may be called so.
    DurableFunction.make("pay", { target: "function:live" })
  })

  it("does not compile without one", () => {
    // @ts-expect-error a name
    DurableFunction.make("pay", { target: "charge" })
    // @ts-expect-error a name and nothing behind the colon
    DurableFunction.make("pay", { target: "charge:" })
    // @ts-expect-error nothing before the colon
    DurableFunction.make("pay", { target: ":live" })
    // @ts-expect-error nothing at all
    DurableFunction.make("pay", { target: "" })
    // @ts-expect-error a full ARN
    DurableFunction.make("pay", { target: "arn:aws:lambda:us-east-1:123456789012:function:charge" })
    // @ts-expect-error a partial ARN
    DurableFunction.make("pay", { target: "123456789012:function:charge" })
    // @ts-expect-error two qualifiers
    DurableFunction.make("pay", { target: "charge:live:7" })
    // @ts-expect-error one of two
    DurableFunction.make("pay", { target: as<"charge:live" | "charge">() })
  })

  it("that is no literal is left to the check at run time", () => {
    DurableFunction.make("pay", { target: as<string>() })
    DurableFunction.make("pay", { target: `${as<string>()}:live` })
    DurableFunction.make("pay", { target: as<"charge:live" | "charge:7">() })
  })

  it("may lack one on a plain contract", () => {
    DurableFunction.plain("validate", { target: "validate" })
    DurableFunction.plain("validate", { target: "validate:live" })
    DurableFunction.plain("validate", { target: "arn:aws:lambda:us-east-1:123456789012:function:validate" })
  })
})

describe("a reference", () => {
  it("is a contract of the kind that it says", () => {
    const Ship = DurableFunction.reference("arn:aws:lambda:eu-west-1:123456789012:function:ship:live", {
      kind: "durable",
      payload: Order,
      error: OutOfStock
    })
    expectTypeOf(Ship).toEqualTypeOf<DurableFunction.Durable<"ship", typeof Order, Schema.Void, typeof OutOfStock>>()
    const Mail = DurableFunction.reference("mail", { kind: "plain", success: Schema.String })
    expectTypeOf(Mail).toEqualTypeOf<DurableFunction.Plain<"mail", Schema.Void, Schema.String, Schema.Never>>()
  })

  it("is named after the function, or as it says", () => {
    expectTypeOf(DurableFunction.reference("mail:live", { kind: "plain" }).name).toEqualTypeOf<"mail">()
    expectTypeOf(
      DurableFunction.reference("123456789012:function:mail", { kind: "plain" }).name
    ).toEqualTypeOf<"mail">()
    expectTypeOf(
      DurableFunction.reference("mail:live", { kind: "durable", name: "send-mail" }).name
    ).toEqualTypeOf<"send-mail">()
    expectTypeOf(DurableFunction.reference(as<string>(), { kind: "durable" }).name).toEqualTypeOf<string>()
  })

  it("to a durable function has a version or an alias", () => {
    // @ts-expect-error a name
    DurableFunction.reference("ship", { kind: "durable" })
    // @ts-expect-error an ARN
    DurableFunction.reference("arn:aws:lambda:eu-west-1:123456789012:function:ship", { kind: "durable" })
    // @ts-expect-error no kind
    DurableFunction.reference("ship:live", {})
  })
})

describe("an implementation in a list", () => {
  it("requires what its handler requires, whatever the list may hold", () => {
    const list: ReadonlyArray<DurableFunction.AnyImplementation<Database>> = [
      Validate.implement((order) => Effect.map(Database, ({ query }) => query === order.id)),
      Validate.implement(
        Effect.fn("validate")(function* (order) {
          return (yield* Database).query === order.id
        })
      ),
      Pay.implement((order) => durable({ status: "paid", at: order.due })),
      Pay.implement(
        Effect.fn("pay")(function* (order) {
          yield* Database
          return yield* durable({ status: "paid" as const, at: order.due })
        })
      )
    ]
    expectTypeOf(list).not.toExtend<ReadonlyArray<DurableFunction.AnyImplementation<never>>>()
    const closed: ReadonlyArray<DurableFunction.AnyImplementation<never>> = [
      Validate.implement((order) => Effect.succeed(order.id === "")),
      // @ts-expect-error it requires a database
      Validate.implement((order) => Effect.map(Database, ({ query }) => query === order.id)),
      // @ts-expect-error a plain function has no history
      Validate.implement((order) => durable(order.id === ""))
    ]
    expectTypeOf(closed).toExtend<ReadonlyArray<DurableFunction.AnyImplementation>>()
  })
})
