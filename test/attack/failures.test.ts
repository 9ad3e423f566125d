/**
 * Failures of several kinds at once, back-offs beside each other, batches that fail, steps that may not be
 * done twice, invocations that are cut off by their time-out, and holds.
 */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import { atEveryRequest, differenceIn, Refused, run, type Kit, type Program } from "../support/host.ts"
import { attacks, both, hours, reasonsOf } from "./everyWay.ts"

const Bank = DurableFunction.plain("bank", { payload: Schema.Unknown, success: Schema.String, error: Refused })

describe("the same in every way: failures", () => {
  attacks({
    "of several kinds at once, in every kind of block, look the same at every replay": {
      program: (kit) =>
        Effect.gen(function* () {
          const several = Effect.all(
            [
              Effect.ensuring(
                Effect.andThen(kit.step("s"), new Refused({ why: "a" })),
                Effect.die(new TypeError("in a finalizer"))
              ),
              Effect.andThen(hours("w", 1), new Refused({ why: "b" }))
            ],
            both
          )
          const seen: Record<string, unknown> = {}
          const blocks: Record<string, Effect.Effect<unknown, unknown, Durable.Execution>> = {
            child: Durable.child("child", several, { error: Refused }),
            all: Durable.all("all", [several], { error: Refused }),
            race: Durable.race("race", [several, several], { error: Refused }),
            timeout: Durable.timeout("timeout", several, "3 hours", { error: Refused }),
            retry: Durable.retry("retry", several, RetryPolicy.none, { error: Refused }),
            flat: Durable.child("flat", several, { flat: true }),
            defect: Durable.child("defect", Effect.die(new TypeError("x"))),
            defectOfText: Durable.child("text", Effect.die("text")),
            defectOfObject: Durable.child("object", Effect.die({ a: 1 })),
            interrupt: Durable.child("interrupt", Effect.interrupt),
            step: Durable.step("step", Effect.die(new TypeError("y")), { retry: RetryPolicy.none }),
            map: Effect.flatMap(
              Durable.map("map", [1], () => several, { error: Refused }),
              (r) => Effect.failCause(r.failed[0]!.cause)
            )
          }
          for (const [name, block] of Object.entries(blocks)) {
            const exit = yield* Effect.exit(block)
            seen[name] = Exit.isFailure(exit) ? reasonsOf(exit.cause) : exit.value
            yield* kit.tell(name, seen[name])
          }
          return Object.keys(seen).length
        }),
      ends: 12
    },
    "steps in back-off side by side, in a race, in a time-out, in items": {
      program: (kit) =>
        Effect.gen(function* () {
          const flaky = (name: string, fails: number, delay: number) =>
            Durable.step(
              name,
              Effect.flatMap(Durable.StepContext, ({ attempt }) =>
                Effect.andThen(
                  kit.log(`${name} ${attempt}`),
                  attempt <= fails ? Effect.die(new Error("no")) : Effect.succeed(name)
                )
              ),
              { retry: RetryPolicy.fixed({ maxAttempts: 9, delay: `${delay} minutes` }) }
            )
          const [a, b, c, d] = yield* Effect.all(
            [
              flaky("a", 2, 50),
              Effect.timeoutOption(flaky("b", 5, 35), "100 minutes"),
              Durable.raceFirst("race", [flaky("c", 3, 20), flaky("d", 1, 45)]),
              Durable.forEach("items", [1, 2], (n) => flaky(`e${n}`, n, 25), both)
            ],
            both
          )
          return [a, b._tag, c, d]
        }),
      ends: ["a", "None", "d", ["e1", "e2"]]
    },
    "a condition that is looked at beside a call, and given up": {
      program: (kit) =>
        Effect.gen(function* () {
          const condition = (name: string, enough: number) =>
            Durable.waitForCondition(name, {
              initial: 0,
              check: (n) => Effect.as(kit.log(`${name} ${n}`), n + 1),
              until: (n) => n >= enough,
              delay: "20 minutes"
            })
          const [x, y] = yield* Effect.all(
            [
              Effect.raceFirst(Effect.asVoid(condition("x", 9)), Effect.asVoid(Effect.orDie(Durable.invoke(Bank, 1)))),
              Effect.timeoutOption(condition("y", 4), "70 minutes")
            ],
            both
          )
          return [x === undefined, y._tag]
        }).pipe(Effect.orDie),
      parts: [TestEngine.stub(Bank, Reply.after("50 minutes", Reply.succeed("ok")))],
      ends: [true, "Some"]
    }
  })
})

/** Policies under which an item that fails may end the batch. */
const policies = {
  "tolerates one failure": CompletionPolicy.make({ toleratedFailureCount: 1 }),
  "is over with a quorum": CompletionPolicy.make({ minSuccessful: 2 }),
  "goes on to its end": CompletionPolicy.allCompleted,
  "is over when it says so": CompletionPolicy.custom(({ failureCount, successCount }) =>
    failureCount > 0 && successCount > 1 ? "SUCCEEDED" : "continue"
  )
}

describe("a batch, flat and not, whose items fail in an order of their own", () => {
  const batch =
    (policy: CompletionPolicy.CompletionPolicy): Program =>
    (kit) =>
      Effect.gen(function* () {
        const item = (time: number, index: number) =>
          Effect.andThen(hours("w", time), time > 3 ? kit.failing(`f${index}`) : kit.step(`s${index}`))
        const found: Array<string> = []
        for (const flat of [true, false]) {
          const result = yield* Durable.map(`flat ${flat}`, [5, 1, 4, 2], item, {
            concurrency: 3,
            policy,
            error: Refused,
            flat
          })
          found.push(`${result.completionReason} ${result.all.map(({ status }) => status).join(" ")}`)
        }
        yield* kit.tell("the results", found)
        return new Set(found).size
      })
  attacks(
    Object.fromEntries(Object.entries(policies).map(([name, policy]) => [name, { program: batch(policy), ends: 1 }]))
  )
})

describe("steps that run at most once", () => {
  it.effect("are never done twice, and the other branches go on", () =>
    atEveryRequest(
      (kit) =>
        Effect.gen(function* () {
          const once = (name: string) =>
            Durable.step(name, Effect.as(kit.log(name), "done"), { semantics: "at-most-once" }).pipe(
              Effect.catchTag("StepInterrupted", () => kit.step(`look for ${name}`))
            )
          const found = yield* Effect.all(
            [once("a"), Effect.andThen(hours("w", 1), once("b")), once("c"), kit.step("d")],
            both
          )
          yield* hours("pause", 1)
          return found.length
        }),
      (ran) => {
        for (const name of ["a", "b", "c"]) {
          const count = ran.log.filter((text) => text === name).length
          if (count > 1) return `${name} ran ${count} times`
          if (count === 0 && !ran.log.includes(`look for ${name}`)) return `${name} never ran and nobody looked`
        }
        return ran.outcome === "completed with 4" ? differenceIn(ran) : ran.outcome
      }
    )
  )
})

/** A part whose step and undo take so long that an invocation may be cut off in them. */
const lasting = (kit: Kit, name: string, takes: number) =>
  Durable.withCompensation(name, kit.step(`do ${name}`, { takes: `${takes} seconds` }), () =>
    kit.step(`undo ${name}`, { takes: "20 seconds" })
  )

const busy: Readonly<Record<string, Program>> = {
  "rows of steps in two fibers and a child": (kit) =>
    Effect.gen(function* () {
      const row = (name: string, takes: number) =>
        Effect.forEach([1, 2, 3, 4], (n) => kit.step(`${name} ${n}`, { takes: `${takes} seconds` }))
      const [a, b, c] = yield* Effect.all([row("a", 20), row("b", 37), Durable.child("c", row("c", 29))], both)
      yield* kit.chance("afterwards")
      return [a.length, b.length, c.length]
    }),
  "parts side by side, and their undos": (kit) =>
    Effect.gen(function* () {
      yield* Effect.all(
        [
          lasting(kit, "a", 50),
          lasting(kit, "b", 10),
          Durable.race("race", [
            Effect.andThen(lasting(kit, "c", 25), Durable.wait("w", "1 hour")),
            Durable.wait("v", "40 seconds")
          ])
        ],
        both
      )
      yield* kit.step("more", { takes: "45 seconds" })
      return yield* kit.failing("pay")
    }),
  "a queue of work between steps, with time-outs that do not strike": (kit) =>
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded<string>()
      const producer = Effect.forEach([1, 2, 3], (n) =>
        Effect.flatMap(kit.step(`p ${n}`, { takes: "33 seconds" }), (s) => Queue.offer(queue, s))
      )
      const consumer = Effect.forEach([1, 2, 3], () =>
        Effect.flatMap(Queue.take(queue), (s) =>
          Effect.orDie(Effect.timeout(kit.step(`got ${s}`, { takes: "21 seconds" }), "2 hours"))
        )
      )
      yield* Effect.all([producer, consumer], both)
      return "done"
    })
}

describe("a time-out of the function", () => {
  for (const [name, program] of Object.entries(busy)) {
    it.effect(`cuts off ${name}`, () =>
      Effect.gen(function* () {
        const clean = yield* run(program)
        for (const seconds of [61, 75, 90, 130]) {
          const ran = yield* run(program, { engine: { invocationTimeout: `${seconds} seconds` } })
          assert.strictEqual(differenceIn(ran), undefined, `${seconds} s`)
          assert.strictEqual(ran.outcome, clean.outcome, `${seconds} s`)
          const undone = (log: ReadonlyArray<string>) => log.filter((t) => t.startsWith("undo")).toSorted()
          assert.deepStrictEqual([...new Set(undone(ran.log))], undone(clean.log), `${seconds} s`)
        }
      })
    )
  }
})
describe("the same in every way: what is held", () => {
  attacks({
    "a hold with operations in it beside a race": {
      program: (kit) =>
        Effect.gen(function* () {
          const [winner] = yield* Effect.all(
            [
              Effect.raceFirst(Effect.as(hours("x", 2), "x"), Effect.as(hours("y", 1), "y")),
              Durable.hold(
                Effect.gen(function* () {
                  yield* kit.step("in the hold")
                  yield* Effect.sleep("10 millis")
                  yield* hours("held", 3)
                  yield* kit.step("at the end of the hold")
                })
              )
            ],
            both
          )
          yield* kit.step("after")
          return winner
        }),
      ends: "y",
      except: ["strict"]
    },
    "local services around a workflow of forks": {
      program: () =>
        Effect.gen(function* () {
          const counter = yield* Durable.local(
            Effect.as(Effect.forkScoped(Effect.forever(Effect.sleep("5 minutes"))), { n: 0 })
          )
          yield* Effect.all(
            [1, 2].map((n) =>
              Effect.andThen(
                hours(`w ${n}`, n),
                Effect.sync(() => void counter.n++)
              )
            ),
            both
          )
          return counter.n
        }),
      ends: 2
    }
  })
})
