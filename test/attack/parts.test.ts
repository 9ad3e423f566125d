/**
 * Parts of the business that end oddly, attacked where it is not plain whether they are done: each that is done in part or as a
 * whole is undone, or named in the failure.
 */
import { describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable, DurableFunction } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { atEveryRequest, differenceIn, Refused, type Kit, type Program } from "../support/host.ts"
import { attacks, both, hours, part, reasonsOf } from "./everyWay.ts"

const Bank = DurableFunction.plain("bank", { payload: Schema.Unknown, success: Schema.String, error: Refused })

describe("the same in every way: a part", () => {
  attacks({
    "that fails by itself while others of its fibers are interrupted is not named": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Effect.exit(
            Durable.withCompensation(
              "p",
              Effect.all(
                [Effect.andThen(kit.step("a"), hours("long", 9)), Effect.andThen(hours("w", 1), kit.failing("b"))],
                both
              ),
              () => kit.step("undo p")
            )
          )
          yield* hours("v", 1)
          return yield* Effect.die(new Error("pay"))
        }),
      ends: "failed as Error: pay",
      log: ["a", "b"]
    },
    "that gives up by a time-out of its own is done": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Durable.withCompensation(
            "p",
            Effect.andThen(kit.step("a"), Effect.timeoutOption(hours("long", 9), "1 hour")),
            () => kit.step("undo p")
          )
          yield* hours("v", 1)
          return yield* Effect.die(new Error("pay"))
        }),
      ends: "failed as Error: pay",
      log: ["a", "undo p"]
    },
    "that was interrupted in its middle, although it did all that it does, is named": {
      program: (kit) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(
            Durable.withCompensation(
              "p",
              Effect.andThen(
                kit.step("a"),
                Effect.uninterruptibleMask((restore) =>
                  Effect.andThen(Effect.exit(restore(hours("long", 9))), kit.step("b"))
                )
              ),
              () => kit.step("undo p")
            )
          )
          yield* hours("w", 1)
          yield* Fiber.interrupt(fiber)
          yield* hours("v", 1)
          return yield* Effect.die(new Error("pay"))
        }),
      ends: 'failed as Error: pay The compensation failed as well, so it is still done: "p" (cut off after some of its operations were recorded).',
      log: ["a", "b"]
    },
    "with an acquireRelease and a raw finalizer of steps in it": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Durable.withCompensation(
            "p",
            Effect.scoped(
              Effect.andThen(
                Effect.acquireRelease(kit.step("lock"), () => kit.step("unlock")),
                Effect.andThen(hours("w", 1), kit.step("a"))
              )
            ),
            () => kit.step("undo p")
          )
          yield* Durable.race("race", [
            Durable.withCompensation(
              "q",
              Effect.scoped(
                Effect.andThen(
                  Effect.acquireRelease(kit.step("lock q"), () => kit.step("unlock q")),
                  Effect.andThen(kit.step("b"), Effect.asVoid(hours("w", 9)))
                )
              ),
              () => kit.step("undo q")
            ),
            hours("v", 1)
          ])
          return yield* Effect.die(new Error("pay"))
        }),
      ends: 'failed as Error: pay The compensation failed as well, so it is still done: "race[0]/q" (cut off after some of its operations were recorded).'
    },
    "of several in a stream with concurrency, which a failing item ends": {
      program: (kit) =>
        Stream.range(1, 6).pipe(
          Stream.mapEffect(
            (n) =>
              Effect.andThen(
                hours(`w ${n}`, ((n * 3) % 5) + n * 0.1),
                n === 5 ? kit.failing("five") : part(kit, String(n), 0, 1)
              ),
            { concurrency: 3 }
          ),
          Stream.runDrain
        ),
      ends: "failed as Refused: "
    },
    "whose undo needs a call, a callback and a nap, while the bank is closed": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Durable.withCompensation("p", kit.step("a"), () =>
            Effect.gen(function* () {
              yield* Effect.retry(Durable.invoke(Bank, "refund"), { schedule: Schedule.spaced("1 hour"), times: 4 })
              yield* Effect.sleep("300 millis")
              const answer = yield* Durable.waitForCallback("ask", () => kit.log("ask"))
              yield* kit.step(`undo ${answer}`)
            })
          )
          yield* hours("v", 1)
          return yield* Effect.die(new Error("pay"))
        }),
      parts: [
        TestEngine.stub(Bank, [
          Reply.throttle,
          Reply.fail({ ErrorType: "Closed", ErrorMessage: "" }),
          Reply.succeed("ok")
        ]),
        TestEngine.answer("ask", Reply.after("3 hours", Reply.succeed("yes")))
      ],
      ends: "failed as Error: pay",
      log: ["a", "ask", "undo yes"]
    },
    "is undone for the same reason at every replay": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Durable.withCompensation("p", kit.step("do"), (value, cause) =>
            Effect.gen(function* () {
              yield* kit.tell("before", reasonsOf(cause))
              yield* hours("u", 1)
              yield* kit.tell("after", reasonsOf(cause))
              yield* kit.step(`undo ${value} ${reasonsOf(cause).join()}`)
            })
          )
          return yield* Effect.all(
            [kit.failing("s"), Effect.onInterrupt(hours("w", 1), () => Effect.die(new TypeError("t")))],
            both
          )
        }),
      ends: "failed as Refused: Refused"
    },
    "is undone after finalizers in the scope of the workflow, which take hours and do a part": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Effect.addFinalizer((exit) => Effect.andThen(hours("first", 1), kit.step(`first ${exit._tag}`)))
          yield* part(kit, "a", 0, 1)
          yield* Effect.addFinalizer(() => Effect.andThen(hours("second", 1), part(kit, "in a finalizer")))
          yield* hours("w", 1)
          return yield* kit.failing("pay")
        }),
      ends: "failed as Refused: ",
      log: ["do a", "pay", "do in a finalizer", "first Failure", "undo in a finalizer", "undo a"]
    },
    "is undone if a finalizer in the scope of the workflow fails after a success": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* part(kit, "a", 0, 1)
          yield* Effect.addFinalizer(() =>
            Effect.andThen(
              hours("f", 1),
              Effect.andThen(kit.step("finalizer"), Effect.die(new Error("in a finalizer")))
            )
          )
          yield* hours("w", 1)
          return "fine"
        }),
      bare: true,
      ends: "failed as Error: in a finalizer",
      log: ["do a", "finalizer", "undo a"]
    }
  })
})

/** A part of which the execution may not hear any more, named by what it found in the memory of the workflow. */
const unheard = (kit: Kit, found: Effect.Effect<number>): Effect.Effect<string, never, Durable.Execution> =>
  Effect.flatMap(found, (n) => Durable.withCompensation("p", kit.step(`do ${n}`), () => kit.step(`undo ${n}`)))

/** Loses a race against a step of its own length, whereupon the workflow changes what it found, and fails. */
const changed: Readonly<Record<string, Program>> = {
  "a Ref": (kit) =>
    Effect.gen(function* () {
      const ref = yield* Ref.make(1)
      yield* Durable.race("race", [kit.step("winner"), unheard(kit, Ref.get(ref))])
      yield* Ref.set(ref, 2)
    }),
  "an item of a Queue": (kit) =>
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded<number>()
      yield* Queue.offer(queue, 1)
      yield* Durable.race("race", [kit.step("winner"), unheard(kit, Queue.take(queue))])
    }),
  "a permit that is never given back": (kit) =>
    Effect.gen(function* () {
      const semaphore = yield* Semaphore.make(1)
      yield* Durable.race("race", [kit.step("winner"), semaphore.withPermits(1)(unheard(kit, Effect.succeed(1)))])
      yield* semaphore.take(1)
    }),
  "a Ref, in a race of Effect": (kit) =>
    Effect.gen(function* () {
      const ref = yield* Ref.make(1)
      yield* Effect.raceFirst(
        kit.step("winner"),
        unheard(
          kit,
          Ref.getAndUpdate(ref, (n) => n + 1)
        )
      )
      yield* Ref.set(ref, 7)
    }),
  "a Ref, in a batch with a quorum of one": (kit) =>
    Effect.gen(function* () {
      const ref = yield* Ref.make(1)
      const item = (n: number) => (n === 1 ? kit.step("winner") : unheard(kit, Ref.get(ref)))
      yield* Durable.map("map", [1, 2, 3], item, { policy: CompletionPolicy.firstSuccessful })
      yield* Ref.set(ref, 2)
    })
}

describe("a part that was let go of unheard is undone or named, although the workflow has changed what it found", () => {
  for (const [name, program] of Object.entries(changed)) {
    const fails: Program = (kit) => Effect.andThen(program(kit), Effect.andThen(hours("w", 1), kit.failing("pay")))
    it.effect(name, () =>
      atEveryRequest(fails, (ran) => {
        const ended = (pattern: RegExp) =>
          ran.operations.filter(({ path, status }) => pattern.test(path) && status === "SUCCEEDED").length
        const done = ended(/(^|\/)do \d$/)
        const undone = ended(/\/undo \d$/)
        const named = (ran.outcome.match(/cut off/g) ?? []).length
        const verdict = done === undone + named ? undefined : `${done} done, ${undone} undone, ${named} named`
        return differenceIn(ran) ?? verdict
      })
    )
  }
})
