/**
 * What holds after any sequence of commands. The seed is printed; run again with SEED to repeat a failure.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import * as Service from "../../src/engine/Service.ts"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { Chaos, commands } from "./chaos.ts"
import { seed, stampsOf } from "./support.ts"

/** Runs random commands and checks something after each of them. */
const afterEveryCommand = (check: (chaos: Chaos) => void, numRuns = 100) => {
  const total = { commands: 0, refusals: 0, closed: 0, checkpoints: 0 }
  fc.assert(
    fc.property(commands, fc.constantFrom(1, 2, 1_000), (list, pageItems) => {
      const chaos = new Chaos(pageItems)
      for (const command of list) {
        chaos.run(command)
        check(chaos)
      }
      total.commands += list.length
      total.refusals += chaos.refusals
      total.closed += chaos.closed.length
      total.checkpoints += chaos.sent.length
    }),
    { seed, numRuns }
  )
  // The commands must be neither all refused nor all harmless.
  assert.isBelow(total.refusals, total.commands * 0.6, `seed ${seed}`)
  assert.isAbove(total.checkpoints, numRuns, `seed ${seed}`)
  assert.isAbove(total.closed, 0, `seed ${seed}`)
}

const executions = (chaos: Chaos) =>
  chaos.arns.map((arn) => {
    const execution = Service.execution(chaos.state, arn)
    assert(execution !== undefined)
    const [own, ...operations] = Service.operations(chaos.state, arn)
    assert(own?.Type === "EXECUTION")
    return { arn, execution, own, operations, events: Service.history(chaos.state, arn) }
  })

const endsOperation = (event: HistoryEvent): boolean => {
  switch (event.EventType) {
    case "StepSucceeded":
      return event.StepSucceededDetails.RetryDetails.NextAttemptDelaySeconds === undefined
    case "StepFailed":
      return event.StepFailedDetails.RetryDetails.NextAttemptDelaySeconds === undefined
    default:
      return !event.EventType.endsWith("Started") && event.EventType !== "InvocationCompleted"
  }
}

const isOver = ({ Status }: Operation) => !["STARTED", "PENDING", "READY"].includes(Status)

const waits = ({ Status, Type }: Operation) =>
  Type === "STEP" ? Status === "PENDING" : Type !== "CONTEXT" && Status === "STARTED"

describe("after any commands", () => {
  it("events are numbered from 1 without gaps, and time does not go back in them", () => {
    afterEveryCommand((chaos) => {
      for (const { events } of executions(chaos)) {
        let before = 0
        for (const [index, event] of events.entries()) {
          assert.strictEqual(event.EventId, index + 1)
          assert.isAtLeast(event.EventTimestamp, before)
          before = event.EventTimestamp
        }
      }
    })
  })

  it("an operation ends at most once, after it started, and nothing follows its end", () => {
    afterEveryCommand((chaos) => {
      for (const { events, operations } of executions(chaos)) {
        for (const operation of operations) {
          const own = events.filter((event) => event.Id === operation.Id)
          const starts = own.findIndex((event) => event.EventType.endsWith("Started"))
          // A step or a context may report what it did without having reported that it began.
          if (operation.Type !== "STEP" && operation.Type !== "CONTEXT")
            assert.strictEqual(starts, 0, "its start comes first")
          const end = own.findIndex(endsOperation)
          const isSilent = operation.Status === "CANCELLED" && operation.Type === "CHAINED_INVOKE"
          if (isOver(operation) && !isSilent) assert.strictEqual(end, own.length - 1)
          else assert.strictEqual(end, -1)
          assert.strictEqual(operation.EndTimestamp !== undefined, isOver(operation))
        }
      }
    })
  })

  it("what a command ends or creates is later than everything before it, and the time of that does not change", () => {
    fc.assert(
      fc.property(commands, fc.constantFrom(2 ** -12, 1), (list, stampStep) => {
        const chaos = new Chaos(1_000, { stampStep })
        for (const command of list) {
          const before = stampsOf(chaos.state)
          const { lastStamp } = chaos.state
          chaos.run(command)
          const after = stampsOf(chaos.state)
          for (const [what, stamp] of before) assert.strictEqual(after.get(what), stamp)
          for (const [what, stamp] of after) {
            if (before.has(what)) continue
            assert.isAbove(stamp, lastStamp, what)
            assert.isAtMost(stamp, chaos.state.lastStamp, what)
          }
        }
      }),
      { seed, numRuns: 60 }
    )
  })

  it("no operation ends before it started, and only stamps have fractions", () => {
    afterEveryCommand((chaos) => {
      for (const { events, operations, own } of executions(chaos)) {
        for (const { EndTimestamp, StartTimestamp } of [own, ...operations]) {
          assert.isAtLeast(EndTimestamp ?? Infinity, StartTimestamp)
        }
        for (const event of events) assert.isTrue(Number.isInteger(event.EventTimestamp))
        const whole = [
          own.StartTimestamp,
          own.EndTimestamp,
          ...operations.flatMap((operation) => [
            operation.Type === "CALLBACK" ? undefined : operation.StartTimestamp,
            operation.WaitDetails?.ScheduledEndTimestamp,
            operation.StepDetails?.NextAttemptTimestamp
          ])
        ]
        for (const time of whole) assert.isTrue(time === undefined || Number.isInteger(time))
      }
    }, 40)
  })

  it("operations are inside contexts that began before them", () => {
    afterEveryCommand((chaos) => {
      for (const { operations } of executions(chaos)) {
        for (const [index, operation] of operations.entries()) {
          if (operation.ParentId === undefined) continue
          const parent = operations.slice(0, index).find(({ Id }) => Id === operation.ParentId)
          assert.strictEqual(parent?.Type, "CONTEXT")
        }
      }
    })
  })

  it("an execution ends at most once, the host is told once, and only the end of an invocation may follow", () => {
    afterEveryCommand((chaos) => {
      assert.strictEqual(new Set(chaos.closed).size, chaos.closed.length)
      for (const { arn, events, execution, own } of executions(chaos)) {
        const end = events.findIndex((event) => event.Id === own.Id && endsOperation(event))
        assert.strictEqual(end >= 0, execution.outcome !== undefined)
        assert.strictEqual(chaos.closed.includes(arn), execution.outcome !== undefined)
        assert.strictEqual(own.Status, execution.outcome?.status ?? "STARTED")
        const after = end < 0 ? [] : events.slice(end + 1).map((event) => event.EventType)
        assert.isTrue(after.length === 0 || (after.length === 1 && after[0] === "InvocationCompleted"))
      }
    })
  })

  it("at most one invocation of an execution is in flight, and each completes once", () => {
    afterEveryCommand((chaos) => {
      for (const { arn, events, execution } of executions(chaos)) {
        const begun = chaos.invocations
          .filter(({ executionArn }) => executionArn === arn)
          .map(({ invocationId }) => invocationId)
        const completed = events.flatMap((event) =>
          event.EventType === "InvocationCompleted" ? [event.InvocationCompletedDetails.RequestId] : []
        )
        const inFlight = execution.gate._tag === "InFlight" ? [execution.gate.invocationId] : []
        assert.deepStrictEqual([...completed, ...inFlight], begun)
      }
    })
  })

  it("no wake-up is lost: what is open is running, or will be woken, and knows everything", () => {
    afterEveryCommand((chaos) => {
      const armed = new Set(
        Array.from(
          Service.timers(chaos.state),
          (timer) => `${timer.kind} ${timer.executionArn} ${timer.operationId ?? ""}`
        )
      )
      for (const { arn, execution, operations } of executions(chaos)) {
        if (execution.outcome !== undefined) continue
        const waiting = operations.filter(waits)
        assert.deepStrictEqual([...execution.waiting].sort(), waiting.map(({ Id }) => Id).sort())
        for (const operation of waiting) {
          assert.isTrue(willEnd(chaos, arn, operation, armed), `${operation.Type} ${operation.Id} will never end`)
        }
        const { gate } = execution
        if (gate._tag === "InFlight") continue
        if (gate._tag === "BackingOff") assert.isTrue(armed.has(`InvocationRetry ${arn} `))
        else {
          assert.strictEqual(gate._tag, "Suspended")
          assert.isAbove(waiting.length, 0, "nothing will ever wake it")
          assert.strictEqual(execution.delivered, execution.changes.size, "it was not told everything")
        }
      }
    })
  })

  it("exactly the timers are armed that have something to do, all in the future", () => {
    afterEveryCommand((chaos) => {
      const wanted = executions(chaos).flatMap(({ arn, execution, operations }) => {
        if (execution.outcome !== undefined) return []
        const of = operations.flatMap((operation) =>
          timersOf(operation, chaos, arn).map((kind) => `${kind} ${arn} ${operation.Id}`)
        )
        if (execution.gate._tag === "BackingOff") of.push(`InvocationRetry ${arn} `)
        return [...of, `ExecutionTimeout ${arn} `]
      })
      const timers = Array.from(Service.timers(chaos.state))
      assert.deepStrictEqual(
        timers.map((timer) => `${timer.kind} ${timer.executionArn} ${timer.operationId ?? ""}`).sort(),
        wanted.sort()
      )
      for (const { due } of timers) assert.isAbove(due, chaos.state.now)
      assert.strictEqual(Service.nextDue(chaos.state), timers[0]?.due)
    })
  })

  it("exactly one token is valid while an invocation is in flight, and none otherwise", () => {
    afterEveryCommand((chaos) => {
      for (const { arn, execution } of executions(chaos)) {
        const tokens = chaos.tokens.get(arn) ?? []
        assert.strictEqual(new Set(tokens).size, tokens.length, "a token was given twice")
        const valid = tokens.filter((CheckpointToken) =>
          Result.isSuccess(Service.getState(chaos.state, { DurableExecutionArn: arn, CheckpointToken }, chaos.env))
        )
        const isOpen = execution.outcome === undefined && execution.gate._tag === "InFlight"
        assert.deepStrictEqual(valid, isOpen ? tokens.slice(-1) : [])
      }
    }, 40)
  })

  it("a function that has read everything it was sent knows the state of its execution", () => {
    afterEveryCommand((chaos) => {
      for (const { arn, execution } of executions(chaos)) {
        if (execution.outcome !== undefined || execution.delivered < execution.changes.size) continue
        const known = chaos.known.get(arn)
        assert(known !== undefined)
        const shown = shownOf(chaos, arn)
        for (const operation of shown) assert.deepStrictEqual(known.get(operation.Id), operation)
      }
    })
  })

  it("pages hold every item exactly once", () => {
    afterEveryCommand((chaos) => {
      for (const { arn, events } of executions(chaos)) {
        const about = { DurableExecutionArn: arn, MaxItems: 3 }
        const forwards = everyPage((Marker) =>
          Result.map(Service.getHistory(chaos.state, { ...about, Marker }, chaos.env), ({ Events, NextMarker }) => [
            Events,
            NextMarker
          ])
        )
        assert.deepStrictEqual(forwards, events)
        const backwards = everyPage((Marker) =>
          Result.map(
            Service.getHistory(chaos.state, { ...about, Marker, ReverseOrder: true }, chaos.env),
            ({ Events, NextMarker }) => [Events, NextMarker]
          )
        )
        assert.deepStrictEqual(backwards, events.toReversed())
      }
      for (const FunctionName of ["orders", "payments"]) {
        const listed = everyPage((Marker) =>
          Result.map(
            Service.listExecutions(chaos.state, { FunctionName, Marker, MaxItems: 2 }, chaos.env),
            ({ DurableExecutions, NextMarker }) => [DurableExecutions, NextMarker]
          )
        )
        const wanted = chaos.arns.filter((arn) => arn.includes(`:function:${FunctionName}:`))
        assert.deepStrictEqual(listed.map(({ DurableExecutionArn }) => DurableExecutionArn).sort(), wanted.sort())
      }
    }, 20)
  })

  it("older states are still what they were", () => {
    fc.assert(
      fc.property(commands, (list) => {
        const chaos = new Chaos(1_000)
        const versions: Array<{
          readonly state: Service.ServiceState
          readonly arns: ReadonlyArray<string>
          readonly text: string
        }> = []
        for (const command of list) {
          versions.push({ state: chaos.state, arns: [...chaos.arns], text: textOf(chaos.state, chaos.arns) })
          chaos.run(command)
        }
        for (const { arns, state, text } of versions) assert.strictEqual(textOf(state, arns), text)
      }),
      { seed, numRuns: 40 }
    )
  })

  it("the same commands make the same state", () => {
    fc.assert(
      fc.property(commands, (list) => {
        const [one, other] = [new Chaos(2), new Chaos(2)]
        for (const command of list) {
          one.run(command)
          other.run(command)
        }
        assert.strictEqual(textOf(one.state, one.arns), textOf(other.state, other.arns))
      }),
      { seed, numRuns: 20 }
    )
  })
})

/** Whether something will end this waiting operation: a timer, whoever holds the callback's id, or its target. */
const willEnd = (chaos: Chaos, arn: string, operation: Operation, armed: ReadonlySet<string>): boolean => {
  switch (operation.Type) {
    case "STEP":
      return armed.has(`StepRetry ${arn} ${operation.Id}`)
    case "WAIT":
      return armed.has(`Wait ${arn} ${operation.Id}`)
    case "CALLBACK": {
      const callbackId = operation.CallbackDetails?.CallbackId ?? ""
      return Result.isSuccess(Service.heartbeatCallback(chaos.state, { callbackId }, chaos.env))
    }
    default:
      return isRunningTarget(chaos, arn, operation.Id)
  }
}

const isRunningTarget = (chaos: Chaos, arn: string, operationId: string): boolean => {
  const isPlain = chaos.targets.some((target) => target.executionArn === arn && target.operationId === operationId)
  const isOpenChild = executions(chaos).some(({ execution }) => {
    const { parent } = execution.identity
    return execution.outcome === undefined && parent?.executionArn === arn && parent.operationId === operationId
  })
  return isPlain !== isOpenChild
}

const timersOf = (operation: Operation, chaos: Chaos, arn: string): ReadonlyArray<Service.TimerKind> => {
  if (!waits(operation)) return []
  if (operation.Type === "STEP") return ["StepRetry"]
  if (operation.Type === "WAIT") return ["Wait"]
  const started = Service.history(chaos.state, arn).find((event) => event.Id === operation.Id)
  if (started?.EventType !== "CallbackStarted") return []
  const { HeartbeatTimeout, Timeout } = started.CallbackStartedDetails
  return [
    ...(Timeout === undefined ? [] : (["CallbackTimeout"] as const)),
    ...(HeartbeatTimeout === undefined ? [] : (["HeartbeatTimeout"] as const))
  ]
}

/** What a state shows, told by the rule itself: nothing inside a finished context, unless it is replayed. */
const shownOf = (chaos: Chaos, arn: string): ReadonlyArray<Operation> => {
  const all = Service.operations(chaos.state, arn)
  const isShown = ({ ParentId }: Operation): boolean => {
    const parent = all.find(({ Id }) => Id === ParentId)
    if (parent === undefined) return true
    const hides = isOver(parent) && parent.ContextDetails?.ReplayChildren !== true
    return !hides && isShown(parent)
  }
  return all.filter(isShown)
}

const everyPage = <A>(
  read: (marker: string | undefined) => Result.Result<readonly [ReadonlyArray<A>, string | undefined], Service.Refused>
): ReadonlyArray<A> => {
  const items: Array<A> = []
  let marker: string | undefined
  do {
    const [page, next] = Result.getOrThrow(read(marker))
    items.push(...page)
    marker = next
  } while (marker !== undefined)
  return items
}

const textOf = (state: Service.ServiceState, arns: ReadonlyArray<string>): string =>
  JSON.stringify([
    state.now,
    Array.from(Service.timers(state)),
    arns.map((arn) => {
      const execution = Service.execution(state, arn)
      const facts = execution && [execution.gate, execution.outcome, execution.delivered, execution.usage]
      return [Service.operations(state, arn), Service.history(state, arn), facts]
    })
  ])
