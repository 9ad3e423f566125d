import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as FastCheck from "fast-check"
import { operationId } from "../../src/execution/Identity.ts"
import { execute, failureOf, valueOf } from "../operations/support.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

describe("The id of an operation", () => {
  it.effect("is made of the context, the name and how often the name was used before", () =>
    Effect.gen(function* () {
      const leaf = Durable.step("leaf", Effect.succeed(1))
      const ran = yield* execute(
        Effect.all([
          leaf,
          leaf,
          Durable.child("block", Effect.andThen(leaf, leaf)),
          Durable.child("flat", leaf, { flat: true }),
          Durable.child("flat", leaf, { flat: true })
        ])
      )
      const block = operationId("", "block", 0)
      assert.deepStrictEqual(
        ran.operations.map((operation) => [operation.Id, operation.ParentId]),
        [
          [operationId("", "leaf", 0), undefined],
          [operationId("", "leaf", 1), undefined],
          [block, undefined],
          [operationId(block, "leaf", 0), block],
          [operationId(block, "leaf", 1), block],
          [operationId(operationId("", "flat", 0), "leaf", 0), undefined],
          [operationId(operationId("", "flat", 1), "leaf", 0), undefined]
        ]
      )
    })
  )

  it.effect("is made of the index for the branches of a race", () =>
    Effect.gen(function* () {
      const Charge = DurableFunction.plain("charge")
      const Pay = DurableFunction.make("pay")
      const pay = Pay.implement(() => Effect.orDie(Durable.invoke(Charge, undefined, { timeout: "1 hour" })))
      const operations = yield* Effect.gen(function* () {
        const run = yield* TestEngine.start(Pay)
        yield* run.result
        return yield* run.operations()
      }).pipe(Effect.provide(TestEngine.layer([pay, TestEngine.stub(Charge, () => Effect.void)])))
      const race = operationId("", "charge", 0)
      assert.deepStrictEqual(
        operations.map((operation) => [operation.Type, operation.Id, operation.ParentId]),
        [
          ["CONTEXT", race, undefined],
          ["CHAINED_INVOKE", operationId(operationId(race, "", 0), "charge", 0), race],
          ["WAIT", operationId(operationId(race, "", 1), "timeout", 0), race]
        ]
      )
    })
  )

  it.effect("does not depend on timing", () =>
    Effect.gen(function* () {
      const random = FastCheck.sample(FastCheck.infiniteStream(FastCheck.integer({ min: 0, max: 9_000 })), {
        seed,
        numRuns: 1
      })[0]!
      const pause = Effect.suspend(() => Effect.sleep(random.next().value ?? 0))
      const chain = (name: string) =>
        Effect.gen(function* () {
          const first = yield* Durable.step(`${name} first`, Effect.as(pause, name))
          yield* Durable.wait(`${name} wait`, "1 second")
          yield* Durable.step(`${name} again`, pause)
          yield* Durable.step(`${name} again`, pause)
          return yield* Durable.child(name, Durable.step("last", Effect.as(pause, `${first}!`)))
        })
      const program = Effect.all(["a", "b", "c"].map(chain), { concurrency: "unbounded" })
      const ids = new Set<string>()
      for (let i = 0; i < 15; i++) {
        const ran = yield* execute(program)
        assert.deepStrictEqual(valueOf(ran), ["a!", "b!", "c!"])
        ids.add(
          ran.operations
            .map((operation) => `${operation.Name} ${operation.Id} ${operation.ParentId}`)
            .sort()
            .join("\n")
        )
      }
      assert.strictEqual(ids.size, 1)
    })
  )
})

const both = { concurrency: "unbounded" } as const
const rounds = (round: Effect.Effect<unknown, never, Durable.Execution>) => Effect.forEach([1, 2], () => round)
const tick = (name: string) => Durable.step(name, Effect.succeed(name))
const replayed = <A, E>(program: Effect.Effect<A, E, Durable.Execution>) =>
  Effect.tap(program, Durable.wait("replay", "1 second"))

describe("One name, accepted:", () => {
  const accepted: Record<string, readonly [Effect.Effect<unknown, never, Durable.Execution>, number]> = {
    "used one after the other": [Effect.andThen(tick("n"), Effect.andThen(tick("n"), tick("n"))), 3],
    "in a loop of the workflow itself": [
      Effect.gen(function* () {
        for (let i = 0; i < 4; i++) yield* tick("n")
      }),
      4
    ],
    "in a sequential forEach": [Effect.forEach([1, 2, 3], () => tick("n")), 3],
    "in a sequential Effect.all": [Effect.all([tick("n"), tick("n")]), 2],
    "in Effect.repeat": [Effect.repeat(tick("n"), Schedule.recurs(2)), 3],
    "in Effect.retry": [
      Effect.suspend(() => {
        let attempts = 0
        return Effect.retry(
          Effect.andThen(
            tick("n"),
            Effect.suspend(() => (++attempts < 3 ? Effect.fail("again") : Effect.void))
          ),
          { times: 5 }
        ).pipe(Effect.orDie)
      }),
      3
    ],
    "in Effect.forever with an end": [
      Effect.suspend(() => {
        let rounds = 0
        return Effect.forever(
          Effect.andThen(
            tick("n"),
            Effect.suspend(() => (++rounds < 3 ? Effect.void : Effect.fail("end")))
          )
        ).pipe(Effect.ignore)
      }),
      3
    ],
    "in a Stream": [Stream.runDrain(Stream.mapEffect(Stream.make(1, 2, 3), () => tick("n"))), 3],
    "in a paged Stream": [
      Stream.runDrain(
        Stream.paginate(0, (page) =>
          Effect.map(tick("n"), () => [[page], page < 2 ? Option.some(page + 1) : Option.none<number>()] as const)
        )
      ),
      3
    ],
    "in finalizers": [
      Effect.scoped(
        Effect.gen(function* () {
          yield* Effect.acquireRelease(tick("n"), () => tick("n"))
          yield* Effect.addFinalizer(() => tick("n"))
          yield* Effect.ensuring(tick("n"), tick("n"))
        })
      ),
      5
    ],
    "in two children that run side by side": [
      Effect.all([Durable.child("a", tick("n")), Durable.child("b", tick("n"), { flat: true })], {
        concurrency: "unbounded"
      }),
      3
    ],
    "of a fiber that is joined, once": [Effect.flatMap(Effect.forkChild(tick("n")), (fiber) => Fiber.join(fiber)), 1],
    "under a key for each concurrent branch": [
      Effect.forEach([1, 2, 3], (n) => tick(`n ${n}`), { concurrency: "unbounded" }),
      3
    ],
    "in a namespace for each round of a loop with a time-out": [
      Effect.forEach([1, 2, 3], () => Durable.child("round", Effect.timeout(tick("n"), "1 hour"), { flat: true })).pipe(
        Effect.orDie
      ),
      // The time-outs of Effect are operations as well.
      6
    ],
    "in a loop of Effect.timeout": [rounds(Effect.orDie(Effect.timeout(tick("n"), "1 hour"))), 4],
    "in a loop of Effect.raceFirst": [rounds(Effect.raceFirst(tick("n"), Effect.never)), 2],
    "in a loop of fork and join": [
      rounds(Effect.flatMap(Effect.forkChild(tick("n")), (fiber) => Fiber.join(fiber))),
      2
    ],
    "in a concurrent Effect.all": [Effect.all([tick("n"), tick("n")], both), 2],
    "in a concurrent forEach": [Effect.forEach([1, 2, 3], () => tick("n"), { concurrency: 2 }), 3],
    "in a loop over pages of concurrent branches": [rounds(Effect.all([tick("a"), tick("b")], both)), 4],
    "in Effect.retry around concurrent branches": [
      Effect.suspend(() => {
        let attempts = 0
        const flaky = Effect.suspend(() => (++attempts < 3 ? Effect.fail("again") : Effect.void))
        return Effect.retry(Effect.andThen(Effect.all([tick("a"), tick("b")], both), flaky), { times: 5 }).pipe(
          Effect.orDie
        )
      }),
      6
    ],
    "by the workflow and by a fiber that it forked": [
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(tick("n"))
        yield* tick("n")
        yield* Fiber.join(fiber)
      }),
      2
    ],
    "of concurrent children": [
      Effect.all([Durable.child("n", Effect.void), Durable.child("n", tick("inside"), { flat: true })], both),
      2
    ]
  }
  for (const [name, [program, operations]] of Object.entries(accepted)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const ran = yield* execute(replayed(program))
        valueOf(ran)
        assert.strictEqual(ran.invocations, 2)
        assert.lengthOf(ran.operations, operations + 1)
        assert.lengthOf(new Set(ran.operations.map((operation) => operation.Id)), operations + 1)
        assert.deepStrictEqual(ran.logs, [])
      })
    )
  }
})

describe("One name, NameInUse on the first run, because promises decide who comes first:", () => {
  const kept = Effect.promise(() => new Promise<void>((resolve) => void setImmediate(resolve)))
  const late = (name: string) => Effect.andThen(kept, tick(name))
  const rejected: Record<string, Effect.Effect<unknown, never, Durable.Execution>> = {
    "in two branches after a promise each": Effect.all([late("n"), late("n")], both),
    "in a branch after a promise, and after a step in another": Effect.all(
      [Effect.andThen(tick("first"), tick("n")), late("n")],
      both
    ),
    "by the workflow after a step, and after a promise by a fiber that it forked": Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(late("n"))
      yield* tick("first")
      yield* tick("n")
      yield* Fiber.join(fiber)
    }),
    "in concurrent children that begin after promises": Effect.all(
      [Effect.andThen(kept, Durable.child("n", Effect.void)), Effect.andThen(kept, Durable.child("n", Effect.void))],
      both
    )
  }
  for (const [name, program] of Object.entries(rejected)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const ran = yield* execute(replayed(program))
        const failed = failureOf(ran)
        assert.strictEqual(failed.errorType, "NameInUse")
        for (const cure of ["into a Durable.step", "a key into the name", "Durable.forEach"]) {
          assert.include(failed.errorMessage, cure)
        }
        assert.strictEqual(ran.invocations, 1)
      })
    )
  }

  const kind: Record<string, Effect.Effect<unknown, never, Durable.Execution>> = {
    "not when one fiber alone uses it": Effect.andThen(Effect.andThen(tick("n"), late("n")), late("n")),
    "not when the promises are steps": Effect.all(
      ["a", "b"].map((key) => Effect.andThen(Durable.step(key, kept), tick("n"))),
      both
    ),
    "not when one had it before the other one began to wait for a promise": Effect.all([tick("n"), late("n")], both),
    "not by the workflow before a promise, and after that under Effect.timeout": Effect.gen(function* () {
      yield* tick("n")
      yield* kept
      yield* Effect.orDie(Effect.timeout(tick("n"), "1 day"))
    }),
    "not under Effect.timeout before a promise, and after that by the workflow": Effect.gen(function* () {
      yield* Effect.orDie(Effect.timeout(tick("n"), "1 day"))
      yield* kept
      yield* tick("n")
    }),
    "not after a hold": Effect.gen(function* () {
      yield* tick("n")
      yield* Durable.hold(Effect.sleep(5))
      yield* Effect.orDie(Effect.timeout(tick("n"), "1 day"))
    }),
    "not under two time-outs after a promise": Effect.gen(function* () {
      yield* kept
      yield* Effect.orDie(Effect.timeout(tick("n"), "1 day"))
      yield* Effect.orDie(Effect.timeout(tick("n"), "1 day"))
    }),
    "not after a promise in a branch, and after that by who waited for the branch": Effect.gen(function* () {
      yield* Effect.all([Effect.andThen(late("n"), Durable.wait("w", "1 hour")), tick("first")], both)
      yield* Effect.orDie(Effect.timeout(tick("n"), "1 day"))
    }),
    "not under keys": Effect.all([late("n a"), late("n b")], both)
  }
  for (const [name, program] of Object.entries(kind)) {
    it.effect(name, () => Effect.map(execute(replayed(program)), (ran) => void valueOf(ran)))
  }

  it.effect("with both places in the code, under the test engine", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Effect.andThen(kept, Durable.step("n", Effect.void)))
          yield* Durable.step("first", Effect.void)
          yield* Durable.step("n", Effect.void)
          yield* Fiber.join(fiber)
        })
      )
      assert.match(
        failureOf(ran).errorMessage ?? "",
        /First used at .*identity\.test\.ts:\d+.*now at .*identity\.test\.ts:\d+/
      )
    })
  )

  it.effect("with the context in which the name stands", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.child("block", Effect.all([late("n"), late("n")], { ...both, discard: true })))
      assert.include(failureOf(ran).errorMessage, `"block"`)
    })
  )
})
