import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { operationId } from "../../src/execution/Identity.ts"
import {
  actions,
  assertSucceeded,
  deployed,
  eventOf,
  execute,
  failureOf,
  invokeOnce,
  type Ran,
  valueOf
} from "../operations/support.ts"

type Program = Effect.Effect<unknown, DurableError.OperationError, Durable.Execution>

const step = (name: string) => Durable.step(name, Effect.succeed(name))
const pause = Durable.wait("pause", "1 hour")
const before = (...operations: ReadonlyArray<Program>) => Effect.asVoid(Effect.all([...operations, pause]))
const both = { concurrency: "unbounded" } as const

/** The execution failed in its second invocation, which recorded nothing. */
const assertNonDeterministic = (ran: Ran<unknown, unknown>, ...parts: ReadonlyArray<string>): void => {
  const failed = failureOf(ran)
  assert.strictEqual(failed.errorType, "NonDeterministic")
  for (const part of parts) assert.include(failed.errorMessage, part)
  assert.strictEqual(ran.invocations, 2)
  assert.strictEqual(ran.requests.at(-1)?.Updates.at(-1)?.Name, "pause")
}

describe("A replay that asks for something else", () => {
  const Other = DurableFunction.plain("other")
  const invoke = (name: string) => Effect.orDie(Durable.invoke(Other, undefined, { name }))
  const other = "STEP (Step)"
  const changed: Record<string, readonly [Program, Program, string, string]> = {
    "a wait for a step": [step("x"), Durable.wait("x", "1 second"), other, "WAIT (Wait)"],
    "a child for a step": [step("x"), Durable.child("x", Effect.void), other, "CONTEXT (RunInChildContext)"],
    "a flat child for a child": [
      Durable.child("x", Effect.void),
      Durable.child("x", Effect.void, { flat: true }),
      "CONTEXT (RunInChildContext)",
      "flat"
    ],
    "an invoke for a step": [step("x"), invoke("x"), other, "CHAINED_INVOKE (ChainedInvoke)"],
    "a step for a child": [Durable.child("x", Effect.void), step("x"), "CONTEXT (RunInChildContext)", other]
  }
  for (const [name, [first, second, history, asked]] of Object.entries(changed)) {
    it.effect(`is NonDeterministic at once, and records nothing: ${name}`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(deployed(before(first), Effect.all([second, step("next"), pause])))
        assertNonDeterministic(ran, `"x"`, history, asked)
      })
    )
  }

  it.effect("is NonDeterministic when the sub-type differs", () =>
    Effect.gen(function* () {
      const record = { Id: operationId("", "x", 0), Name: "x", Type: "STEP", SubType: "WaitForCondition" }
      const { answer, updates } = yield* invokeOnce(step("x"), { event: eventOf([record]) })
      assert.isTrue(answer?.Status === "FAILED" && answer.Error?.ErrorType === "NonDeterministic")
      assert.include(JSON.stringify(answer), "STEP (WaitForCondition)")
      assert.deepStrictEqual(updates, [])
    })
  )

  it.effect("is NonDeterministic when two operations of different types have swapped their names", () =>
    Effect.gen(function* () {
      const nap = (name: string) => Durable.wait(name, "1 second")
      const ran = yield* execute(
        deployed(Effect.all([step("a"), nap("b"), pause]), Effect.all([nap("a"), step("b"), pause]))
      )
      assert.strictEqual(failureOf(ran).errorType, "NonDeterministic")
    })
  )

  it.effect("is NonDeterministic inside a child, whose path the message has", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        deployed(
          Durable.child("block", before(step("x")), { flat: true }),
          Durable.child("block", before(Durable.wait("x", "1 second")), { flat: true })
        )
      )
      assertNonDeterministic(ran, `"block/x"`)
    })
  )

  it.effect("cannot be caught by the workflow, nor run its handlers and finalizers", () =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const note = (text: string) => Effect.sync(() => void ran.push(text))
      const stubborn = Durable.wait("x", "1 second").pipe(
        Effect.catchCause(() => note("catchCause")),
        Effect.catchDefect(() => note("catchDefect")),
        Effect.exit,
        Effect.andThen(note("next")),
        (effect) => Durable.onExit(effect, () => note("onExit"))
      )
      const found = yield* execute(deployed(before(step("x")), Effect.andThen(stubborn, step("y"))))
      assertNonDeterministic(found)
      assert.deepStrictEqual(ran, [])
    })
  )

  it.effect("fails the invocation and not the execution when the options say so", () =>
    Effect.gen(function* () {
      const record = { Id: operationId("", "x", 0), Name: "x", Type: "STEP", SubType: "Step" }
      for (const program of [Durable.wait("x", "1 second"), step("y")]) {
        const { answer, failure, updates } = yield* invokeOnce(program, {
          event: eventOf([record]),
          run: { onNonDeterminism: "retry" }
        })
        assert.isUndefined(answer)
        assert.instanceOf(failure, DurableError.InvocationFailed)
        assert.strictEqual(failure.reason, "non-deterministic")
        assert.include(failure.message, "x")
        assert.notInclude(actions(updates), "SUCCEED EXECUTION")
      }
    })
  )
})

describe("A replay that no longer asks for something", () => {
  const gone: Record<string, readonly [Program, Program]> = {
    "a step": [step("x"), Effect.void],
    "a wait that has passed": [Durable.wait("x", "1 second"), Effect.void],
    "a child": [Durable.child("x", step("inner")), Effect.void],
    "a step that failed": [Effect.exit(Durable.step("x", Effect.die("no"), { retry: RetryPolicy.none })), Effect.void],
    "a step that was renamed": [step("x"), step("y")],
    "one of several uses of a name": [Effect.all([step("x"), step("x")]), step("x")],
    "a step in a flat child": [
      Durable.child("f", step("x"), { flat: true }),
      Durable.child("f", Effect.void, { flat: true })
    ]
  }
  for (const [name, [first, second]] of Object.entries(gone)) {
    it.effect(`is NonDeterministic before its result is recorded: ${name}`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(deployed(before(first), before(second)))
        const failed = failureOf(ran)
        assert.strictEqual(failed.errorType, "NonDeterministic")
        assert.include(failed.errorMessage, `"x"`)
        assert.strictEqual(ran.operations.find((operation) => operation.Type === "EXECUTION")?.Status, undefined)
      })
    )
  }

  it.effect("is NonDeterministic even when it fails", () =>
    Effect.gen(function* () {
      const ran = yield* execute(deployed(before(step("x")), Effect.andThen(pause, Effect.die("because x is missing"))))
      assert.strictEqual(failureOf(ran).errorType, "NonDeterministic")
    })
  )

  it.effect("is NonDeterministic inside an open child, whose end is not recorded", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        deployed(Durable.child("block", before(step("x"))), Durable.child("block", before(Effect.void)))
      )
      assert.strictEqual(failureOf(ran).errorType, "NonDeterministic")
      assert.include(failureOf(ran).errorMessage, `"block"`)
      assert.strictEqual(ran.operations.find((operation) => operation.Name === "block")?.Status, "STARTED")
    })
  )

  it.effect("is NonDeterministic when what was removed stands in a child that was removed while open", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        deployed(
          Effect.all([Durable.child("block", before(step("x"))), Durable.wait("short", "1 second")], both),
          Durable.wait("short", "1 second")
        )
      )
      assert.strictEqual(failureOf(ran).errorType, "NonDeterministic")
      assert.include(failureOf(ran).errorMessage, `CONTEXT "block"`)
    })
  )

  it.effect("lists no more than five of many", () =>
    Effect.gen(function* () {
      const many = Effect.forEach(Array.from({ length: 12 }), () => step("x"))
      const ran = yield* execute(deployed(before(many), pause))
      assert.include(failureOf(ran).errorMessage, "and 7 more")
    })
  )

  it.effect("is NonDeterministic also when that had no outcome yet", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        deployed(
          Effect.all([Durable.wait("long", "300 days"), Durable.wait("short", "1 second")], both),
          Durable.wait("short", "1 second")
        )
      )
      assert.strictEqual(failureOf(ran).errorType, "NonDeterministic")
      assert.include(failureOf(ran).errorMessage, `WAIT "long"`)
    })
  )

  it.effect("is NonDeterministic before any new effect runs", () =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const fresh = (name: string) =>
        Durable.step(
          name,
          Effect.sync(() => void ran.push(name))
        )
      const found = yield* execute(
        deployed(before(step("x")), Effect.all([fresh("y"), Effect.andThen(fresh("z"), pause)], both))
      )
      assertNonDeterministic(found, `STEP "x"`, `STEP "y"`, "Nothing new was done", "Durable.patched")
      assert.deepStrictEqual(ran, [])
    })
  )
})

describe("A replay that asks for more", () => {
  const inserted: Record<string, Program> = {
    "before what is recorded": Effect.all([step("new"), step("a"), step("b"), pause]),
    "between what is recorded": Effect.all([step("a"), step("new"), step("b"), pause]),
    "in a branch beside what is recorded": Effect.all([before(step("a"), step("b")), step("new")].toReversed())
  }
  for (const [name, changed] of Object.entries(inserted)) {
    it.effect(`is NonDeterministic when that stands ${name}`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(deployed(before(step("a"), step("b")), changed))
        assertNonDeterministic(ran, `STEP "new"`, `WAIT "pause"`)
      })
    )
  }

  it.effect("is in order when that stands after what is recorded, or beside it", () =>
    Effect.gen(function* () {
      const old = before(step("a"), step("b"))
      const changes: ReadonlyArray<Program> = [Effect.andThen(old, step("new")), Effect.all([old, step("new")], both)]
      for (const changed of changes) {
        const ran = yield* execute(deployed(old, changed))
        assertSucceeded(ran)
        assert.strictEqual(ran.operations.at(-1)?.Name, "new")
      }
    })
  )

  it.effect("is in order: operations of distinct names in another order", () =>
    Effect.gen(function* () {
      const ran = yield* execute(deployed(before(step("a"), step("b")), before(step("b"), step("a"))))
      assertSucceeded(ran)
    })
  )

  it.effect("is in order: another body, another duration, another policy", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        deployed(
          Effect.all([Durable.step("a", Effect.succeed(1)), Durable.wait("pause", "1 hour")]),
          Effect.all([
            Durable.step("a", Effect.succeed(2), { retry: RetryPolicy.none }),
            Durable.wait("pause", "2 days")
          ])
        )
      )
      assert.deepStrictEqual(valueOf(ran), [1, undefined])
    })
  )
})

/** Twenty recorded steps and a wait that never ends in these tests. */
const background = Effect.gen(function* () {
  for (let i = 1; i <= 20; i++) yield* step(`b${i}`)
  yield* Durable.wait("far away", "300 days")
})

describe("A program whose branches depend on timing completes, live as on every replay:", () => {
  const slowly = <A>(value: A) => Effect.delay(Effect.succeed(value), "10 seconds")
  const timing: Record<string, Program> = {
    "a raw race": Effect.raceFirst(Durable.step("winner", slowly("a")), background),
    "a raw race of which a wait is the winner": Effect.raceFirst(Durable.wait("winner", "5 minutes"), background),
    "a fail-fast Effect.all": Effect.exit(
      Effect.all([Effect.andThen(Durable.step("fails", slowly("f")), Effect.fail("fast")), background], both)
    ),
    "a fail-fast Effect.forEach": Effect.exit(
      Effect.forEach(
        [Effect.andThen(Durable.step("fails", slowly("f")), Effect.die("fast")), background],
        (branch) => branch,
        both
      )
    ),
    "Fiber.interrupt": Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(background)
      yield* Durable.step("main", slowly("m"))
      yield* Fiber.interrupt(fiber)
    }),
    "a fork that is never joined": Effect.gen(function* () {
      yield* Effect.forkChild(background)
      yield* Durable.step("main", slowly("m"))
    }),
    "a detached fork that is never joined": Effect.gen(function* () {
      yield* Effect.forkDetach(background)
      yield* Durable.step("main", slowly("m"))
    }),
    "a fork in a scope": Effect.scoped(
      Effect.gen(function* () {
        yield* Effect.forkScoped(background)
        yield* Durable.step("main", slowly("m"))
      })
    )
  }
  for (const [name, program] of Object.entries(timing)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const ran = yield* execute(Effect.andThen(program, pause))
        assertSucceeded(ran)
        assert.isAbove(ran.invocations, 1)
        assert.deepStrictEqual(ran.logs, [])
      })
    )
  }

  // On the replay the winner ends while the loser is still on its way to its first operation.
  const late = Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 50 }), background)
  const computing: Record<string, Program> = {
    "a raw race": Effect.raceFirst(Durable.step("winner", slowly("a")), late),
    "a fail-fast Effect.all": Effect.exit(
      Effect.all([Effect.andThen(Durable.step("fails", slowly("f")), Effect.fail("fast")), late], both)
    ),
    "Fiber.interrupt": Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(late)
      yield* Durable.step("main", slowly("m"))
      yield* Fiber.interrupt(fiber)
    }),
    "a fork that is never joined": Effect.gen(function* () {
      yield* Effect.forkChild(late)
      yield* Durable.step("main", slowly("m"))
    })
  }
  for (const [name, program] of Object.entries(computing)) {
    it.effect(`${name}, whose loser computes before its first operation`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(Effect.andThen(program, pause))
        assertSucceeded(ran)
        assert.deepStrictEqual(ran.logs, [])
      })
    )
  }

  it.effect("a raw time-out around a hold that takes longer on the replay", () =>
    Effect.gen(function* () {
      let invocation = 0
      const program = Effect.gen(function* () {
        const replay = ++invocation > 1
        yield* Effect.gen(function* () {
          yield* step("b1")
          if (replay) yield* Durable.hold(Effect.sleep("1 minute"))
          yield* step("b2")
          yield* step("b3")
          yield* Durable.step("long", Effect.sleep("1 minute"))
        }).pipe(Effect.timeout("10 seconds"), Effect.exit)
        yield* pause
      })
      const ran = yield* execute(program)
      assertSucceeded(ran)
      assert.deepStrictEqual(ran.logs, [])
    })
  )

  it.effect("inside a child", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.andThen(Durable.child("block", Effect.andThen(timing["a raw race"]!, pause).pipe(Effect.asVoid)), pause)
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(ran.logs, [])
    })
  )
})

describe("Finalizers that hold operations", () => {
  it.effect("run before what was recorded is compared with what was asked for", () =>
    Effect.gen(function* () {
      const tidy = Effect.gen(function* () {
        yield* Effect.addFinalizer(() => Effect.andThen(step("last"), pause))
        yield* Effect.acquireRelease(step("acquire"), () => step("release"))
        yield* Effect.ensuring(step("work"), step("ensured"))
      })
      const ran = yield* execute(Effect.scoped(tidy))
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 2)
      assert.deepStrictEqual(ran.logs, [])
      assert.deepStrictEqual(
        ran.operations.map((operation) => operation.Name),
        ["acquire", "work", "ensured", "release", "last", "pause"]
      )
    })
  )

  it.effect("may be those of the workflow itself, and may suspend", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.scoped(
          Effect.gen(function* () {
            yield* Effect.addFinalizer(() => Effect.andThen(pause, step("after")))
            yield* Durable.wait("first", "1 minute")
          })
        )
      )
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 3)
      assert.deepStrictEqual(
        ran.operations.map((operation) => operation.Name),
        ["first", "pause", "after"]
      )
    })
  )
})

describe("A replayed outcome", () => {
  it.effect("comes when no fiber can go on any more, so that a race starts the same branches live and on replay", () =>
    Effect.gen(function* () {
      const started: Array<string> = []
      const branch = (name: string) =>
        Effect.andThen(
          Effect.sync(() => void started.push(name)),
          step(name)
        )
      const ran = yield* execute(Effect.andThen(Effect.raceFirst(branch("a"), branch("b")), pause))
      assertSucceeded(ran)
      assert.deepStrictEqual(started, ["a", "b", "a", "b"])
    })
  )
})
