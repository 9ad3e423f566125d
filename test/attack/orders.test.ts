/**
 * Orders whose parts are undone, attacked with Effect's own concurrency, retries, resources and time-outs around them: what was
 * done is undone, the last first, and nothing else is.
 */
import { describe } from "@effect/vitest"
import { CompletionPolicy, Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import { Refused } from "../support/host.ts"
import { attacks, both, hours, part } from "./everyWay.ts"

describe("the same in every way: an order", () => {
  attacks({
    "three parts in Effect.all, the second fails while the third is on its way": {
      program: (kit) =>
        Effect.all(
          [
            part(kit, "a", 1),
            Effect.andThen(hours("b", 2), kit.failing("b")),
            Effect.andThen(part(kit, "c", 1), part(kit, "d", 3))
          ],
          both
        ),
      ends: "failed as Refused: ",
      log: ["do a", "do c", "b", "undo c", "undo a"]
    },
    "two parts at a time, of six, and the fourth fails": {
      program: (kit) =>
        Effect.forEach(
          [3, 1, 2, 4, 1.2, 1],
          (time, index) =>
            index === 3 ? Effect.andThen(hours("four", 1), kit.failing("four")) : part(kit, `p${index}`, time, 1),
          { concurrency: 2 }
        ),
      ends: "failed as Refused: ",
      log: ["do p1", "do p0", "do p2", "four", "undo p2", "undo p0", "undo p1"]
    },
    "a part in a part, the outer one fails after the inner one": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* part(kit, "first")
          yield* Effect.exit(
            Durable.withCompensation("outer", Effect.andThen(part(kit, "inner", 1), kit.failing("outer")), () =>
              kit.step("undo outer")
            )
          )
          yield* part(kit, "last", 1)
          return yield* kit.failing("pay")
        }),
      ends: "failed as Refused: ",
      log: ["do first", "do inner", "outer", "do last", "pay", "undo last", "undo inner", "undo first"]
    },
    "an error that is caught undoes nothing, and the next one undoes all": {
      program: (kit) =>
        Effect.gen(function* () {
          const tries = yield* Ref.make(0)
          yield* Effect.retry(
            Effect.gen(function* () {
              const n = yield* Ref.updateAndGet(tries, (count) => count + 1)
              yield* part(kit, `try ${n}`, 1)
              if (n < 3) yield* kit.failing(`try ${n} fails`)
            }),
            Schedule.spaced("2 hours")
          )
          yield* hours("afterwards", 5)
          return yield* kit.failing("pay")
        }),
      ends: "failed as Refused: ",
      log: [
        "do try 1",
        "try 1 fails",
        "do try 2",
        "try 2 fails",
        "do try 3",
        "pay",
        "undo try 3",
        "undo try 2",
        "undo try 1"
      ]
    },
    "a saga that succeeds after errors undoes nothing": {
      program: (kit) =>
        Effect.gen(function* () {
          const exit = yield* Effect.exit(
            Effect.all([part(kit, "a", 1), Effect.andThen(hours("b", 2), kit.failing("b"))], both)
          )
          return exit._tag
        }),
      ends: "Failure",
      log: ["do a", "b"]
    },
    "a part in a map with a quorum, in a time-out, in a race": {
      program: (kit) =>
        Effect.gen(function* () {
          const quorum = Durable.map(
            "quorum",
            [1, 5, 2, 9],
            (time, index) => Effect.asVoid(part(kit, `m${index}`, time)),
            {
              policy: CompletionPolicy.make({ minSuccessful: 2 })
            }
          )
          const winner = yield* Effect.raceFirst(
            Effect.map(
              Effect.orDie(
                Durable.timeout(
                  "limit",
                  Effect.map(quorum, (r) => r.successCount),
                  "4 hours"
                )
              ),
              String
            ),
            Effect.as(hours("other", 3), "other")
          )
          yield* hours("later", 4)
          if (winner !== "other") return yield* kit.failing(`pay ${winner}`)
          return winner
        }),
      ends: "failed as Refused: ",
      log: ["do m0", "do m2", "pay 2", "undo m2", "undo m0"]
    },
    "a part whose own step is cut off by a sibling is not undone, that of a forked sibling is": {
      program: (kit) =>
        Effect.gen(function* () {
          const background = yield* Effect.forkChild(Effect.andThen(part(kit, "background", 1), hours("lingers", 50)))
          const exit = yield* Effect.exit(
            Effect.all(
              [
                Durable.withCompensation("slow", kit.step("do slow", { takes: "5 hours" }), () =>
                  kit.step("undo slow")
                ),
                Effect.andThen(kit.step("quick", { takes: "2 hours" }), kit.failing("quick fails"))
              ],
              both
            )
          )
          yield* hours("look", 1)
          yield* Fiber.interrupt(background)
          return yield* kit.failing(exit._tag)
        }),
      ends: "failed as Refused: "
    },
    "acquireRelease around steps, whose release is a step": {
      program: (kit) =>
        Effect.gen(function* () {
          const result = yield* Effect.exit(
            Effect.scoped(
              Effect.gen(function* () {
                const lock = yield* Effect.acquireRelease(kit.step("lock"), (name, exit) =>
                  kit.step(`un${name} ${exit._tag}`)
                )
                yield* Effect.acquireRelease(kit.step("second"), () =>
                  Effect.andThen(hours("slow release", 1), kit.step("release second"))
                )
                yield* hours("work", 2)
                yield* part(kit, "work", 1)
                return yield* kit.failing(lock)
              })
            )
          )
          yield* hours("between", 1)
          if (Exit.isFailure(result)) yield* kit.failing("all")
        }),
      ends: "failed as Refused: ",
      log: ["lock", "second", "do work", "lock", "release second", "unlock Failure", "all", "undo work"]
    },
    "finalizers of both kinds in a branch that times out, and then an undo": {
      program: (kit) =>
        Effect.gen(function* () {
          const branch = Effect.gen(function* () {
            yield* part(kit, "a", 1)
            yield* hours("stuck", 100)
          }).pipe(
            Effect.onInterrupt(() => kit.step("raw finalizer")),
            (self) => Durable.onExit(self, () => Effect.andThen(hours("tidy", 1), kit.step("durable finalizer")))
          )
          yield* Effect.exit(Effect.timeout(branch, "3 hours"))
          yield* kit.time("after the time-out")
          return yield* kit.failing("pay")
        }),
      ends: "failed as Refused: ",
      log: ["do a", "raw finalizer", "durable finalizer", "pay", "undo a"]
    },
    "attempts of a Durable.retry with parts side by side": {
      program: (kit) =>
        Effect.gen(function* () {
          let attempt = 0
          yield* Durable.retry(
            "attempts",
            Effect.suspend(() => {
              const n = ++attempt
              return Effect.all(
                [
                  part(kit, `x${n}`, 2),
                  Effect.andThen(hours("y", 3), n === 3 ? kit.step("fine") : kit.failing(`no ${n}`)),
                  part(kit, `z${n}`, 1)
                ],
                both
              ).pipe(Effect.asVoid)
            }),
            RetryPolicy.fixed({ maxAttempts: 5, delay: "1 hour" }),
            { error: Refused }
          )
          return yield* kit.failing("pay")
        }),
      ends: "failed as Refused: ",
      log: [
        "do z1",
        "do x1",
        "no 1",
        "do z2",
        "do x2",
        "no 2",
        "do z3",
        "do x3",
        "fine",
        "pay",
        "undo x3",
        "undo z3",
        "undo x2",
        "undo z2",
        "undo x1",
        "undo z1"
      ]
    },
    "an undo whose own step is tried again beside an undo that fails": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Durable.withCompensation("one", kit.step("do one"), () =>
            Durable.step(
              "undo one",
              Effect.flatMap(Durable.StepContext, ({ attempt }) =>
                attempt < 3 ? Effect.die(new Error("no")) : kit.log("undone")
              ),
              {
                retry: RetryPolicy.fixed({ maxAttempts: 3, delay: "1 hour" })
              }
            )
          )
          yield* Durable.withCompensation("two", kit.step("do two"), () => Effect.fail("impossible"))
          yield* part(kit, "three", 0, 2)
          return yield* Effect.die(new Error("boom"))
        }),
      ends: 'failed as Error: boom The compensation failed as well, so it is still done: "two" (Defect: impossible).',
      log: ["do one", "do two", "do three", "undo three", "undone"]
    }
  })
})
