import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as FastCheck from "fast-check"
import { md5, operationId } from "../../src/execution/Identity.ts"
import { execute, failureOf, valueOf } from "../operations/support.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

describe("MD5", () => {
  it("is that of RFC 1321", () => {
    const suite: Record<string, string> = {
      "": "d41d8cd98f00b204e9800998ecf8427e",
      a: "0cc175b9c0f1b6a831c399e269772661",
      abc: "900150983cd24fb0d6963f7d28e17f72",
      "message digest": "f96b697d7cb7938d525a2f31aaf161d0",
      abcdefghijklmnopqrstuvwxyz: "c3fcd3d76192e4007dfb496cca67e13b",
      ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789: "d174ab98d277d9f5a5611c2c9f419d9f",
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890":
        "57edf4a22be3c955ac49da2e2107b67a"
    }
    for (const [text, digest] of Object.entries(suite)) assert.strictEqual(md5(text), digest)
  })

  it("agrees with Node's for any text of any length", () => {
    const check = (text: string): void =>
      assert.strictEqual(md5(text), createHash("md5").update(text, "utf8").digest("hex"))
    for (let length = 0; length < 130; length++) check("x".repeat(length))
    FastCheck.assert(FastCheck.property(FastCheck.string({ unit: "binary", maxLength: 300 }), check), {
      seed,
      numRuns: 200
    })
  })
})

describe("The id of an operation", () => {
  it("is the same for ever: golden vectors", () => {
    assert.strictEqual(operationId("", "charge", 0), "7703ec9140213197")
    assert.strictEqual(operationId("", "charge", 1), "c07685e846a4ed6d")
    assert.strictEqual(operationId("7703ec9140213197", "charge", 0), "8e1a466f0cbfb6b4")
    assert.strictEqual(operationId("7703ec9140213197", "", 0), "654fb0a1440ae1ae")
    assert.strictEqual(operationId("7703ec9140213197", "", 1), "98730decf004f0fe")
    assert.strictEqual(operationId("", "x".repeat(256), 2_999), "f36c73a8afebaa11")
  })

  it("tells names, occurrences and contexts apart, however they are cut", () => {
    const ids = new Set<string>()
    let made = 0
    for (const context of ["", "0", "1", "a"]) {
      for (const name of ["", "0", "1", "a", "a0", "a1", "1 1"]) {
        for (let occurrence = 0; occurrence < 12; occurrence++) {
          ids.add(operationId(context, name, occurrence))
          made++
        }
      }
    }
    assert.strictEqual(ids.size, made)
  })

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
    "of a fibre that is joined, once": [Effect.flatMap(Effect.forkChild(tick("n")), (fiber) => Fiber.join(fiber)), 1],
    "under a key for each concurrent branch": [
      Effect.forEach([1, 2, 3], (n) => tick(`n ${n}`), { concurrency: "unbounded" }),
      3
    ],
    "in a namespace for each round of a loop with a time-out": [
      Effect.forEach([1, 2, 3], () => Durable.child("round", Effect.timeout(tick("n"), "1 hour"), { flat: true })).pipe(
        Effect.orDie
      ),
      3
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

describe("One name, NameInUse on the first run, with the cure:", () => {
  const rounds = (round: Effect.Effect<unknown, never, Durable.Execution>) => Effect.forEach([1, 2], () => round)
  const rejected: Record<string, readonly [Effect.Effect<unknown, never, Durable.Execution>, string]> = {
    "in a loop of Effect.timeout": [rounds(Effect.orDie(Effect.timeout(tick("n"), "1 hour"))), "Durable.timeout"],
    "in a loop of Effect.raceFirst": [rounds(Effect.raceFirst(tick("n"), Effect.never)), "Durable.race"],
    "in a loop of fork and join": [
      rounds(Effect.flatMap(Effect.forkChild(tick("n")), (fiber) => Fiber.join(fiber))),
      "Durable.child"
    ],
    "in a concurrent Effect.all": [
      Effect.all([tick("n"), tick("n")], { concurrency: "unbounded" }),
      "Durable.forEach or Durable.all"
    ],
    "in a concurrent forEach": [
      Effect.forEach([1, 2, 3], () => tick("n"), { concurrency: 2 }),
      "Durable.forEach or Durable.all"
    ],
    "in a loop over pages of concurrent branches": [
      rounds(Effect.all([tick("a"), tick("b")], { concurrency: "unbounded" })),
      "Durable.child(name, block, { flat: true })"
    ],
    "in Effect.retry around concurrent branches": [
      Effect.suspend(() => {
        let attempts = 0
        const flaky = Effect.suspend(() => (++attempts < 3 ? Effect.fail("again") : Effect.void))
        return Effect.retry(Effect.andThen(Effect.all([tick("a"), tick("b")], { concurrency: "unbounded" }), flaky), {
          times: 5
        }).pipe(Effect.orDie)
      }),
      "Durable.child(name, block, { flat: true })"
    ],
    "by the workflow and by a fibre that it forked": [
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(tick("n"))
        yield* tick("n")
        yield* Fiber.join(fiber)
      }),
      "two fibres"
    ],
    "of concurrent children": [
      Effect.all([Durable.child("n", Effect.void), Durable.child("n", Effect.void, { flat: true })], {
        concurrency: "unbounded"
      }),
      "Durable.forEach or Durable.all"
    ]
  }
  for (const [name, [program, cure]] of Object.entries(rejected)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const ran = yield* execute(replayed(program))
        const failed = failureOf(ran)
        assert.strictEqual(failed.errorType, "NameInUse")
        assert.include(failed.errorMessage, cure)
        assert.strictEqual(ran.invocations, 1)
      })
    )
  }

  it.effect("with both places in the code, under the test engine", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Durable.step("n", Effect.void)
          yield* Effect.all([Durable.step("m", Effect.void), Durable.step("n", Effect.void)], {
            concurrency: "unbounded"
          })
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
      const ran = yield* execute(
        Durable.child("block", Effect.all([tick("n"), tick("n")], { concurrency: "unbounded", discard: true }))
      )
      assert.include(failureOf(ran).errorMessage, `"block"`)
    })
  )
})
