import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, Serdes } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { operationId } from "../../src/execution/Identity.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { ask, host, turns, valueOf as answered } from "../runtime/harness.ts"
import { after, declared, Declined, decline, everySight, failAfter, once, replay } from "./batches.ts"
import {
  actions,
  crashAt,
  defectOf,
  errorOf,
  eventOf,
  execute,
  failureOf,
  holds,
  invokeOnce,
  valueOf
} from "./support.ts"

const elapsed = (ran: { readonly history: ReadonlyArray<{ readonly EventTimestamp: number }> }): number =>
  (ran.history.at(-1)!.EventTimestamp - ran.history[0]!.EventTimestamp) / 1_000

describe("A race", () => {
  it.effect("of a day against two seconds is won after two seconds, live and on replay", () =>
    Effect.gen(function* () {
      const { ran, seen } = yield* everySight(Durable.race("race", [after(86_400, "tortoise"), after(2, "hare")]))
      assert.deepStrictEqual(seen, ["hare", "hare"])
      assert.strictEqual(elapsed(ran), 3)
    })
  )

  it.effect("is won by the branch with the lowest index among those that end at once", () =>
    Effect.gen(function* () {
      const waits = yield* everySight(Durable.race("race", [after(2, "a"), after(2, "b")]))
      assert.deepStrictEqual(waits.seen, ["a", "a"])
      const values = yield* everySight(Durable.race("race", [Effect.succeed("a"), Effect.succeed("b")]))
      assert.deepStrictEqual(values.seen, ["a", "a"])
    })
  )

  it.effect("is won by a success, even after failures", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Effect.orDie(Durable.race("race", [failAfter(1), Effect.die("broken"), after(3, "c")], declared))
      )
      assert.deepStrictEqual(seen, ["c", "c"])
    })
  )

  it.effect("that all branches lose fails as the first of them, live and on replay", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Effect.exit(Durable.race("race", [failAfter(5, "late"), failAfter(2, "early"), failAfter(9, "last")], declared))
      )
      assert.lengthOf(seen, 2)
      for (const exit of seen) {
        assert.instanceOf(errorOf(exit), Declined)
        assert.strictEqual(errorOf(exit).code, "early")
      }
    })
  )

  it.effect("of nothing is refused before anything is recorded", () =>
    Effect.gen(function* () {
      for (const race of [Durable.race("race", []), Durable.raceFirst("race", [])]) {
        const ran = yield* execute(race)
        assert.strictEqual(failureOf(ran).errorType, "InvalidOptions")
        assert.lengthOf(ran.updates, 0)
      }
    })
  )

  it.effect("costs one operation, and its branches may use the same names", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Durable.race("race", [
          Effect.andThen(Durable.step("work", Effect.void), after(9, "a")),
          Effect.andThen(Durable.step("work", Effect.void), after(3, "b"))
        ])
      )
      assert.strictEqual(valueOf(ran), "b")
      const [race, ...inside] = ran.operations
      assert.deepStrictEqual([race!.SubType, race!.Status], ["RunInChildContext", "SUCCEEDED"])
      assert.lengthOf(inside, 4)
      for (const operation of inside) assert.strictEqual(operation.ParentId, race!.Id)
    })
  )

  it.effect("records nothing of its losers after its end", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.tap(
          Durable.race("race", [
            Effect.as(Durable.step("long", Effect.sleep("1 hour")), "long"),
            Effect.andThen(after(5, "retried"), Durable.step("never", Effect.succeed("never"))),
            Effect.as(Durable.step("flaky", decline(), { error: Declined }).pipe(Effect.orDie), "flaky"),
            after(1, "quick")
          ]),
          () => Durable.wait("far", "1 day")
        )
      )
      assert.strictEqual(valueOf(ran), "quick")
      const sent = actions(ran.updates)
      const end = sent.indexOf("SUCCEED race")
      assert.deepStrictEqual(sent.slice(end + 1), ["START far"])
    })
  )

  it.effect("may stand in a branch of a race", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Durable.race("outer", [
          Durable.race("inner", [after(9, "a"), after(4, "b")]),
          Durable.race("inner", [after(3, "c"), after(8, "d")]),
          Durable.all("all", [after(1, "e"), after(6, "f")]).pipe(Effect.map((texts) => texts.join("")))
        ])
      )
      assert.deepStrictEqual(seen, ["c", "c"])
    })
  )

  it.effect("has the winner that it had after a crash, whether it was recorded or not", () =>
    Effect.gen(function* () {
      for (const when of ["before", "after"] as const) {
        const { seen } = yield* everySight(Durable.race("race", [after(5, "a"), after(2, "b")]), {
          store: crashAt(holds("SUCCEED", "race"), when)
        })
        assert.isAtLeast(seen.length, 2, when)
        for (const winner of seen) assert.strictEqual(winner, "b", when)
      }
    })
  )

  it.effect("that crashes before or after any request has the winner that it has without", () =>
    Effect.gen(function* () {
      const program = Effect.gen(function* () {
        const first = yield* Durable.race("first", [
          Effect.andThen(Durable.step("work", Effect.void), after(4, "a")),
          Effect.andThen(after(2, "b"), Durable.step("work", Effect.succeed("b")))
        ])
        const second = yield* Effect.exit(Durable.raceFirst("second", [after(7, "c"), failAfter(3, "d")], declared))
        yield* replay
        return [first, errorOf(second).code]
      })
      const whole = yield* execute(program)
      assert.deepStrictEqual(valueOf(whole), ["b", "d"])
      for (let at = 0; at < whole.requests.length; at++) {
        for (const when of ["before", "after"] as const) {
          let count = 0
          const ran = yield* execute(program, { store: crashAt(() => count++ === at, when) })
          assert.deepStrictEqual(valueOf(ran), ["b", "d"], `${when} request ${at}`)
        }
      }
    })
  )

  it.live("is won beside a branch that waits for what nobody can see, also where it cannot be interrupted", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.uninterruptible(
          Durable.race("race", [Durable.step("quick", note("quick")), Effect.callback<string>(() => Effect.void)])
        )
      )
      const { answer, turns: all } = yield* execution.drive()
      assert.strictEqual(answered(answer), "quick")
      assert.strictEqual(all.at(-1)!.fibersLeft, 0)
    })
  )

  it.effect("refuses a value that is no plain data, and keeps a mistake a mistake", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.race("race", [Effect.succeed(Number.NaN)]))
      assert.strictEqual(failureOf(ran).errorType, "SerdesFailed")
      const mistaken = yield* execute(Effect.exit(Durable.race("race", [Durable.wait("nap", "367 days")])))
      assert.instanceOf(defectOf(valueOf(mistaken)), DurableError.InvalidDuration)
    })
  )
})

describe("raceFirst", () => {
  it.effect("is won by whatever ends first, be it a failure", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Effect.exit(Durable.raceFirst("race", [after(5, "a"), failAfter(2, "b")], declared))
      )
      for (const exit of seen) assert.strictEqual(errorOf(exit).code, "b")
      const won = yield* everySight(
        Effect.orDie(Durable.raceFirst("race", [after(1, "a"), failAfter(2, "b")], declared))
      )
      assert.deepStrictEqual(won.seen, ["a", "a"])
    })
  )
})

describe("A race that is taken up late", () => {
  const race = operationId("", "race", 0)
  const branch = (index: number) => operationId(race, "", index)
  const wait = (
    index: number,
    EndTimestamp: number | undefined
  ): Partial<Operation> & Pick<Operation, "Id" | "Type"> => ({
    Id: operationId(branch(index), "wait", 0),
    ParentId: race,
    Type: "WAIT",
    SubType: "Wait",
    Name: "wait",
    ...(EndTimestamp === undefined ? { Status: "STARTED" } : { EndTimestamp }),
    WaitDetails: { ScheduledEndTimestamp: EndTimestamp ?? 1e15 }
  })
  const open = (...waits: ReadonlyArray<number | undefined>) =>
    eventOf([
      {
        Id: race,
        Type: "CONTEXT",
        SubType: "RunInChildContext",
        Name: "race",
        Status: "STARTED",
        ContextDetails: {}
      },
      ...waits.map((end, index) => wait(index, end))
    ])
  const winner = (
    updates: ReadonlyArray<{ readonly Name?: string | undefined; readonly Payload?: string | undefined }>
  ) => updates.find(({ Name }) => Name === "race")?.Payload

  it.effect("is won by what was recorded first, not by what is delivered first", () =>
    Effect.gen(function* () {
      const body = Durable.race("race", [after(86_400, "a"), after(2, "b"), after(5, "c")])
      assert.strictEqual(winner((yield* invokeOnce(body, { event: open(86_400, 2, 5) })).updates), `"b"`)
      assert.strictEqual(winner((yield* invokeOnce(body, { event: open(86_400, undefined, 5) })).updates), `"c"`)
      assert.strictEqual(winner((yield* invokeOnce(body, { event: open(7, 7, 7) })).updates), `"a"`)
    })
  )

  it.effect("is won by what was recorded first, however much of it has to be replayed before", () =>
    Effect.gen(function* () {
      const longWay = Effect.gen(function* () {
        for (let n = 0; n < 40; n++) yield* Durable.child("block", Effect.succeed(n))
        return yield* after(2, "long way")
      })
      const blocks = Array.from({ length: 40 }, (_, n) => ({
        Id: operationId(branch(1), "block", n),
        ParentId: race,
        Type: "CONTEXT" as const,
        SubType: "RunInChildContext",
        Name: "block",
        EndTimestamp: 1,
        ContextDetails: { Result: "1" }
      }))
      const event = open(9, 5)
      const { updates } = yield* invokeOnce(Durable.race("race", [after(9, "short way"), longWay]), {
        event: {
          ...event,
          InitialExecutionState: {
            Operations: [
              ...event.InitialExecutionState.Operations,
              ...eventOf(blocks).InitialExecutionState.Operations.slice(1)
            ]
          }
        }
      })
      assert.strictEqual(winner(updates), `"long way"`)
    })
  )

  it.live("is won by what was recorded first, however long its serdes takes to read it", () =>
    Effect.gen(function* () {
      const slowly = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.andThen(
          Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void), 20)),
          effect
        )
      const slow: Serdes.Format = {
        serialize: (...args) => slowly(Serdes.json.serialize(...args)),
        deserialize: (...args) => slowly(Serdes.json.deserialize(...args))
      }
      const event = open(9_000)
      const steps = eventOf(
        ["a", "b"].map((name, index) => ({
          Id: operationId(branch(1), name, 0),
          ParentId: race,
          Type: "STEP" as const,
          SubType: "Step",
          Name: name,
          EndTimestamp: 1_000 + index,
          StepDetails: { Attempt: 1, Result: JSON.stringify(name) }
        }))
      ).InitialExecutionState.Operations.slice(1)
      const inTime = Effect.andThen(Durable.step("a", Effect.succeed("")), Durable.step("b", Effect.succeed("")))
      const { updates } = yield* invokeOnce(
        Effect.provideService(Durable.race("race", [after(9, "late"), inTime]), Serdes.Serdes, slow),
        {
          event: {
            ...event,
            InitialExecutionState: { Operations: [...event.InitialExecutionState.Operations, ...steps] }
          }
        }
      )
      assert.strictEqual(winner(updates), `"b"`)
    })
  )

  it.effect("fails as the branch whose failure was recorded first", () =>
    Effect.gen(function* () {
      const { updates } = yield* invokeOnce(
        Effect.orDie(Durable.race("race", [failAfter(9, "a"), failAfter(3, "b")], declared)),
        { event: open(9, 3) }
      )
      assert.strictEqual(
        updates.find(({ Name }) => Name === "race")?.Error?.ErrorData,
        `{"_tag":"Declined","code":"b"}`
      )
    })
  )

  it.effect("is won by time also when one response delivers both, the later one first", () =>
    Effect.gen(function* () {
      let isSent = false
      const { updates } = yield* invokeOnce(
        Durable.race("race", [
          after(86_400, "a"),
          after(2, "b"),
          Effect.as(Durable.step("busy", Effect.andThen(turns(3), Effect.void), once), "busy")
        ]),
        {
          event: open(undefined, undefined),
          store: {
            checkpoint: (request) => {
              if (isSent) return Effect.succeed({ CheckpointToken: "t", NewExecutionState: { Operations: [] } })
              isSent = true
              const step = request.Updates.find(({ Name }) => Name === "busy")
              const done = eventOf([wait(0, 86_400_000), wait(1, 2_000)]).InitialExecutionState.Operations.slice(1)
              const busy = eventOf([
                { Id: step?.Id ?? "", Type: "STEP", SubType: "Step", Name: "busy", EndTimestamp: 1e12 }
              ]).InitialExecutionState.Operations.slice(1)
              return Effect.succeed({ CheckpointToken: "t", NewExecutionState: { Operations: [...done, ...busy] } })
            }
          }
        }
      )
      assert.strictEqual(winner(updates), `"b"`)
    })
  )
})

describe("Whoever interrupts a race", () => {
  it.live("stops its branches and waits for them", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(
            Durable.race("race", [
              Effect.ensuring(ask("a").pipe(Effect.orDie), note("end a")),
              Effect.ensuring(Durable.step("b", Effect.never), Effect.andThen(Effect.yieldNow, note("end b")))
            ])
          )
          yield* Durable.hold(turns(10))
          yield* Fiber.interrupt(fiber)
          yield* note("interrupted")
        })
      )
      const { turns: all } = yield* execution.drive()
      assert.sameMembers(execution.log.slice(0, 2), ["end a", "end b"])
      assert.strictEqual(execution.log[2], "interrupted")
      assert.strictEqual(all.at(-1)!.fibersLeft, 0)
    })
  )
})
