/**
 * Callbacks and calls, attacked with answers that come too early, too late and in one instant with a time-out, and with fibers
 * that share them, compete for them and give up.
 */
import { describe } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Refused } from "../support/host.ts"
import { attacks, both, hours } from "./everyWay.ts"

const Bank = DurableFunction.plain("bank", { payload: Schema.Unknown, success: Schema.String, error: Refused })

const text = (value: string) => Reply.succeed(value)

describe("the same in every way: callbacks", () => {
  attacks({
    "an answer long before anybody waits for it": {
      program: (kit) =>
        Effect.gen(function* () {
          const asked = yield* Durable.callback("ask")
          yield* kit.step("told")
          yield* hours("busy", 48)
          const first = yield* asked.await
          yield* kit.time("answered")
          yield* hours("more", 1)
          return [first, yield* asked.await]
        }).pipe(Effect.orDie),
      parts: [TestEngine.answer("ask", Reply.after("1 hour", text("yes")))],
      ends: ["yes", "yes"],
      log: ["told"]
    },
    "an answer in the very hour of a sleep that it races": {
      program: (kit) =>
        Effect.gen(function* () {
          const asked = yield* Durable.callback("ask")
          const winner = yield* Effect.raceFirst(asked.await, Effect.as(Effect.sleep("1 hour"), "late"))
          yield* kit.step(winner)
          return yield* asked.await
        }).pipe(Effect.orDie),
      parts: [TestEngine.answer("ask", Reply.after("1 hour", text("yes")))],
      ends: "yes",
      except: ["awake", "killed", "strict"]
    },
    "reminders each hour until somebody answers, counted in a Ref": {
      program: (kit) =>
        Effect.gen(function* () {
          const asked = yield* Durable.callback("ask", { timeout: "1 day" })
          const sent = yield* Ref.make(0)
          const remind = Effect.gen(function* () {
            const n = yield* Ref.updateAndGet(sent, (count) => count + 1)
            yield* kit.step(`remind ${n}`)
          })
          const answer = yield* Effect.raceFirst(
            asked.await,
            Effect.forever(Effect.andThen(Effect.sleep("1 hour"), remind))
          )
          return [answer, yield* Ref.get(sent)]
        }).pipe(Effect.orDie),
      parts: [TestEngine.answer("ask", Reply.after("150 minutes", text("yes")))],
      ends: ["yes", 2],
      log: ["remind 1", "remind 2"]
    },
    "one callback that a fiber, a child and two items wait for": {
      program: (kit) =>
        Effect.gen(function* () {
          const asked = yield* Durable.callback("ask")
          const [a, b, c] = yield* Effect.all(
            [
              Effect.tap(asked.await, (found) => kit.step(`fiber ${found}`)),
              Effect.tap(Durable.child("child", asked.await), (found) => kit.step(`child ${found}`)),
              Durable.forEach("items", [1, 2], (n) => Effect.tap(asked.await, () => kit.step(`item ${n}`)), both)
            ],
            both
          )
          return [a, b, c]
        }).pipe(Effect.orDie),
      parts: [TestEngine.answer("ask", Reply.after("5 hours", text("yes")))],
      ends: ["yes", "yes", ["yes", "yes"]]
    },
    "waitForCallback is tried again with a Schedule, and the third answer is good": {
      program: (kit) =>
        Effect.gen(function* () {
          const ask = Durable.waitForCallback("ask", () => kit.log("asked"), { error: Refused, timeout: "3 hours" })
          return yield* Effect.retry(ask, { schedule: Schedule.exponential("1 hour"), times: 5 })
        }).pipe(Effect.orDie),
      parts: [
        TestEngine.answer(
          "ask",
          [Reply.after("1 hour", Reply.fail(new Refused({ why: "no" }))), Reply.never, text("yes")],
          { error: Refused }
        )
      ],
      ends: "yes",
      log: ["asked", "asked", "asked"]
    },
    "the callback's own time-out, an Effect.timeout and a wait of one length": {
      program: (kit) =>
        Effect.gen(function* () {
          const asked = yield* Durable.callback("ask", { timeout: "1 hour" })
          const [found, limit] = yield* Effect.all(
            [
              Effect.exit(asked.await),
              Effect.exit(Effect.timeout(Effect.exit(asked.await), "1 hour")),
              Effect.andThen(hours("wait", 1), kit.step("waited"))
            ],
            both
          )
          return [found._tag, limit._tag]
        }),
      parts: [TestEngine.answer("ask", Reply.never)],
      ends: ["Failure", "Success"]
    },
    "a race of two approvers, of whom the loser answers later": {
      program: (kit) =>
        Effect.gen(function* () {
          const won = yield* Durable.raceFirst("approvers", [
            Durable.waitForCallback("ann", () => kit.log("ask ann")),
            Durable.waitForCallback("bob", () => kit.log("ask bob"))
          ])
          yield* kit.step(`won ${won}`)
          yield* hours("later", 30)
          return won
        }).pipe(Effect.orDie),
      parts: [
        TestEngine.answer("ann", Reply.after("7 hours", text("Ann"))),
        TestEngine.answer("bob", Reply.after("3 hours", text("Bob")))
      ],
      ends: "Bob",
      log: ["ask ann", "ask bob", "won Bob"]
    },
    "heartbeats that stop": {
      program: (kit) =>
        Effect.gen(function* () {
          const exit = yield* Effect.exit(
            Durable.waitForCallback("ask", () => kit.log("ask"), { heartbeatTimeout: "2 hours", timeout: "3 days" })
          )
          yield* kit.time("silence")
          return Exit.isFailure(exit)
        }),
      parts: [
        TestEngine.answer("ask", ({ heartbeat }) =>
          Effect.andThen(
            Effect.repeat(Effect.delay(heartbeat, "1 hour"), { times: 3 }),
            Effect.delay(Effect.succeed("late"), "9 days")
          )
        )
      ],
      ends: true,
      log: ["ask"]
    }
  })
})

describe("the same in every way: calls", () => {
  attacks({
    "a call is retried with a Schedule until the bank is open": {
      program: (kit) =>
        Effect.gen(function* () {
          const paid = yield* Effect.retry(Durable.invoke(Bank, 1), {
            schedule: Schedule.exponential("10 minutes"),
            while: (error) => error._tag === "InvokeFailed"
          })
          yield* kit.step(paid)
          return paid
        }).pipe(Effect.orDie),
      parts: [
        TestEngine.stub(Bank, [Reply.throttle, Reply.fail({ ErrorType: "Busy", ErrorMessage: "" }), text("paid")])
      ],
      ends: "paid",
      log: ["paid"]
    },
    "each way in which a call may end": {
      program: () =>
        Effect.gen(function* () {
          const tags: Array<string> = []
          for (let n = 0; n < 6; n++) {
            const found = yield* Effect.flip(Durable.invoke(Bank, n, { timeout: "2 hours" })).pipe(
              Effect.map((error) => error._tag + (error._tag === "InvokeTimedOut" ? ` ${error.source}` : "")),
              Effect.catch((value) => Effect.succeed(value))
            )
            tags.push(found)
          }
          return tags
        }),
      parts: [
        TestEngine.stub(Bank, [
          Reply.fail(new Refused({ why: "no" })),
          Reply.timeOut(),
          Reply.stop(),
          Reply.never,
          Reply.throttle,
          text("paid")
        ])
      ],
      ends: ["Refused", "InvokeTimedOut service", "InvokeStopped", "InvokeTimedOut caller", "InvokeFailed", "paid"]
    },
    "a call that answers in the hour of its time-out": {
      program: (kit) =>
        Effect.gen(function* () {
          const found = yield* Effect.exit(Durable.invoke(Bank, 1, { timeout: "1 hour" }))
          yield* kit.step(found._tag)
          yield* hours("later", 3)
          return yield* kit.step(`again ${found._tag}`)
        }).pipe(Effect.map((s) => s.startsWith("again"))),
      parts: [TestEngine.stub(Bank, Reply.after("1 hour", text("paid")))],
      ends: true
    },
    "five calls in Effect.forEach, of which one fails, in a Semaphore of two": {
      program: (kit) =>
        Effect.gen(function* () {
          const done: Array<string> = []
          const exit = yield* Effect.exit(
            Effect.forEach(
              [0, 1, 2, 3, 4],
              (n) =>
                Durable.invoke(Bank, n).pipe(
                  Effect.tap((found) => Effect.sync(() => void done.push(found))),
                  Effect.tap((found) => kit.step(`booked ${found}`))
                ),
              { concurrency: 2 }
            )
          )
          return [exit._tag, done]
        }),
      parts: [
        TestEngine.stub(Bank, (n) =>
          n === 3
            ? Effect.fail(new Refused({ why: "3" }))
            : Effect.delay(Effect.succeed(String(n)), `${5 - Number(n)} hours`)
        )
      ],
      ends: ["Failure", ["1", "0"]]
    },
    "a call that loses a race, answers later, and is called again under the same name": {
      program: (kit) =>
        Effect.gen(function* () {
          const first = yield* Effect.raceFirst(
            Durable.invoke(Bank, "slow"),
            Effect.as(hours("patience", 1), "gave up")
          )
          const second = yield* Durable.invoke(Bank, "quick")
          yield* kit.step(`${first} ${second}`)
          yield* hours("pass", 10)
          return yield* Durable.invoke(Bank, "quick again")
        }).pipe(Effect.orDie),
      parts: [
        TestEngine.stub(Bank, (what) =>
          what === "slow" ? Effect.delay(Effect.succeed("slow"), "4 hours") : Effect.succeed(String(what))
        )
      ],
      ends: "quick again",
      log: ["gave up quick"]
    },
    "Effect.cached around a call that two fibers share, of whom the first is interrupted": {
      program: (kit) =>
        Effect.gen(function* () {
          const cached = yield* Effect.cached(Durable.invoke(Bank, "shared"))
          const first = yield* Effect.forkChild(cached)
          const second = yield* Effect.forkChild(Effect.tap(cached, (found) => kit.step(`second ${found}`)))
          yield* hours("a while", 1)
          yield* Fiber.interrupt(first)
          const exit = yield* Fiber.await(second)
          return exit._tag
        }),
      parts: [TestEngine.stub(Bank, Reply.after("3 hours", text("answer")))],
      ends: "Success"
    },
    "a Deferred that a call completes, or a callback, whichever is first": {
      program: (kit) =>
        Effect.gen(function* () {
          const found = yield* Deferred.make<string>()
          const asked = yield* Durable.callback("ask")
          yield* Effect.forkChild(
            Effect.flatMap(Effect.orDie(Durable.invoke(Bank, 1)), (value) => Deferred.succeed(found, value))
          )
          yield* Effect.forkChild(Effect.flatMap(Effect.orDie(asked.await), (value) => Deferred.succeed(found, value)))
          const value = yield* Deferred.await(found)
          yield* kit.step(value)
          yield* hours("the other comes", 5)
          return [value, yield* Random.nextIntBetween(0, 1)]
        }),
      parts: [
        TestEngine.stub(Bank, Reply.after("2 hours", text("bank"))),
        TestEngine.answer("ask", Reply.after("2 hours", text("person")))
      ],
      ends: ["person", 0]
    },
    "Durable.retry around a call and a callback side by side": {
      program: (kit) =>
        Effect.gen(function* () {
          const both = { concurrency: "unbounded" } as const
          return yield* Durable.retry(
            "both",
            Durable.all("parts", [Durable.invoke(Bank, 1), Durable.waitForCallback("ask", () => kit.log("ask"))], {
              ...both,
              error: Refused
            }),
            RetryPolicy.fixed({ maxAttempts: 3, delay: "1 hour" }),
            { error: Refused }
          )
        }).pipe(Effect.orDie),
      parts: [
        TestEngine.stub(Bank, [
          Reply.after("1 hour", Reply.fail(new Refused({ why: "x" }))),
          Reply.after("3 hours", text("paid"))
        ]),
        TestEngine.answer("ask", [Reply.after("2 hours", text("late")), Reply.after("1 hour", text("yes"))])
      ],
      ends: ["paid", "yes"],
      log: ["ask", "ask"]
    }
  })
})
