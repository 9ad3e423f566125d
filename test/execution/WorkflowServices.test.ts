import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { Lifetime, suspended } from "../../src/execution/Lifetime.ts"
import { Namespace } from "../../src/execution/Namespace.ts"
import { InHold, insideStep } from "../../src/execution/References.ts"
import { WorkflowClock, WorkflowRandom, type ServicesHost } from "../../src/execution/WorkflowServices.ts"
import { ManualClock } from "./support.ts"

/** The time of the host, which nobody would take for that of the workflow. */
const hostTime = 9_000_000

/** A fiber of the workflow at the time 5, unless a test has it run elsewhere. */
const make = () => {
  const clock = new ManualClock()
  clock.now = hostTime
  const random = { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 5 }
  const lifetime = new Lifetime()
  const namespace = Namespace.root("arn", 5)
  const log: Array<string> = []
  const place: { namespace: Namespace | undefined } = { namespace }
  const host: ServicesHost = {
    clock,
    random,
    lifetime,
    current: () => Fiber.getCurrent(),
    namespaceOf: () => place.namespace,
    known: () =>
      Effect.sync(() => {
        log.push("waited until it is known")
        namespace.time.read(70)
      }),
    glance: (time) => {
      log.push("glanced")
      return time.glance(newest)
    },
    drawn: () => {},
    sleep: (_, __, duration) => Effect.sync(() => void log.push(`slept ${Duration.toMillis(duration)} ms`)),
    lastSleep: (_, duration) => Effect.sync(() => void log.push(`slept ${Duration.toMillis(duration)} ms at last`))
  }
  const services = Context.make(Clock.Clock, new WorkflowClock(host)).pipe(
    Context.add(Random.Random, new WorkflowRandom(host))
  )
  const run = <A>(effect: Effect.Effect<A>, context: Context.Context<never> = services): A =>
    Effect.runSyncWith(context)(effect)
  return { clock, lifetime, namespace, place, log, services, run }
}

const unsafeMillis = Effect.clockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))
const unsafeNanos = Effect.clockWith((clock) => Effect.sync(() => clock.currentTimeNanosUnsafe()))
/** The newest stamp that the service has reported. */
const newest = 60
const unread = { claim: { id: "a", name: "a", record: undefined }, of: "end" } as const

describe("Code of a workflow sees", () => {
  it("the time and the dice of its namespace", () => {
    const { namespace, run } = make()
    assert.strictEqual(run(Clock.currentTimeMillis), 5)
    assert.strictEqual(run(unsafeMillis), 5)
    assert.strictEqual(run(Clock.currentTimeNanos), 5_000_000n)
    const other = Namespace.root("arn", 5).random
    assert.strictEqual(run(Random.next), other.nextDoubleUnsafe())
    namespace.time.advanceTo(60.7)
    assert.strictEqual(run(Clock.currentTimeMillis), 60)
    assert.strictEqual(run(Clock.currentTimeNanos), 60_700_000n)
  })

  it("the ends of sleeps as the workflow has them", () => {
    const { log, run } = make()
    run(Effect.sleep("2 seconds"))
    assert.deepStrictEqual(log, ["slept 2000 ms"])
  })
})

describe("Code sees the host's time and dice", () => {
  const elsewhere: Record<string, (made: ReturnType<typeof make>) => Context.Context<never>> = {
    "in the body of a step": ({ services }) => insideStep(services, "charge"),
    "in a hold": ({ services }) => Context.add(services, InHold, { path: "hold", isLocal: false }),
    "in a context that has ended": ({ namespace, services }) => {
      namespace.close()
      return services
    },
    "when the invocation has ended": ({ lifetime, services }) => {
      lifetime.end(suspended)
      return services
    },
    "in what belongs to no workflow": ({ place, services }) => {
      place.namespace = undefined
      return services
    }
  }
  for (const [where, context] of Object.entries(elsewhere)) {
    it(where, () => {
      const made = make()
      const services = context(made)
      assert.strictEqual(made.run(Clock.currentTimeMillis, services), hostTime)
      assert.strictEqual(made.run(unsafeMillis, services), hostTime)
      assert.strictEqual(made.run(unsafeNanos, services), BigInt(hostTime) * 1_000_000n)
      assert.strictEqual(made.run(Random.next, services), 0.5)
      assert.deepStrictEqual(made.log, [])
    })
  }

  it("and what sleeps when the invocation has ended does not outlast it", () => {
    const { lifetime, log, run } = make()
    lifetime.end(suspended)
    run(Effect.sleep("2 seconds"))
    assert.deepStrictEqual(log, ["slept 2000 ms at last"])
  })
})

describe("A time that is not known", () => {
  it("is waited for by code that can wait", () => {
    const { log, namespace, run } = make()
    namespace.time.leaveUnread(unread)
    assert.strictEqual(run(Clock.currentTimeMillis), 70)
    assert.deepStrictEqual(log, ["waited until it is known"])
  })

  it("is the newest stamp for code that cannot wait, which is told", () => {
    const { log, namespace, run } = make()
    namespace.time.leaveUnread(unread)
    assert.strictEqual(run(unsafeMillis), newest)
    assert.deepStrictEqual(log, ["glanced"])
  })

  it("is what was recorded of such a look", () => {
    const { namespace, run } = make()
    namespace.time.leaveUnread(unread, 66)
    assert.strictEqual(run(unsafeMillis), 66)
  })

  it("is none of the business of spans", () => {
    const { log, namespace, run } = make()
    namespace.time.leaveUnread(unread)
    assert.strictEqual(run(unsafeNanos), 5_000_000n)
    assert.deepStrictEqual(log, [])
  })
})
