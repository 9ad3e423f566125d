/** Branches that are under way when their batch or race is over: they are let go of, wherever they are. */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable, DurableFunction, Serdes } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { ask, both, Declined, host, slowly, turns, valueOf, type Note, type Program } from "../runtime/harness.ts"

const policy = CompletionPolicy.firstSuccessful

/** Where a branch may be when it is let go of. Each of them says so in its local finalizer. */
const places: Readonly<Record<string, (note: Note) => Effect.Effect<string, never, Durable.Execution>>> = {
  "in the body of a step": (note) => Durable.step("long", Effect.ensuring(Effect.as(Effect.never, ""), note("let go"))),
  "in a hold": (note) => Durable.hold(Effect.ensuring(Effect.as(Effect.never, ""), note("let go"))),
  "at an operation": (note) => Effect.ensuring(ask("far").pipe(Effect.orDie), note("let go")),
  "at a wait": (note) => Effect.as(Effect.ensuring(Durable.wait("far", "1 day"), note("let go")), ""),
  "in a child": (note) => Durable.child("block", Effect.ensuring(ask("far").pipe(Effect.orDie), note("let go"))),
  "in a flat child": (note) =>
    Durable.child("block", Effect.ensuring(ask("far").pipe(Effect.orDie), note("let go")), { flat: true }),
  "in a batch in a batch": (note) =>
    Effect.as(
      Durable.parallel(
        "outer",
        [Durable.forEach("inner", [1, 2, 3], () => Effect.ensuring(Durable.wait("far", "1 day"), note("let go")))].map(
          Effect.asVoid
        )
      ),
      ""
    ),
  "in a race in a race": (note) =>
    Durable.race("outer", [
      Durable.race("inner", [
        Effect.as(Effect.ensuring(Durable.wait("far", "1 day"), note("let go")), ""),
        Effect.as(Durable.wait("farther", "2 days"), "")
      ])
    ]),
  "asleep, outside of any operation": (note) => Effect.as(Effect.ensuring(Effect.sleep("1 hour"), note("let go")), ""),
  "behind a promise": (note) =>
    Effect.ensuring(
      Effect.callback<string>(() => Effect.void),
      note("let go")
    )
}

/** What ends before its branches do. */
const operations: Readonly<
  Record<string, (first: Effect.Effect<string, never, Durable.Execution>, second: typeof first) => Program>
> = {
  "a batch": (first, second) =>
    Effect.map(Durable.parallel("batch", [first, second], { policy }), (result) => result.values),
  "a flat batch": (first, second) =>
    Effect.map(Durable.parallel("batch", [first, second], { policy, flat: true }), (result) => result.values),
  "a race": (first, second) => Effect.map(Durable.race("batch", [first, second]), (value) => [value]),
  "a failed all": (first, second) =>
    Durable.all("batch", [first, Effect.andThen(second, Effect.die("quick"))], both).pipe(
      Effect.catchDefect((defect) => Effect.succeed([defect instanceof Error ? defect.message : ""]))
    )
}

describe.each(Object.entries(operations))("A branch of %s that is left", (_, operation) => {
  it.live.each(Object.entries(places))("%s goes on no further and holds nothing up", ([, place]) =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const quick = Durable.step("quick", Effect.delay(note("quick"), 2))
          const value = yield* operation(Effect.yieldNow.pipe(Effect.andThen(place(note))), quick)
          yield* ask("later")
          return value
        })
      )
      const first = yield* execution.turn()
      // It is suspended at once, although a branch was left in the middle of something.
      assert.strictEqual(first.answer?.Status, "PENDING")
      assert.strictEqual(first.fibersLeft, 0)
      assert.deepStrictEqual(execution.log.slice(0, 2), ["quick", "let go"])
      assert.deepStrictEqual(
        first.recorded.filter((text) => /long|far|block|outer|inner/.test(text)),
        []
      )
      const { answer, turns: others } = yield* execution.drive((open) => open.filter(({ Name }) => Name === "later"))
      assert.deepStrictEqual(valueOf(answer), ["quick"])
      for (const turn of others) assert.strictEqual(turn.fibersLeft, 0)
      // A record answers for all of it: no branch has begun again.
      assert.deepStrictEqual(execution.log.filter((text) => text === "quick").length, 1)
    })
  )
})

describe("A branch that is let go of", () => {
  it.live("records nothing any more, whatever its code does with the interrupt", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const stubborn = Durable.wait("far", "1 day").pipe(
            Effect.onInterrupt(() => Effect.exit(Durable.step("in a finalizer", note("finalizer step")))),
            Effect.ensuring(Effect.exit(Durable.step("another", note("another step")))),
            Effect.exit,
            Effect.andThen(Durable.step("after it", note("after step"))),
            Effect.uninterruptible
          )
          const result = yield* Durable.parallel("batch", [stubborn, Durable.step("quick", note("quick"))], { policy })
          yield* ask("later")
          return result.values
        })
      )
      const first = yield* execution.turn()
      assert.strictEqual(first.answer?.Status, "PENDING")
      assert.strictEqual(first.fibersLeft, 0)
      assert.deepStrictEqual(execution.log, ["quick"])
      assert.notInclude(first.sent.join(), "finalizer")
      assert.notInclude(first.sent.join(), "after it")
      assert.deepStrictEqual(
        valueOf((yield* execution.drive((open) => open.filter(({ Name }) => Name === "later"))).answer),
        ["quick"]
      )
    })
  )

  it.live("in a step body that cannot be interrupted holds up no suspension, and its outcome is dropped", () =>
    Effect.gen(function* () {
      let isDone = false
      let release = (): void => {}
      const released = new Promise<void>((resolve) => void (release = resolve))
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const stubborn = Durable.step(
            "long",
            Effect.uninterruptible(
              Effect.andThen(
                Effect.promise(() => released),
                Effect.sync(() => ((isDone = true), ""))
              )
            )
          )
          yield* Durable.parallel("batch", [stubborn, Durable.step("quick", note("quick"))], { policy })
          yield* ask("later")
        })
      )
      const first = yield* execution.turn({ grace: 0 })
      assert.strictEqual(first.answer?.Status, "PENDING")
      assert.isFalse(isDone)
      release()
      yield* Effect.repeat(turns(1), { until: () => isDone })
      const { turns: others } = yield* execution.drive()
      assert.notInclude([first, ...others].flatMap((turn) => turn.recorded).join(), "long")
    })
  )
})

describe("A fiber that a durable finalizer of a cancelled branch has left", () => {
  it.live("continues when the branch closes, although it cannot be interrupted at the end of a child", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const ended = yield* Deferred.make<string>()
          const left = Durable.child("left", Effect.void).pipe(
            Effect.onExit((exit) => Deferred.succeed(ended, exit._tag)),
            Effect.uninterruptible
          )
          const finalizer = Effect.andThen(Effect.forkDetach(left), Effect.repeat(Effect.yieldNow, { times: 3 }))
          const loser = Effect.forkChild(
            Durable.onExit(Durable.wait("far", "1 day"), () => Durable.step("long", slowly(note, "long")))
          ).pipe(Effect.andThen(Durable.onExit(Durable.wait("farther", "2 days"), () => finalizer)))
          yield* Durable.race("race", [loser, Durable.step("quick", Effect.asVoid(note("quick")))])
          return yield* Deferred.await(ended)
        })
      )
      assert.strictEqual(valueOf((yield* execution.turn()).answer), "Failure")
      assert.deepStrictEqual(execution.log, ["quick", "long"])
    })
  )
})

describe("Whoever interrupts a batch", () => {
  const batch = (note: Note, concurrency: number) =>
    Durable.forEach(
      "batch",
      ["a", "b", "c", "d"],
      (name) => Effect.ensuring(Effect.andThen(note(name), Durable.wait("far", "1 day")), note(`end ${name}`)),
      { concurrency }
    )

  it.live("stops its branches, and none begins after that", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(batch(note, 2))
          yield* Durable.hold(turns(10))
          yield* Fiber.interrupt(fiber)
          yield* note("interrupted")
          return "done"
        })
      )
      const { answer, turns: all } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "done")
      assert.deepStrictEqual(execution.log, ["a", "b", "end a", "end b", "interrupted"])
      assert.strictEqual(all.at(-1)!.fibersLeft, 0)
    })
  )

  it.live("by a raw time-out gets its branches stopped too", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const ended = yield* Durable.hold(Effect.timeoutOption(batch(note, 3), "20 millis"))
          return ended._tag
        })
      )
      const { answer, turns: all } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "None")
      assert.deepStrictEqual(execution.log, ["a", "b", "c", "end a", "end b", "end c"])
      assert.strictEqual(all.at(-1)!.fibersLeft, 0)
    })
  )

  it.live("by suspending ends them all, also where the caller cannot be interrupted", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.uninterruptible(
          Durable.forEach("batch", ["a", "b", "c"], (name) => Effect.andThen(ask(name), note(name)), {
            concurrency: 2,
            error: Declined
          }).pipe(Effect.orDie)
        )
      )
      const first = yield* execution.turn()
      assert.strictEqual(first.answer?.Status, "PENDING")
      assert.strictEqual(first.fibersLeft, 0)
      const { answer, turns: others } = yield* execution.drive((open) => open.slice(0, 1))
      assert.deepStrictEqual(valueOf(answer), ["a", "b", "c"])
      for (const turn of others) assert.strictEqual(turn.fibersLeft, 0)
    })
  )

  it.live("by suspending ends a race, also where the caller cannot be interrupted", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.uninterruptible(Durable.race("race", [ask("a"), ask("b")].map(Effect.orDie)))
      )
      const first = yield* execution.turn()
      assert.strictEqual(first.answer?.Status, "PENDING")
      assert.strictEqual(first.fibersLeft, 0)
      const { answer } = yield* execution.drive((open) => open.filter(({ Name }) => Name === "b"))
      assert.strictEqual(valueOf(answer), "b")
    })
  )
})

/** What lets go of a block, here of one that a forked fiber works for. */
const ends: Readonly<Record<string, (block: Branch) => Program>> = {
  "a time-out": (block) => Effect.ignore(Durable.timeout("end", block, "1 minute")),
  "a race": (block) => Durable.race("end", [block, Durable.wait("pause", "1 minute")]),
  "a batch": (block) => Effect.asVoid(Durable.parallel("end", [block, Durable.wait("pause", "1 minute")], { policy })),
  "a limit of Effect": (block) => Effect.ignore(Effect.timeout(Durable.child("end", block), "1 minute"))
}

/** Operations that have not begun all of their blocks. */
const waiting: Readonly<Record<string, (branches: ReadonlyArray<Branch>) => Program>> = {
  all: (branches) => Durable.all("inner", branches, { concurrency: 2 }),
  forEach: (branches) => Durable.forEach("inner", branches, (branch) => branch, { concurrency: 2 }),
  parallel: (branches) => Durable.parallel("inner", branches, { concurrency: 2 }),
  map: (branches) => Durable.map("inner", branches, (branch) => branch, { concurrency: 1 }),
  "a flat all": (branches) => Durable.all("inner", branches, { concurrency: 1, flat: true })
}

type Branch = Effect.Effect<void, never, Durable.Execution>

describe.each(Object.entries(ends))("A block of %s that has begun two of its branches", (_, end) => {
  it.live.each(Object.entries(waiting))("begins no other when it is let go of: %s", ([, operation]) =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const far = Durable.wait("far", "1 day")
          const late = Effect.andThen(note("late"), far)
          yield* end(
            Effect.flatMap(Effect.forkChild(Effect.orDie(Effect.asVoid(operation([far, far, late])))), Fiber.join)
          )
          return yield* note("over")
        })
      )
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "over")
      assert.notInclude(execution.log, "late")
    })
  )
})

const slow = Serdes.make<number>({
  serialize: (value) => Effect.as(turns(3), String(value)),
  deserialize: Number
})

const Far = DurableFunction.reference("far:live", { kind: "plain", payload: Schema.Number, success: Schema.Number })

/** Operations that write a value, after which their fibers would wait. */
const writing: Readonly<Record<string, Program>> = {
  "the result of a child": Durable.child("inner", Effect.succeed(1), { successSerdes: slow }),
  "the result of an item": Durable.forEach("inner", [1], Effect.succeed, { successSerdes: slow }),
  "the result of a race": Durable.race("inner", [Effect.succeed(1)], { successSerdes: slow }),
  "the payload of an invoke": Durable.invoke(Far, 1, { payloadSerdes: slow })
}

describe.each(Object.entries(writing))("A fiber that writes %s while its block ends", (_, operation) => {
  const begin = Effect.repeat(Effect.yieldNow, { times: 9 })

  const outcomeWith = (block: (write: Program) => Program) =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.gen(function* () {
          const ended = yield* Deferred.make<string>()
          const write = Effect.onExit(operation, (exit) =>
            Deferred.succeed(ended, exit._tag === "Success" ? "written" : Cause.pretty(exit.cause))
          )
          yield* Effect.exit(block(write))
          return yield* Deferred.await(ended)
        })
      )
      const { answer } = yield* execution.drive()
      return valueOf(answer)
    })

  it.live("does not wait for ever in a block that has ended", () =>
    Effect.gen(function* () {
      const outcome = yield* outcomeWith((write) =>
        Durable.child("outer", Effect.andThen(Effect.forkDetach(write), begin))
      )
      assert.match(String(outcome), /ContextEnded|interrupted/)
    })
  )

  it.live("does not wait for ever in a cancelled branch, where it cannot be interrupted", () =>
    Effect.gen(function* () {
      const outcome = yield* outcomeWith((write) =>
        Durable.race("outer", [Effect.asVoid(Effect.uninterruptible(write)), Effect.asVoid(begin)].map(Effect.orDie))
      )
      assert.match(String(outcome), /ContextEnded|interrupted/)
    })
  )
})
