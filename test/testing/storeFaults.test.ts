/** `Faults`: what a test may let happen between a workflow and any store. */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Faults, TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

const request = (name: string): CheckpointStore.CheckpointRequest => ({
  DurableExecutionArn: "arn",
  CheckpointToken: "token",
  ClientToken: name,
  Updates: [{ Id: name, Type: "STEP", Action: "SUCCEED", Name: name }]
})

/** A store that notes what arrives. */
const noting = () => {
  const arrived: Array<string> = []
  const store: CheckpointStore.CheckpointStore["Service"] = {
    checkpoint: ({ ClientToken }) =>
      Effect.sync(() => {
        arrived.push(ClientToken)
        return { CheckpointToken: "next", NewExecutionState: { Operations: [] } }
      }),
    loadState: () => Effect.succeed({ Operations: [] })
  }
  return { arrived, layer: Layer.succeed(CheckpointStore.CheckpointStore, store) }
}

describe("Faults.layer", () => {
  it.effect("kills an invocation of any store, by the number of a checkpoint or the name of an operation", () =>
    Effect.gen(function* () {
      const { arrived, layer } = noting()
      const crashed: Array<string> = []
      const faults = Faults.layer({
        crash: ["before:1", { after: "pay" }, "lost:3"],
        onCrash: ({ checkpoint, side }) => Effect.sync(() => void crashed.push(`${side} ${checkpoint}`))
      })
      const ends = yield* Effect.gen(function* () {
        const store = yield* CheckpointStore.CheckpointStore
        const sent = ["book", "pay", "ship", "mail"].map((name) => store.checkpoint(request(name)))
        return yield* Effect.forEach(sent, (one) =>
          Effect.match(one, { onFailure: ({ _tag }) => _tag, onSuccess: () => "answered" })
        )
      }).pipe(Effect.provide(Layer.provide(faults, layer)))
      assert.deepStrictEqual(ends, ["StaleCheckpointToken", "StaleCheckpointToken", "StoreUnavailable", "answered"])
      assert.deepStrictEqual(arrived, ["pay", "ship", "mail"])
      assert.deepStrictEqual(crashed, ["before 1", "after 2", "lost 3"])
    })
  )

  it.effect("fails a test in which the crash does not come about, and leaves one alone that fails itself", () =>
    Effect.gen(function* () {
      const { layer } = noting()
      const faults = Layer.provide(Faults.layer({ crash: ["before:1", "after:pay", "lost:3"] }), layer)
      const sent = CheckpointStore.CheckpointStore.use((store) => Effect.exit(store.checkpoint(request("book"))))
      const exit = yield* Effect.exit(Effect.provide(sent, faults))
      assert.include(
        String(Exit.isFailure(exit) && Cause.squash(exit.cause)),
        'Expected the crashes "after:pay", "lost:3" to happen, but the test ended after 1 checkpoint without them'
      )
      const failing = Effect.provide(Effect.andThen(sent, Effect.die("of its own")), faults)
      assert.deepStrictEqual(yield* Effect.exit(failing), Exit.die("of its own"))
    })
  )

  it("says where an event can be delivered twice", () => {
    const store: CheckpointStore.CheckpointStore["Service"] = {
      checkpoint: () => Effect.never,
      loadState: () => Effect.never
    }
    assert.throws(() => Faults.around(store, { crash: "twice:1" }), /use the option crash of TestEngine\.layer/)
  })
})

/** What each of so many requests ends with. */
const endsWith = (options: Faults.Options, count = 200) =>
  Effect.gen(function* () {
    const { arrived, layer } = noting()
    const kinds: Array<string> = []
    const throttled: Array<string> = []
    const onFault = ({ kind, request: struck }: Faults.Fault) =>
      Effect.sync(() => {
        kinds.push(kind)
        if (kind === "throttle" && "ClientToken" in struck) throttled.push(struck.ClientToken)
      })
    const faults = Layer.provide(Faults.layer({ ...options, onFault }), layer)
    const ends = yield* Effect.provide(
      Effect.gen(function* () {
        const store = yield* CheckpointStore.CheckpointStore
        return yield* Effect.forEach(Array.from({ length: count }), (_, index) =>
          Effect.match(store.checkpoint(request(`step-${index}`)), {
            onFailure: ({ message }) => message,
            onSuccess: ({ CheckpointToken }) => CheckpointToken ?? "no token"
          })
        )
      }),
      faults
    )
    return { arrived, ends, kinds, throttled }
  })

describe("Faults by a share", () => {
  const expected = {
    throttle: { message: /TooManyRequestsException/, arrives: "never" },
    error: { message: /ServiceException/, arrives: "sometimes" },
    reset: { message: /ECONNRESET/, arrives: "sometimes" },
    lost: { message: /before the answer arrived/, arrives: "always" },
    stale: { message: /Invalid checkpoint token/, arrives: "sometimes" },
    tokenless: { message: /no token/, arrives: "always" }
  } as const

  it.effect.each(Object.entries(expected))(
    "%s about so many requests as they are asked to",
    ([kind, { arrives, message }]) =>
      Effect.gen(function* () {
        const { arrived, ends, kinds } = yield* endsWith({ [kind]: 0.3 })
        const struck = ends.filter((end) => message.test(end)).length
        assert.isAbove(struck, 30)
        assert.isBelow(struck, 90)
        assert.strictEqual(struck, ends.filter((end) => end !== "next").length)
        assert.deepStrictEqual(
          kinds,
          Array.from({ length: struck }, () => kind)
        )
        const missing = ends.length - arrived.length
        if (arrives === "always") assert.strictEqual(missing, 0)
        else if (arrives === "never") assert.strictEqual(missing, struck)
        else assert.isTrue(missing > 0 && missing < struck, `${missing} of ${struck}`)
      })
  )

  it.effect("delivers a request twice", () =>
    Effect.gen(function* () {
      const { arrived, ends } = yield* endsWith({ repeat: 1 }, 3)
      assert.deepStrictEqual(ends, ["next", "next", "next"])
      assert.strictEqual(arrived.length, 6)
    })
  )

  it.effect("strikes the same requests with the same seed, whatever else is asked for", () =>
    Effect.gen(function* () {
      const once = yield* endsWith({ seed: 3, throttle: 0.2 })
      const again = yield* endsWith({ seed: 3, throttle: 0.2, lost: 0.2 })
      const other = yield* endsWith({ seed: 4, throttle: 0.2 })
      assert.deepStrictEqual(again.throttled, once.throttled)
      assert.notDeepEqual(other.throttled, once.throttled)
    })
  )

  it.effect("cuts answers into pages, each of which leads to the next", () =>
    Effect.gen(function* () {
      const Operations = ["a", "b", "c"].map(
        (Id) => ({ Id, Type: "STEP", Status: "STARTED", StartTimestamp: 1, SubType: "Step", Name: Id }) as const
      )
      const page = { Operations: Operations.slice(2) }
      const store = Faults.around(
        {
          checkpoint: () => Effect.succeed({ CheckpointToken: "next", NewExecutionState: { Operations } }),
          loadState: ({ MaxItems }) => Effect.sync(() => (assert.strictEqual(MaxItems, 1), page))
        },
        { pageItems: 1 }
      )
      const names: Array<string> = []
      let next = (yield* store.checkpoint(request("a"))).NewExecutionState
      for (;;) {
        names.push(...next.Operations.map(({ Id }) => Id))
        const Marker = next.NextMarker
        if (Marker === undefined) break
        next = yield* store.loadState({ DurableExecutionArn: "arn", CheckpointToken: "next", Marker, MaxItems: 100 })
      }
      assert.deepStrictEqual(names, ["a", "b", "c"])
      const other = { DurableExecutionArn: "arn", CheckpointToken: "next", Marker: "of the store", MaxItems: 100 }
      assert.deepStrictEqual(yield* store.loadState(other), page)
    })
  )

  it("refuses what is no share", () => {
    const { layer: _, ...rest } = noting()
    const store: CheckpointStore.CheckpointStore["Service"] = {
      checkpoint: () => Effect.die(rest),
      loadState: () => Effect.never
    }
    assert.throws(
      () => Faults.around(store, { throttle: 10 }),
      /Expected the fault throttle to be a share from 0 to 1, found 10/
    )
    assert.throws(() => Faults.around(store, { pageItems: 0 }), /pageItems/)
  })
})

describe("Faults.clock", () => {
  it.effect("is off, and goes back", () =>
    Effect.gen(function* () {
      const readings = yield* Effect.forEach(Array.from({ length: 50 }), () => Clock.currentTimeMillis).pipe(
        Effect.provide(Faults.clock({ ahead: "1 hour", back: "1 minute" }))
      )
      // The clock of a test stands still.
      assert.isTrue(readings.every((at) => at > 59 * 60_000 - 1 && at <= 60 * 60_000))
      assert.isTrue(readings.some((at, index) => at < (readings[index - 1] ?? 0)))
    })
  )
})

describe("The option faults of TestEngine.layer", () => {
  it.effect("hears of the crashes of the option crash", () =>
    Effect.gen(function* () {
      const Order = DurableFunction.make("order")
      const order = Order.implement(() => Durable.step("charge", Effect.void))
      const crashed: Array<string> = []
      const onCrash = ({ checkpoint, side }: Faults.Crashed) =>
        Effect.sync(() => void crashed.push(`${side} ${checkpoint}`))
      const engine = TestEngine.layer([order], { crash: ["before:charge", "twice:2"], faults: { onCrash } })
      yield* Effect.provide(TestEngine.run(Order), engine)
      assert.deepStrictEqual(crashed, ["before 1", "twice 2"])
    })
  )

  /** A workflow with a bit of everything, and how often its steps began. */
  const busy = (faults: Faults.EngineOptions) =>
    Effect.gen(function* () {
      const Callee = DurableFunction.make("callee", { payload: Schema.Int, success: Schema.Int })
      const Busy = DurableFunction.make("busy", { success: Schema.Array(Schema.Int) })
      const callee = Callee.implement((n) => Effect.as(Durable.wait("a while", "5 seconds"), n + 1))
      const started: Array<string> = []
      const step = (n: number) =>
        Durable.step(
          `step-${n}`,
          Effect.flatMap(Durable.StepContext, ({ attempt, name }) => {
            started.push(`${name} ${attempt}`)
            return attempt === 1 ? Effect.fail("once more") : Effect.succeed(n)
          }),
          { retry: RetryPolicy.fixed({ maxAttempts: 2, delay: "1 second" }), error: Schema.String }
        )
      const workflow = Busy.implement(() =>
        Effect.gen(function* () {
          const first = yield* Effect.all([step(1), step(2), Durable.invoke(Callee, 2)], { concurrency: "unbounded" })
          yield* Durable.wait("a day", "1 day")
          const last = yield* Effect.raceFirst(step(4), Effect.as(Effect.sleep("1 hour"), 0))
          return [...first, last]
        }).pipe(Effect.orDie)
      )
      const kinds = new Set<string>()
      const onFault = ({ kind }: Faults.Fault) => Effect.sync(() => void kinds.add(kind))
      const engine = TestEngine.layer([workflow, callee], { faults: { ...faults, onFault } })
      return { value: yield* Effect.provide(TestEngine.run(Busy), engine), kinds: [...kinds].toSorted(), started }
    })

  const cases: ReadonlyArray<readonly [string, Faults.EngineOptions]> = [
    ["requests that fail in every way", { throttle: 0.1, error: 0.1, reset: 0.1, lost: 0.1 }],
    ["requests that arrive twice, and late", { repeat: 0.3, delay: 0.3, longest: "2 seconds" }],
    ["tokens that are stale, or missing", { stale: 0.2, tokenless: 0.2 }],
    ["events that are delivered twice", { again: 0.3 }],
    ["stamps that are equal, of clocks that are behind", { wholeMillis: true, behind: 3 }],
    ["answers without operations", { wholeMillis: true, silent: 0.5 }],
    ["a clock that is ahead, and goes back", { clock: { ahead: "1 hour", back: "1 second" } }],
    ["a clock that is behind", { clock: { behind: "1 hour" } }],
    [
      "all of it",
      {
        throttle: 0.05,
        error: 0.05,
        lost: 0.05,
        repeat: 0.1,
        stale: 0.05,
        again: 0.1,
        wholeMillis: true,
        behind: 1,
        silent: 0.2
      }
    ]
  ]

  it.effect.each(cases)("ends as ever under %s", ([, faults]) =>
    Effect.gen(function* () {
      const all = new Set<string>()
      for (let seed = 1; seed <= 10; seed++) {
        const { kinds, value } = yield* busy({ seed, ...faults })
        assert.deepStrictEqual(value, [1, 2, 3, 4], `seed ${seed}`)
        for (const kind of kinds) all.add(kind)
      }
      const expected = Object.keys(faults).filter((kind) =>
        ["throttle", "error", "reset", "lost", "repeat", "delay", "stale", "tokenless"].includes(kind)
      )
      assert.deepStrictEqual([...all].toSorted(), expected.toSorted())
    })
  )

  it.effect("does the same with the same seed", () =>
    Effect.gen(function* () {
      const faults = { seed: 5, stale: 0.3, lost: 0.2 }
      assert.deepStrictEqual(yield* busy(faults), yield* busy(faults))
      assert.notDeepEqual((yield* busy({ ...faults, seed: 6 })).started, (yield* busy(faults)).started)
    })
  )

  it.effect("refuses silent answers of which nobody could tell the time", () =>
    Effect.gen(function* () {
      const untold: ReadonlyArray<Faults.EngineOptions> = [{}, { delay: 0.1 }, { clock: { ahead: "1 minute" } }]
      for (const faults of untold) {
        const exit = yield* Effect.exit(busy({ silent: 0.5, wholeMillis: Object.keys(faults).length > 0, ...faults }))
        assert.include(String(exit), "without delay and clock")
      }
    })
  )
})
