import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { Fibers } from "../../src/execution/Fibers.ts"
import { Host } from "../../src/execution/Host.ts"
import { Lifetime } from "../../src/execution/Lifetime.ts"
import { WorkflowRandom } from "../../src/execution/WorkflowServices.ts"
import { ManualClock } from "./support.ts"

class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {}

const make = () => {
  const clock = new ManualClock()
  const services = Context.make(Clock.Clock, clock)
  const random = { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 5 }
  const scheduler = Context.get(services, Scheduler.Scheduler)
  return { clock, random, scheduler, host: new Host({ services, clock, random, scheduler }) }
}

/** The dice of a workflow. */
const diceOf = ({ clock, random }: Host): WorkflowRandom =>
  new WorkflowRandom({
    clock,
    random,
    lifetime: new Lifetime(),
    current: () => Fiber.getCurrent(),
    namespaceOf: () => undefined,
    known: () => Effect.void,
    glance: () => 0,
    drawn: () => {},
    sleep: () => Effect.void,
    lastSleep: () => Effect.void
  })

describe("The host", () => {
  it("calls back after a time on its clock, unless it is told otherwise", () => {
    const { clock, host } = make()
    const log: Array<string> = []
    host.after(100, () => log.push("first"))
    const cancel = host.after(50, () => log.push("cancelled"))
    host.after(-5, () => log.push("at once"))
    cancel()
    clock.pass(99)
    assert.deepStrictEqual(log, ["at once"])
    clock.pass(1)
    assert.deepStrictEqual(log, ["at once", "first"])
  })

  it("ends its timers and fibers with the invocation, and those that come later", () => {
    const { clock, host } = make()
    const log: Array<string> = []
    host.after(100, () => log.push("late"))
    const fiber = host.fork(Effect.never)
    host.dispose()
    clock.pass(1_000)
    assert.deepStrictEqual(log, [])
    assert.isDefined(fiber.pollUnsafe())
    assert.isDefined(host.fork(Effect.never).pollUnsafe())
    assert.deepStrictEqual(clock.timers, [])
  })

  it("has code run with the services of a fiber of the workflow, and its own clock, dice and scheduler", () => {
    const { clock, host, random, scheduler } = make()
    const fibers = new Fibers()
    const workflow = Context.make(Scheduler.Scheduler, fibers).pipe(
      Context.add(Greeting, "hello"),
      Context.add(Random.Random, diceOf(host))
    )
    const fiber = Effect.runForkWith(workflow)(Effect.never)
    const seen: Array<unknown> = []
    const look = Effect.withFiber((self) => {
      const { context } = self
      seen.push(
        Context.getOrUndefined(cast<Context.Context<never>, Context.Context<Greeting>>(context), Greeting),
        Context.get(context, Clock.Clock),
        Context.get(context, Random.Random),
        Context.get(context, Scheduler.Scheduler)
      )
      return Effect.void
    })
    host.forkAs(fiber, look)
    assert.lengthOf(seen, 4)
    for (const [i, expected] of ["hello", clock, random, scheduler].entries())
      assert.strictEqual(seen[i], expected, `${i}`)
    assert.strictEqual(host.outside(workflow), host.outside(workflow))
    assert.isUndefined(Fiber.getCurrent())
  })

  it("leaves the dice alone that a program has brought along", () => {
    const { host, random } = make()
    const own = { nextDoubleUnsafe: () => 0.1, nextIntUnsafe: () => 1 }
    assert.strictEqual(Context.get(host.outside(Context.make(Random.Random, own)), Random.Random), own)
    assert.strictEqual(Context.get(host.outside(Context.make(Random.Random, diceOf(host))), Random.Random), random)
  })
})
