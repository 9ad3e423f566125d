import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Service from "../../src/engine/Service.ts"
import { CheckpointDurableExecutionResponse, GetDurableExecutionStateResponse } from "../../src/wire/CheckpointApi.ts"
import { InvocationEvent } from "../../src/wire/Invocation.ts"
import {
  callback,
  cancel,
  context,
  finish,
  invoke,
  midnight,
  refused,
  retry,
  stampsOf,
  step,
  TestService,
  wait
} from "./support.ts"

/** The distance between neighbours among the numbers that stand for these times. */
const tick = 2 ** -12

/** The stamps that each of these commands gives, in the order of the commands. */
const stampsOfEach = (
  service: TestService,
  commands: ReadonlyArray<() => unknown>
): ReadonlyArray<ReadonlyArray<number>> =>
  commands.map((command) => {
    const before = stampsOf(service.state)
    command()
    return [...stampsOf(service.state)].flatMap(([what, stamp]) => (before.has(what) ? [] : [stamp]))
  })

/** A command for every way in which an operation ends or a callback is created. */
const everyCommand = (service: TestService): ReadonlyArray<() => unknown> => {
  const arn = service.start()
  service.checkpoint(
    arn,
    context("context", "START"),
    wait("wait", 60),
    invoke("child", "payments:live"),
    invoke("mail", "email")
  )
  const child = Array.from(Service.executions(service.state), ({ identity }) => identity.arn).at(-1) ?? "none"
  const [mail] = service.targets
  assert(mail !== undefined)
  return [
    () => service.checkpoint(arn, step("done", "SUCCEED")),
    () => service.checkpoint(arn, callback("callback"), callback("other")),
    () => service.checkpoint(arn, step("failed", "FAIL")),
    () => service.checkpoint(arn, context("context", "SUCCEED")),
    () => service.checkpoint(arn, cancel("wait", "WAIT")),
    () => service.succeed(service.callbackId(arn, "callback")),
    () => {
      const callbackId = service.callbackId(arn, "other")
      service.accept(Service.failCallback(service.state, { callbackId }, service.env))
    },
    () => service.answer(child, { Status: "SUCCEEDED" }),
    () => {
      const end: Service.TargetEnd = { _tag: "Succeeded", result: "1" }
      service.take(Service.targetEnded(service.state, { ...mail, end }, service.env))
    },
    () => service.checkpoint(arn, invoke("nowhere", "nowhere:1"))
  ]
}

describe("what happens in one millisecond", () => {
  it("happens in the order of the commands, whatever they end or create", () => {
    const service = new TestService()
    const stamps = stampsOfEach(service, everyCommand(service)).map((all) => Array.from(new Set(all)))
    assert.deepStrictEqual(
      stamps,
      stamps.map((_, index) => [midnight + index * tick])
    )
  })

  it("is in order over all executions", () => {
    const service = new TestService()
    const [here, there] = [service.start(), service.start()]
    service.checkpoint(here, step("s", "SUCCEED"))
    service.checkpoint(there, step("s", "SUCCEED"))
    service.checkpoint(here, step("t", "SUCCEED"))
    const ends = [
      service.operation(here, "s").EndTimestamp,
      service.operation(there, "s").EndTimestamp,
      service.operation(here, "t").EndTimestamp
    ]
    assert.deepStrictEqual(ends, [midnight, midnight + tick, midnight + 2 * tick])
  })

  it("has one time if it is one checkpoint", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, context("context", "START"), wait("wait", 60), step("before", "SUCCEED"))
    const together = stampsOfEach(service, [
      () =>
        service.checkpoint(
          arn,
          step("s", "SUCCEED"),
          step("f", "FAIL"),
          context("context", "FAIL"),
          cancel("wait", "WAIT"),
          callback("c"),
          invoke("nowhere", "nowhere:1")
        )
    ])
    assert.deepStrictEqual(together, [Array.from({ length: 6 }, () => midnight + tick)])
  })

  it("has one time if one thing follows from the other", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, invoke("i", "payments:live"), step("before", "SUCCEED"))
    const child = service.event(arn, "ChainedInvokeStarted").ChainedInvokeStartedDetails.DurableExecutionArn ?? "none"
    service.checkpoint(child, step("last", "SUCCEED"), finish("SUCCEED"))
    assert.strictEqual(service.operation(child, "last").EndTimestamp, midnight + tick)
    assert.strictEqual(service.operation(arn, "i").EndTimestamp, midnight + tick)
  })

  it("takes no time: the next millisecond begins where it did", () => {
    const service = new TestService()
    const arn = service.start()
    for (const id of ["a", "b", "c"]) service.checkpoint(arn, step(id, "SUCCEED"))
    service.now++
    service.checkpoint(arn, step("d", "SUCCEED"))
    assert.strictEqual(service.operation(arn, "d").EndTimestamp, midnight + 1)
  })

  it("is in order when more happens than the millisecond has parts", () => {
    const service = new TestService({ maxOperations: 6_000 })
    const arn = service.start()
    const stamps = Array.from({ length: 5_000 }, (_, index) => {
      const id = `s${index}`
      return service.checkpoint(arn, step(id, "SUCCEED"))[id]?.EndTimestamp ?? Number.NaN
    })
    service.now++
    stamps.push(service.checkpoint(arn, step("last", "SUCCEED"))["last"]?.EndTimestamp ?? Number.NaN)
    for (const [index, stamp] of stamps.slice(1).entries()) assert.isAbove(stamp, stamps[index] ?? Number.NaN)
  })

  it("is in order at a time whose numbers have no such fractions", () => {
    const service = new TestService()
    service.now = Date.UTC(2126, 0, 1)
    assert.strictEqual(service.now + tick, service.now)
    const [first, ...others] = stampsOfEach(service, everyCommand(service)).map((all) => all[0] ?? Number.NaN)
    assert(first !== undefined)
    let before = first
    for (const stamp of others) {
      assert.isAbove(stamp, before)
      before = stamp
    }
    assert.isBelow(before, service.now + 1)
  })
})

describe("what falls due in one millisecond", () => {
  it("happens one after the other, in the order of its arming, and before the command that found it due", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("b", 2), wait("a", 2), callback("c", { TimeoutSeconds: 2 }))
    service.now += 1_000
    service.checkpoint(arn, wait("late", 1), step("between", "SUCCEED"))
    service.now += 1_000
    service.checkpoint(arn, step("s", "SUCCEED"))
    const due = midnight + 2_000
    assert.strictEqual(service.operation(arn, "between").EndTimestamp, midnight + 1_000)
    assert.deepStrictEqual(
      ["b", "a", "c", "late", "s"].map((id) => service.operation(arn, id).EndTimestamp),
      [due, due + tick, due + 2 * tick, due + 3 * tick, due + 4 * tick]
    )
  })

  it("has its own moments, however late the host looks", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("late", 300), wait("early", 10))
    service.pass(1_000)
    assert.strictEqual(service.operation(arn, "early").EndTimestamp, midnight + 10_000)
    assert.strictEqual(service.operation(arn, "late").EndTimestamp, midnight + 300_000)
  })
})

describe("a time that has a fraction", () => {
  it("is only that of an end or of the creation of a callback; all others are those of the command", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, step("a", "SUCCEED"))
    service.checkpoint(
      arn,
      step("b", "SUCCEED"),
      step("s", "START"),
      wait("w", 5),
      retry("r", 5),
      context("x", "START")
    )
    service.checkpoint(arn, callback("c", { TimeoutSeconds: 9 }), finish("SUCCEED"))
    assert.strictEqual(service.operation(arn, "b").EndTimestamp, midnight + tick)
    assert.strictEqual(service.operation(arn, "c").StartTimestamp, midnight + 2 * tick)
    for (const id of ["b", "s", "w", "r", "x"]) assert.strictEqual(service.operation(arn, id).StartTimestamp, midnight)
    assert.strictEqual(service.operation(arn, "w").WaitDetails?.ScheduledEndTimestamp, midnight + 5_000)
    assert.strictEqual(service.operation(arn, "r").StepDetails?.NextAttemptTimestamp, midnight + 5_000)
    assert.strictEqual(service.execution(arn).outcome?.endTimestamp, midnight)
    for (const event of service.history(arn)) assert.strictEqual(event.EventTimestamp, midnight)
  })

  it("reaches the function exactly as it is, in the event as in answers", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, step("a", "SUCCEED"))
    const outcome = Result.getOrThrow(
      service.tryCheckpoint(arn, [step("b", "SUCCEED"), callback("c"), wait("w", 1), step("d", "START")])
    )
    const answer = service.take(outcome)
    assert.strictEqual(answer.NewExecutionState.Operations[0]?.EndTimestamp, 1767225600000.000244140625)
    assert.deepStrictEqual(overWire(CheckpointDurableExecutionResponse, answer), answer)

    service.crash(arn)
    service.pass(1)
    const { event } = service.invocation(arn)
    assert.strictEqual(event.InitialExecutionState.Operations[2]?.EndTimestamp, 1767225600000.000244140625)
    assert.deepStrictEqual(overWire(InvocationEvent, event), event)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(InvocationEvent)(JSON.parse(JSON.stringify(event))),
      event,
      "a host may send an event as it is"
    )

    const query = { DurableExecutionArn: arn, CheckpointToken: service.token(arn) }
    const page = Result.getOrThrow(Service.getState(service.state, query, service.env))
    assert.deepStrictEqual(overWire(GetDurableExecutionStateResponse, page), page)
  })
})

describe("a command that changes nothing", () => {
  it("has no part in the order when it is refused", () => {
    const service = new TestService()
    const arn = service.start()
    refused(service.tryCheckpoint(arn, [step("a", "SUCCEED"), cancel("nowhere", "WAIT")]))
    service.checkpoint(arn, step("a", "SUCCEED"))
    assert.strictEqual(service.operation(arn, "a").EndTimestamp, midnight)
  })

  it("has none when it was answered before", () => {
    const service = new TestService()
    const arn = service.start()
    const request = { CheckpointToken: service.token(arn), ClientToken: "once" }
    const first = service.accept(service.tryCheckpoint(arn, [step("a", "SUCCEED")], request))
    const { lastStamp } = service.state
    assert.deepStrictEqual(service.accept(service.tryCheckpoint(arn, [step("a", "SUCCEED")], request)), first)
    assert.strictEqual(service.state.lastStamp, lastStamp)
  })
})

describe("a host that sends whole milliseconds", () => {
  it("has a millisecond for every command, and stays ahead of the time only as long as it must", () => {
    const service = new TestService({ stampStep: 1 })
    const stamps = stampsOfEach(service, everyCommand(service)).map((all) => Array.from(new Set(all)))
    assert.deepStrictEqual(
      stamps,
      stamps.map((_, index) => [midnight + index])
    )
    const [arn = "none"] = Array.from(Service.executions(service.state), ({ identity }) => identity.arn)
    service.now += 5
    service.checkpoint(arn, step("ahead", "SUCCEED"))
    assert.strictEqual(service.operation(arn, "ahead").EndTimestamp, midnight + stamps.length)
    service.now += 1_000
    service.checkpoint(arn, step("later", "SUCCEED"))
    assert.strictEqual(service.operation(arn, "later").EndTimestamp, midnight + 1_005)
  })

  it("sees no wait end early, and all of them in order", () => {
    const service = new TestService({ stampStep: 1 })
    const arn = service.start()
    service.checkpoint(arn, wait("a", 1), wait("b", 1))
    service.pass(1)
    assert.strictEqual(service.operation(arn, "a").EndTimestamp, midnight + 1_000)
    assert.strictEqual(service.operation(arn, "b").EndTimestamp, midnight + 1_001)
    assert.deepStrictEqual(
      service
        .history(arn)
        .flatMap((event) => (event.EventType === "WaitSucceeded" ? [event.WaitSucceededDetails] : [])),
      [{ Duration: 1 }, { Duration: 1 }]
    )
  })

  it("gives a step that leads onwards", () => {
    for (const stampStep of [0, -1, Number.NaN, Infinity]) {
      assert.throws(() => new TestService({ stampStep }), /a stamp is later/)
    }
  })
})

/** A message after it has crossed a network. */
const overWire = <Type, Encoded>(schema: Schema.Codec<Type, Encoded>, message: Type): Type =>
  Schema.decodeUnknownSync(schema)(JSON.parse(JSON.stringify(Schema.encodeSync(schema)(message))))
