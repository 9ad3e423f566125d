/**
 * Whatever passes between fibers passes in the order in which outcomes came, whatever kind of operation they are of. What a
 * recorded context does to the world around it in memory does not happen again, and nobody waits for it in vain.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import {
  atEveryRequest,
  differenceIn,
  everywhere,
  valueOf,
  type Failure,
  type Kit,
  type Options
} from "../support/host.ts"
import { hours, together, unhurried } from "./survives.ts"

const Errand = DurableFunction.plain("errand", { payload: Schema.Int })

/** An errand takes as many hours as it is told; a callback is answered after as many hours as its name says. */
const outsiders: Omit<Options, "kill"> = {
  parts: [
    TestEngine.stub(Errand, (count) => Effect.sleep(`${count} hours`)),
    ...[2, 10].map((count) => TestEngine.answer(`after ${count}`, Reply.after(`${count} hours`, Reply.succeed("yes"))))
  ]
}

type Lasting = (kit: Kit, name: string, count: number) => Effect.Effect<unknown, Failure, Durable.Execution>

/** Operations of every kind that last for some hours. */
const kinds: Readonly<Record<string, Lasting>> = {
  wait: (_, name, count) => hours(name, count),
  sleep: (_, __, count) => Effect.sleep(`${count} hours`),
  callback: (_, __, count) => Effect.flatMap(Durable.callback(`after ${count}`), ({ await: answer }) => answer),
  waitForCallback: (_, __, count) => Durable.waitForCallback(`after ${count}`, () => Effect.void),
  invoke: (_, name, count) => Durable.invoke(Errand, count, { name }),
  "invoke with a time-out": (_, name, count) => Durable.invoke(Errand, count, { name, timeout: "5 days" }),
  "callback that times out": (_, name, count) =>
    Effect.catchTag(
      Durable.waitForCallback(name, () => Effect.void, { timeout: `${count} hours` }),
      "CallbackTimedOut",
      () => Effect.void
    ),
  waitForCondition: (_, name, count) =>
    Durable.waitForCondition(name, {
      initial: 0,
      check: (looks) => Effect.succeed(looks + 1),
      until: (looks) => looks > count,
      delay: "1 hour"
    }),
  "step that is tried again": (_, name, count) =>
    Durable.step(
      name,
      Effect.flatMap(Durable.StepContext, ({ attempt }) => (attempt <= count ? Effect.die("not yet") : Effect.void)),
      { retry: RetryPolicy.fixed({ maxAttempts: 20, delay: "1 hour" }) }
    ),
  child: (_, name, count) => Durable.child(name, hours("inside", count)),
  "flat child": (_, name, count) => Durable.child(name, hours("inside", count), { flat: true }),
  "time-out that strikes": (_, name, count) =>
    Effect.exit(Durable.timeout(name, hours("inside", 99), `${count} hours`)),
  race: (_, name, count) => Durable.race(name, [hours("long", 99), hours("short", count)]),
  all: (_, name, count) => Durable.all(name, [Effect.as(hours("inside", count), 1)]),
  map: (_, name, count) => Durable.map(name, [1, count], (each) => hours("inside", each)),
  withCompensation: (_, name, count) => Durable.withCompensation(name, hours("inside", count), () => Effect.void)
}

/** Two fibers hand a parcel on when their operation is over; the one that is forked first takes longer. */
const handsOn = (kit: Kit, slow: Lasting, quick: Lasting) =>
  Effect.gen(function* () {
    const parcels = yield* Queue.unbounded<string>()
    const carrier = (name: string, lasting: Lasting, count: number) =>
      Effect.orDie(Effect.andThen(lasting(kit, name, count), Queue.offer(parcels, name)))
    yield* Effect.forkChild(carrier("slow", slow, 10))
    yield* Effect.forkChild(carrier("quick", quick, 2))
    const first = yield* Queue.take(parcels)
    yield* kit.step(`deliver ${first}`)
    const second = yield* Queue.take(parcels)
    yield* kit.step(`deliver ${second}`)
    yield* kit.time("the end")
    yield* hours("pause", 200)
    return yield* kit.step("last")
  })

const delivered = ["deliver quick", "deliver slow", "last"]

describe("two operations of one kind hand something on in the order of their outcomes", () => {
  for (const [kind, lasting] of Object.entries(kinds)) {
    it.effect(
      kind,
      () =>
        Effect.map(
          everywhere((kit) => handsOn(kit, lasting, lasting), outsiders),
          ({ log }) => assert.deepStrictEqual(log, delivered)
        ),
      unhurried
    )
  }
})

describe("two operations of different kinds hand something on in the order of their outcomes", () => {
  const all = Object.entries(kinds)
  for (const [index, [kind, quick]] of all.entries()) {
    const [other, slow] = all[(index + 5) % all.length] ?? [kind, quick]
    it.effect(
      `${kind} before ${other}`,
      () =>
        Effect.map(
          everywhere((kit) => handsOn(kit, slow, quick), outsiders),
          ({ log }) => assert.deepStrictEqual(log, delivered)
        ),
      unhurried
    )
  }
})

describe("a Deferred that is completed in a child", () => {
  /** A scout looks for a way in a child, and the others take the way that he found. */
  const hike = (
    kit: Kit,
    child: (body: Effect.Effect<void, never, Durable.Execution>) => Effect.Effect<void, never, Durable.Execution>
  ) =>
    Effect.gen(function* () {
      const way = yield* Deferred.make<string>()
      yield* Effect.all(
        [
          child(
            Effect.flatMap(kit.step("scout", { value: "north" }), (found) =>
              Effect.asVoid(Deferred.succeed(way, found))
            )
          ),
          Effect.flatMap(Deferred.await(way), (found) => kit.step(`walk ${found}`))
        ],
        together
      )
      return "there"
    })

  it.effect(
    "is completed again at every replay when the child is flat",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) => hike(kit, (body) => Durable.child("scouting", body, { flat: true })))
        assert.strictEqual(valueOf(ran), "there")
        assert.deepStrictEqual(ran.log, ["scout", "walk north"])
      }),
    unhurried
  )

  it.effect(
    "ends the execution at once, with both in the message, when the child was recorded before anybody went on",
    () =>
      Effect.gen(function* () {
        const clean = yield* atEveryRequest(
          (kit) => hike(kit, (body) => Durable.child("scouting", body)),
          (ran) => {
            if (ran.outcome === 'completed with "there"') return differenceIn(ran)
            return /^failed as Stuck: .*(Deferred.*scouting|scouting.*Deferred)/s.test(ran.outcome)
              ? differenceIn(ran)
              : "it neither completed nor said what waits for what"
          }
        )
        assert.strictEqual(valueOf(clean), "there")
      }),
    unhurried
  )
})
