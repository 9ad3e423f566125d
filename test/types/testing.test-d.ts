/** What the compiler knows of a test world. */
import { describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import type { CheckpointStore } from "../../src/CheckpointStore.ts"
import * as Durable from "../../src/Durable.ts"
import * as DurableClient from "../../src/DurableClient.ts"
import * as DurableFunction from "../../src/DurableFunction.ts"
import * as Reply from "../../src/testing/Reply.ts"
import * as TestEngine from "../../src/testing/TestEngine.ts"

class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { reason: Schema.String }) {}
class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void> }>()("test/Mail") {}
class Clerk extends Context.Service<Clerk, { readonly name: string }>()("test/Clerk") {}

const Main = DurableFunction.make("main")
const Price = DurableFunction.plain("price", { success: Schema.Int, error: Rejected })
const approval = { success: Schema.Struct({ by: Schema.String }), error: Rejected }

type World<R> = Layer.Layer<TestEngine.TestEngine | CheckpointStore | DurableClient.DurableClient, never, R>

describe("layer", () => {
  const main = Main.implement(() =>
    Durable.step(
      "send",
      Effect.flatMap(Mail, (mail) => mail.send)
    )
  )

  it("requires what the functions and answers require", () => {
    const clerk = TestEngine.answer("approval", () => Effect.map(Clerk, ({ name }) => name))
    expectTypeOf(TestEngine.layer([main])).toEqualTypeOf<World<Mail>>()
    expectTypeOf(TestEngine.layer([main, clerk])).toEqualTypeOf<World<Mail | Clerk>>()
    expectTypeOf(TestEngine.layer([TestEngine.failFirst("send", 2, Effect.die("no"))])).toEqualTypeOf<World<never>>()
  })

  it("knows what is written in place", () => {
    expectTypeOf(
      TestEngine.layer([
        main,
        TestEngine.answer("approval", Reply.succeed({ by: "Ada" }), approval),
        TestEngine.answer("name", () => Effect.map(Clerk, ({ name }) => name)),
        TestEngine.answer("word", Reply.succeed("yes")),
        TestEngine.stub(Price, Reply.after("1 hour", Reply.succeed(1))),
        TestEngine.failFirst("send", 1, Effect.die("no"))
      ])
    ).toEqualTypeOf<World<Mail | Clerk>>()
  })

  it("requires no client: the world has one", () => {
    const starts = Main.implement(() => Effect.orDie(Effect.asVoid(Durable.start(Main))))
    const stub = TestEngine.stub(Price, () => Effect.as(DurableClient.DurableClient, 1))
    const answer = TestEngine.answer("approval", () => Effect.as(DurableClient.DurableClient, "yes"))
    expectTypeOf(TestEngine.layer([starts, stub, answer])).toEqualTypeOf<World<never>>()
  })
})

describe("a reply", () => {
  const Verdict = Schema.Union([
    Schema.TaggedStruct("Approved", { by: Schema.String }),
    Schema.TaggedStruct("Refused", {})
  ])
  const verdict = { success: Verdict, error: Verdict }
  const vote = { success: Schema.Literals(["yes", "no"]) }

  it("keeps literals, although the Schemas of an answer come after it", () => {
    TestEngine.answer("vote", Reply.succeed("yes"), vote)
    TestEngine.answer("vote", Reply.after("1 hour", Reply.succeed("yes")), vote)
    TestEngine.answer("vote", [Reply.succeed("yes"), Reply.never], vote)
    TestEngine.answer("vote", () => Reply.succeed("yes"), vote)
    TestEngine.answer("verdict", Reply.succeed({ _tag: "Approved", by: "Ada" }), verdict)
    TestEngine.answer("verdict", Reply.fail({ _tag: "Refused" }), verdict)
    // @ts-expect-error no vote
    TestEngine.answer("vote", Reply.succeed("perhaps"), vote)
  })

  it("may be a list that the Schema of a function may change", () => {
    const List = DurableFunction.make("list", { success: Schema.mutable(Schema.Array(Schema.String)) })
    TestEngine.stub(List, Reply.succeed(["a"]))
    TestEngine.stub(List, Reply.after("1 hour", Reply.succeed(["a"])))
  })
})

describe("answer", () => {
  it("takes anything without the Schemas of the callback", () => {
    expectTypeOf(TestEngine.answer("approval", Reply.succeed(true))).toEqualTypeOf<TestEngine.Answer>()
    expectTypeOf(
      TestEngine.answer("approval", [Reply.never, Reply.after("1 hour", Reply.fail({ ErrorType: "Busy" }))])
    ).toEqualTypeOf<TestEngine.Answer>()
  })

  it("takes what the Schemas take", () => {
    TestEngine.answer("approval", Reply.succeed({ by: "Ada" }), approval)
    TestEngine.answer("approval", Reply.fail(new Rejected({ reason: "" })), approval)
    TestEngine.answer("approval", ({ number }) => Effect.succeed({ by: `${number}` }), approval)
    TestEngine.answer("approval", () => Effect.fail(new Rejected({ reason: "" })), approval)
    TestEngine.answer("approval", ({ name }) => Reply.succeed({ by: name }), approval)
    // @ts-expect-error another value
    TestEngine.answer("approval", Reply.succeed({ by: 1 }), approval)
    // @ts-expect-error another value
    TestEngine.answer("approval", Reply.after("1 hour", Reply.succeed("Ada")), approval)
    // @ts-expect-error another value
    TestEngine.answer("approval", () => Effect.succeed("Ada"), approval)
    // @ts-expect-error another error
    TestEngine.answer("approval", () => Effect.fail("no"), approval)
    // @ts-expect-error an error that is not declared
    TestEngine.answer("approval", Reply.fail(new Rejected({ reason: "" })))
  })

  it("does not take what only happens to functions", () => {
    // @ts-expect-error a callback has its own time-out
    TestEngine.answer("approval", Reply.timeOut())
    // @ts-expect-error nobody stops a callback
    TestEngine.answer("approval", Reply.stop())
    TestEngine.stub(Price, [Reply.timeOut(), Reply.stop(), Reply.after("1 hour", Reply.succeed(1))])
    // @ts-expect-error another value
    TestEngine.stub(Price, Reply.after("1 hour", Reply.succeed("1")))
  })
})

describe("failFirst", () => {
  it("takes an effect that never succeeds", () => {
    TestEngine.failFirst("charge", 1, Effect.fail(new Rejected({ reason: "" })))
    // @ts-expect-error it may succeed
    TestEngine.failFirst("charge", 1, Effect.succeed(1))
    const needy = Effect.flatMap(Mail, () => Effect.die("no"))
    // @ts-expect-error nobody provides the service
    TestEngine.failFirst("charge", 1, needy)
  })
})

describe("a run", () => {
  it("has handles of callbacks that take what the Schemas take", () => {
    type Run = TestEngine.TestRun<typeof Main>
    const typed = (run: Run) => run.callback("approval", approval)
    const untyped = (run: Run) => run.callback("approval")
    expectTypeOf(typed).returns.toEqualTypeOf<
      Effect.Effect<TestEngine.CallbackHandle<{ readonly by: string }, Rejected>>
    >()
    expectTypeOf(untyped).returns.toEqualTypeOf<Effect.Effect<TestEngine.CallbackHandle<unknown, never>>>()
  })

  it("has operations that are typed by what a contract or a step says of them", () => {
    type Run = TestEngine.TestRun<typeof Main>
    const invoked = (run: Run) => run.operation("price", Price)
    const stepped = (run: Run) => run.operation("approval", approval)
    const untyped = (run: Run) => run.operation("approval")
    expectTypeOf(invoked).returns.toEqualTypeOf<Effect.Effect<TestEngine.TestOperation<number, Rejected>>>()
    expectTypeOf(stepped).returns.toEqualTypeOf<
      Effect.Effect<TestEngine.TestOperation<{ readonly by: string }, Rejected>>
    >()
    expectTypeOf(untyped).returns.toEqualTypeOf<Effect.Effect<TestEngine.TestOperation<unknown, never>>>()
    // @ts-expect-error no Schema
    void ((run: Run) => run.operation("approval", { success: "text" }))
  })
})
