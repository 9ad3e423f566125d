/**
 * Crash a workflow at every checkpoint: right ones survive, and wrong ones are found, with a crash that a person can read.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, type DurableClient, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"

const Order = DurableFunction.make("order", { success: Schema.Unknown })

type Workflow = Effect.Effect<unknown, never, Durable.Execution>

const explore = (workflow: () => Workflow, options?: TestEngine.ExploreOptions) =>
  TestEngine.explore(Order, undefined, options).pipe(
    Effect.provide(
      TestEngine.layer([Order.implement(() => Effect.suspend(workflow))], {
        patience: "2 seconds",
        outsideLimit: "1 second"
      })
    )
  )

/** What the explorer says of a workflow that is wrong. */
const verdict = (workflow: () => Workflow, options?: TestEngine.ExploreOptions) =>
  Effect.map(Effect.exit(explore(workflow, options)), (exit) => {
    const mistake = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    return mistake instanceof TestEngine.TestFailure ? mistake.message : `no failure: ${String(mistake)}`
  })

const step = (name: string) => Durable.step(name, Effect.succeed(name))

describe("TestEngine.explore", () => {
  it.effect("runs a workflow killed on every side of every checkpoint, and says what it has done", () =>
    Effect.gen(function* () {
      const explored = yield* explore(() =>
        Effect.gen(function* () {
          yield* step("charge")
          yield* Durable.wait("a day", "1 day")
          return yield* Effect.all([step("pack"), step("label")], { concurrency: "unbounded" })
        })
      )
      assert.deepStrictEqual(explored.checkpoints, [
        "START charge, SUCCEED charge",
        "START a day",
        "START pack, SUCCEED pack, START label, SUCCEED label"
      ])
      assert.strictEqual(explored.schedules, 12)
      assert.deepStrictEqual(explored.bodies, { charge: 2, pack: 2, label: 2 })
    })
  )

  it.effect("says how the execution ended, because one that fails every time is the same every time", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* explore(() => step("charge"))).status, "SUCCEEDED")
      assert.strictEqual((yield* explore(() => Effect.die(new Error("no card")))).status, "FAILED")
    })
  )

  it.effect("finds a workflow that does not end", () =>
    Effect.gen(function* () {
      const message = yield* verdict(() =>
        Effect.orDie(Effect.flatMap(Durable.callback("approval"), (approval) => approval.await))
      )
      assert.match(message, /^Without a crash: the execution does not end: .*the callback "approval" is open/)
    })
  )

  it.effect("kills what it invokes, too", () =>
    Effect.gen(function* () {
      const Callee = DurableFunction.make("callee", { success: Schema.String })
      const callee = Callee.implement(() => Effect.andThen(Durable.wait("an hour", "1 hour"), step("work")))
      const order = Order.implement(() => Effect.orDie(Durable.invoke(Callee)))
      const explored = yield* TestEngine.explore(Order).pipe(Effect.provide(TestEngine.layer([callee, order])))
      assert.deepStrictEqual(explored.checkpoints, ["START callee", "START an hour", "START work, SUCCEED work"])
    })
  )

  const Callee = DurableFunction.make("callee", { success: Schema.Array(Schema.Unknown) })
  const facts = Effect.gen(function* () {
    yield* Durable.wait("an hour", "1 hour")
    const { executionArn, executionName } = yield* Durable.execution
    return [executionArn, executionName, yield* Durable.uuid, yield* Random.next]
  })
  const recordsId = Effect.gen(function* () {
    const { callbackId } = yield* Durable.callback("approval")
    return yield* Durable.step("keep the id", Effect.succeed(callbackId))
  })
  const waiter = Effect.as(Durable.wait("an hour", "1 hour"), [])
  const idsOf: ReadonlyArray<
    readonly [string, typeof facts, Effect.Effect<unknown, never, Durable.Execution | DurableClient.DurableClient>]
  > = [
    ["a function that it invokes", facts, Effect.orDie(Durable.invoke(Callee))],
    [
      "functions that it invokes together",
      facts,
      Effect.orDie(
        Durable.map("calls", [1, 2], () => Durable.invoke(Callee), {
          success: Callee.success
        })
      )
    ],
    ["an execution that it starts", waiter, Effect.orDie(Durable.start(Callee))],
    [
      "an execution that it starts by a name",
      waiter,
      Effect.orDie(Durable.start(Callee, undefined, { executionName: "c-1" }))
    ],
    ["an execution to which it hands over", facts, Effect.orDie(Durable.continueWith(Callee))],
    ["a callback", waiter, recordsId]
  ]
  it.effect.each(idsOf)("gives the same ids in every run to %s", ([, callee, workflow]) =>
    Effect.gen(function* () {
      const order = Order.implement(() =>
        Effect.andThen(Effect.andThen(step("charge"), Durable.wait("a day", "1 day")), workflow)
      )
      const world = TestEngine.layer([Callee.implement(() => callee), order])
      const { schedules } = yield* TestEngine.explore(Order).pipe(Effect.provide(world))
      assert.isAbove(schedules, 0)
    })
  )

  it.effect("tries pairs of crashes as well, where that is asked for", () =>
    Effect.gen(function* () {
      const explored = yield* explore(() => Effect.andThen(step("a"), step("b")), { pairs: 10 })
      assert.strictEqual(explored.schedules, 8 + 10)
    })
  )

  const noCounts = [
    ["limit", Number.NaN],
    ["limit", -1],
    ["pairs", 1.5]
  ] as const
  it.effect.each(noCounts)("refuses the option %s of %d, which is no count", ([option, value]) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(explore(() => step("charge"), { [option]: value }))
      const refusal = Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "nothing"
      const expected = `Expected the option ${option} of TestEngine.explore to be a whole number of at least 0`
      assert.include(refusal, `${expected}, found ${value}`)
    })
  )

  it.effect("lets a workflow handle that a crash ends a step which may not run twice", () =>
    Effect.gen(function* () {
      const once = Durable.step("pay", Effect.succeed("paid"), { semantics: "at-most-once" })
      const looked = Effect.catchTag(once, "StepInterrupted", () => Effect.succeed("paid"))
      yield* explore(() => Effect.orDie(Effect.tap(looked, step("after"))))
      assert.include(yield* verdict(() => Effect.orDie(once)), "FAILED with StepInterrupted")
      const other = Effect.catchTag(once, "StepInterrupted", () => step("look"))
      assert.include(yield* verdict(() => Effect.orDie(other)), `"look"`)
    })
  )

  it.effect("draws so many crashes as there may be at most", () =>
    Effect.gen(function* () {
      const explored = yield* explore(() => Effect.andThen(step("a"), step("b")), { limit: 3 })
      assert.strictEqual(explored.schedules, 3)
    })
  )
})

describe("TestEngine.explore with orders", () => {
  const all = { concurrency: "unbounded" } as const
  const names = ["a", "b", "c"]
  const waits = names.map((name) => Effect.as(Durable.wait(name, "1 hour"), name))

  it.effect("tries every order of what is due at the same time", () =>
    Effect.gen(function* () {
      const explored = yield* explore(() => Effect.all(waits, all), { orders: true })
      // Three can be put into six orders, and the first of them is the run without a crash.
      assert.strictEqual(explored.orders, 5)
      const drawn = yield* explore(() => Effect.all(waits, all), { orders: true, limit: 4 })
      assert.strictEqual(drawn.orders, 4)
      assert.strictEqual((yield* explore(() => Effect.all(waits, all))).orders, 0)
    })
  )

  it.effect("tries sleeps in steps, and functions that are called together", () =>
    Effect.gen(function* () {
      const Callee = DurableFunction.make("callee", { payload: Schema.String, success: Schema.String })
      const callee = Callee.implement((name) => Durable.step(name, Effect.as(Effect.sleep("1 minute"), name)))
      const order = Order.implement(() =>
        Effect.orDie(Effect.forEach(["a", "b"], (name) => Durable.invoke(Callee, name, { name }), all))
      )
      const explored = yield* TestEngine.explore(Order, undefined, { orders: true }).pipe(
        Effect.provide(TestEngine.layer([order, callee]))
      )
      assert.isAbove(explored.orders, 1)
    })
  )

  const first = () => Effect.map(Effect.raceAllFirst(waits), (winner) => `${winner} won`)

  it.effect("finds a workflow that ends otherwise in another order", () =>
    Effect.gen(function* () {
      assert.match(
        yield* verdict(first, { orders: true }),
        /^In another order of what is due at the same time: expected .+"a won".+ found .+"[bc] won".+ order: \[[\d,]+\] }/
      )
    })
  )

  it.effect("prints what the option order of the layer takes", () =>
    Effect.gen(function* () {
      const winnerWith = (order: ReadonlyArray<number>) =>
        Effect.provide(TestEngine.run(Order), TestEngine.layer([Order.implement(first)], { order }))
      assert.strictEqual(yield* winnerWith([]), "a won")
      assert.strictEqual(yield* winnerWith([1]), "b won")
      assert.strictEqual(yield* winnerWith([2]), "c won")
    })
  )
})

describe("TestEngine.explore finds", () => {
  it.effect("a step that is not idempotent", () =>
    Effect.gen(function* () {
      const workflow = () => Effect.andThen(step("charge"), step("mail"))
      assert.match(
        yield* verdict(workflow, { mayRepeat: ["mail"] }),
        /^Killed before checkpoint 1 \(START charge, SUCCEED charge\): the body of the step "charge" began 2 times.*crash: "before:1"/
      )
    })
  )

  it.effect("state in a module", () =>
    Effect.gen(function* () {
      let orders = 0
      const workflow = () =>
        Effect.andThen(
          step("charge"),
          Effect.sync(() => ++orders)
        )
      assert.match(
        yield* verdict(workflow),
        /^A second run, without a crash either,: expected that the execution ends as/
      )
    })
  )

  it.effect("one operation more, which looks like another one", () =>
    Effect.gen(function* () {
      const world = Layer.unwrap(
        Effect.sync(() => {
          let paid = 0
          const pay = Effect.sync(() => void paid++)
          const order = Order.implement(() =>
            Effect.andThen(
              Durable.step("pay", pay),
              Effect.suspend(() => Effect.repeat(step("mail"), { times: paid - 1 }))
            )
          )
          return TestEngine.layer([order])
        })
      )
      const exit = yield* Effect.exit(TestEngine.explore(Order, undefined, { world }).pipe(Effect.provide(world)))
      const found = Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "nothing"
      assert.include(found, 'expected no STEP "mail" of order that SUCCEEDED with "mail", number 2, found it')
    })
  )

  it.effect("a decision by the clock of the process", () =>
    Effect.gen(function* () {
      let looks = 0
      // What Date.now() is to a replay: another answer every time.
      const isLate = Effect.sync(() => ++looks % 3 === 0)
      const workflow = () =>
        Effect.gen(function* () {
          yield* step("charge")
          return (yield* isLate) ? yield* step("apologise") : yield* step("thank")
        })
      assert.match(yield* verdict(workflow), /NonDeterministic|apologise/)
    })
  )

  it.effect("an undo that is forgotten", () =>
    Effect.gen(function* () {
      // The list of what is to be undone is in memory, and a step that is replayed does not fill it.
      const workflow = () =>
        Effect.gen(function* () {
          const undos: Array<Workflow> = []
          yield* Durable.step(
            "book",
            Effect.sync(() => void undos.push(step("cancel")))
          )
          yield* step("pay")
          yield* Effect.forEach(undos, (undo) => undo)
          return "refused"
        })
      assert.match(yield* verdict(workflow), /crash: "after:1"/)
    })
  )

  it.effect("work in a finalizer of an invocation", () =>
    Effect.gen(function* () {
      let isOpen = false
      const workflow = () =>
        Effect.suspend(() => (isOpen ? step("already open") : step("open"))).pipe(
          Effect.tap(() => Effect.sync(() => void (isOpen = true))),
          Effect.andThen(step("use")),
          Effect.ensuring(Effect.sync(() => void (isOpen = false)))
        )
      const leaky = () =>
        Effect.andThen(
          workflow(),
          Effect.sync(() => void (isOpen = true))
        )
      assert.match(yield* verdict(leaky), /NonDeterministic|A second run/)
    })
  )

  it.effect("a race of promises", () =>
    Effect.gen(function* () {
      let turn = 0
      // One of them is quick, now this one and now that one.
      const answer = (name: string) =>
        Effect.promise(() => (turn++ % 3 === 0 ? Promise.resolve(name) : new Promise<string>(() => {})))
      const workflow = () =>
        Effect.gen(function* () {
          yield* step("charge")
          const first: string = yield* Effect.raceFirst(answer("a"), answer("b"))
          return yield* step(first)
        })
      assert.match(yield* verdict(workflow), /crash: "|A second run/)
    })
  )
})

describe("The option crash of TestEngine.layer", () => {
  const workflow = () =>
    Effect.gen(function* () {
      yield* step("charge")
      return yield* step("hand over")
    })

  const invocationsWith = (crash: TestEngine.Options["crash"]) =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Order)
      yield* run.result
      const events = yield* run.history
      return events.filter(({ EventType }) => EventType === "InvocationCompleted").length
    }).pipe(Effect.provide(TestEngine.layer([Order.implement(workflow)], { crash })))

  it.effect("kills an invocation at a checkpoint by its number, or at an operation by its name", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* invocationsWith(undefined), 1)
      for (const crash of ["before:1", "after:2", "before:hand over", { after: "charge" }, { before: 2 }]) {
        assert.strictEqual(yield* invocationsWith(crash), 2, JSON.stringify(crash))
      }
      assert.strictEqual(yield* invocationsWith(["before:1", { after: "hand over" }]), 3)
      assert.strictEqual(yield* invocationsWith("lost:1"), 1)
    })
  )

  it.effect("says how a crash is written", () =>
    Effect.gen(function* () {
      for (const crash of ["sometimes", "after:0", "before:-1", "lost:-12"]) {
        const mistake = yield* mistakeOf(crash)
        assert.include(mistake, 'Expected a crash such as "before:3"')
        assert.include(mistake, `found "${crash}"`)
        assert.include(mistake, "0 and -1 are none")
      }
      for (const number of [0, -3, 1.5, Number.NaN]) {
        assert.include(yield* mistakeOf({ before: number }), `found "before:${number}"`)
      }
    })
  )

  it.effect.each(["-order", "00", "-01", "1.5", "3 boxes"])("kills at an operation with the name %s", (name) =>
    Effect.gen(function* () {
      let begun = 0
      const order = Order.implement(() =>
        Durable.step(
          name,
          Effect.sync(() => `${++begun}`)
        )
      )
      for (const crash of [`before:${name}`, { before: name }]) {
        begun = 0
        yield* Effect.provide(TestEngine.run(Order), TestEngine.layer([order], { crash }))
        assert.strictEqual(begun, 2)
      }
    })
  )

  it.effect("fails a test in which the crash does not come about, and leaves one alone that fails itself", () =>
    Effect.gen(function* () {
      assert.include(yield* mistakeOf("after:9"), 'Expected the crash "after:9" to happen, but the test ended after')
      const both = yield* mistakeOf([{ before: "charged" }, "before:1", { after: "nothing" }])
      assert.include(both, 'Expected the crashes "before:charged", "after:nothing" to happen')
      const failing = Effect.provide(Effect.die("of its own"), TestEngine.layer([], { crash: "after:9" }))
      assert.deepStrictEqual(yield* Effect.exit(failing), Exit.die("of its own"))
    })
  )

  it.effect("says that it is none for an exploration", () =>
    Effect.gen(function* () {
      const engine = TestEngine.layer([Order.implement(() => step("charge"))], { crash: "after:1" })
      const exit = yield* Effect.exit(Effect.provide(TestEngine.explore(Order), engine))
      assert.isTrue(Exit.isFailure(exit))
      assert.match(
        Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "",
        /no request arrived\. Run an execution on this engine.* TestEngine\.explore has engines and crashes of its own/
      )
    })
  )

  const mistakeOf = (crash: TestEngine.Options["crash"]) =>
    Effect.map(Effect.exit(invocationsWith(crash)), (exit) =>
      Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "nothing"
    )
})
