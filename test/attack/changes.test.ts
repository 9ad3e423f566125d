/**
 * Code that changes between two invocations, wherever the change is: a contradiction is found before any new effect runs.
 */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Refused, run, type Kit } from "../support/host.ts"
import { both, hours } from "./everyWay.ts"

interface Change {
  readonly before: Code
  readonly after: Code
  /** The first invocation that runs the new code. Default: the second. */
  readonly from?: number
}

type Code = (kit: Kit) => Effect.Effect<unknown, unknown, Durable.Execution>

const changes: Readonly<Record<string, Change>> = {
  "a removed step in a fiber beside a wait": {
    before: (kit) => Effect.all([kit.step("a"), hours("w", 1)], both),
    after: () => Effect.all([Effect.void, hours("w", 1)], both)
  },
  "a step put before a recorded one in one of two fibers": {
    before: (kit) => Effect.all([Effect.andThen(kit.step("a"), hours("x", 2)), hours("w", 1)], both),
    after: (kit) =>
      Effect.all([Effect.andThen(kit.step("new"), Effect.andThen(kit.step("a"), hours("x", 2))), hours("w", 1)], both)
  },
  "a step put into the branch of a race that lost": {
    before: (kit) =>
      Effect.andThen(
        Effect.raceFirst(Effect.andThen(kit.step("a"), hours("long", 9)), hours("short", 1)),
        hours("w", 1)
      ),
    after: (kit) =>
      Effect.andThen(
        Effect.raceFirst(Effect.andThen(kit.step("new"), hours("long", 9)), hours("short", 1)),
        hours("w", 1)
      ),
    from: 3
  },
  "another length of an Effect.timeout": {
    before: () => Effect.timeout(hours("w", 1), "3 hours"),
    after: () => Effect.timeout(hours("w", 1), "4 hours")
  },
  "another Schedule of a retry": {
    before: (kit) =>
      Effect.retry(Effect.andThen(kit.step("try"), Effect.fail("no")), {
        schedule: Schedule.spaced("1 hour"),
        times: 3
      }),
    after: (kit) =>
      Effect.retry(Effect.andThen(kit.step("try"), Effect.fail("no")), {
        schedule: Schedule.spaced("2 hours"),
        times: 3
      })
  },
  "a wait that became a step": {
    before: () => hours("w", 1),
    after: (kit) => kit.step("w")
  },
  "a step that became a child": {
    before: (kit) => Effect.andThen(kit.step("a"), hours("w", 1)),
    after: (kit) => Effect.andThen(Durable.child("a", kit.step("inside")), hours("w", 1))
  },
  "a child that became flat": {
    before: (kit) => Effect.andThen(Durable.child("a", kit.step("inside")), hours("w", 1)),
    after: (kit) => Effect.andThen(Durable.child("a", kit.step("inside"), { flat: true }), hours("w", 1))
  },
  "items that became flat": {
    before: (kit) => Durable.forEach("items", [1, 2], (n) => Effect.andThen(kit.step("a"), hours("w", n)), both),
    after: (kit) =>
      Durable.forEach("items", [1, 2], (n) => Effect.andThen(kit.step("a"), hours("w", n)), { ...both, flat: true })
  },
  "a map that became a forEach of the same name": {
    before: (kit) => Durable.map("items", [1, 2], (n) => Effect.andThen(kit.step("a"), hours("w", n)), both),
    after: (kit) => Durable.forEach("items", [1, 2], (n) => Effect.andThen(kit.step("b"), hours("w", n)), both)
  },
  "fewer items, of a batch that is open": {
    before: (kit) => Durable.forEach("items", [1, 2, 3], (n) => Effect.andThen(kit.step("a"), hours("w", n)), both),
    after: (kit) =>
      Effect.andThen(
        Durable.forEach("items", [1, 2], (n) => Effect.andThen(kit.step("a"), hours("w", n)), both),
        kit.step("new")
      )
  },
  "a race that became a timeout of the same name": {
    before: (kit) => Durable.race("r", [Effect.andThen(kit.step("a"), hours("w", 3)), Effect.asVoid(hours("v", 2))]),
    after: (kit) => Durable.timeout("r", Effect.andThen(kit.step("a"), hours("w", 3)), "2 hours")
  },
  "a part that is no part any more": {
    before: (kit) =>
      Effect.andThen(
        Durable.withCompensation("p", kit.step("a"), () => kit.step("undo")),
        hours("w", 1)
      ),
    after: (kit) => Effect.andThen(kit.step("a"), hours("w", 1))
  },
  "an attempt whose block was renamed": {
    before: (kit) =>
      Durable.retry(
        "r",
        Effect.andThen(kit.step("a"), Effect.andThen(hours("w", 1), Effect.die("no"))),
        RetryPolicy.fixed({ maxAttempts: 3, delay: "1 hour" })
      ),
    after: (kit) =>
      Durable.retry(
        "r",
        Effect.andThen(kit.step("b"), Effect.andThen(hours("w", 1), Effect.die("no"))),
        RetryPolicy.fixed({ maxAttempts: 3, delay: "1 hour" })
      ),
    from: 2
  },
  "a step that is gone behind a fiber that nobody joins": {
    before: (kit) =>
      Effect.gen(function* () {
        yield* Effect.forkChild(Effect.andThen(kit.step("a"), hours("v", 9)))
        yield* hours("w", 1)
      }),
    after: () =>
      Effect.gen(function* () {
        yield* hours("w", 1)
      })
  },
  "a wait that is gone": {
    before: (kit) =>
      Effect.gen(function* () {
        yield* kit.step("a")
        yield* hours("w", 1)
      }),
    after: (kit) => kit.step("a")
  },
  "a workflow that fails earlier than before": {
    before: (kit) =>
      Effect.gen(function* () {
        yield* Durable.withCompensation("p", kit.step("a"), () => kit.step("undo"))
        yield* hours("w", 1)
      }),
    after: (kit) =>
      Effect.andThen(
        Durable.withCompensation("p", kit.step("a"), () => kit.step("undo")),
        kit.failing("fail")
      )
  },
  "a workflow that dies earlier than before": {
    before: (kit) =>
      Effect.gen(function* () {
        yield* Durable.withCompensation("p", kit.step("a"), () => kit.step("undo"))
        yield* hours("w", 1)
      }),
    after: (kit) =>
      Effect.andThen(
        Durable.withCompensation("p", kit.step("a"), () => kit.step("undo")),
        Effect.die(new Error("TypeError of new code"))
      )
  },
  "a callback that became a step": {
    before: () => Effect.flatMap(Durable.callback("c"), () => hours("w", 1)),
    after: (kit) => Effect.andThen(kit.step("c"), hours("w", 1))
  },
  "a step that was renamed while it waits to be tried again": {
    before: () =>
      Durable.step("s", Effect.die(new Error("no")), { retry: RetryPolicy.fixed({ maxAttempts: 3, delay: "1 hour" }) }),
    after: (kit) => kit.step("t")
  },
  "a durable finalizer that is put around a branch and runs a new step": {
    before: (kit) => Effect.andThen(kit.step("a"), hours("w", 1)),
    after: (kit) =>
      Effect.andThen(
        Durable.onExit(kit.step("a"), () => kit.step("new")),
        hours("w", 1)
      )
  },
  "a quorum of which the items changed": {
    before: () =>
      Durable.map("q", [1, 2, 3], (n) => hours("w", n), { policy: CompletionPolicy.make({ minSuccessful: 2 }) }),
    after: (kit) =>
      Durable.map("q", [1, 2, 3], (n) => Effect.andThen(kit.step("new"), hours("w", n)), {
        policy: CompletionPolicy.make({ minSuccessful: 2 })
      })
  }
}

/** Its steps say whether they are of the new code. */
const telling = (kit: Kit, isNew: boolean): Kit => {
  const log = (name: string) => kit.log(isNew ? `new ${name}` : name)
  return {
    ...kit,
    step: (name) => Durable.step(name, Effect.as(log(name), name)),
    failing: (name) =>
      Durable.step(name, Effect.andThen(log(name), new Refused({ why: name })), {
        error: Refused,
        retry: RetryPolicy.none
      })
  }
}

describe("a change of the code is found before any new effect", () => {
  for (const [name, { after, before, from = 2 }] of Object.entries(changes)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const ran = yield* run((kit) =>
          Effect.gen(function* () {
            const isNew = kit.invocation >= from
            const told = telling(kit, isNew)
            yield* Effect.catch(isNew ? after(told) : before(told), (error) =>
              error instanceof Refused ? Effect.fail(error) : Effect.die(error)
            )
            yield* Durable.wait("pause", "1 day")
            yield* told.step("end")
          })
        )
        assert.match(ran.outcome, /^failed as NonDeterministic/)
        assert.isAbove(ran.invocations, from - 1)
        assert.deepStrictEqual(
          ran.log.filter((text) => text.startsWith("new ")),
          []
        )
      })
    )
  }
})
