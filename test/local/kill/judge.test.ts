/**
 * The judge of `npm run kill`: it accepts what is right, and would notice whatever an engine could get wrong.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Json } from "../support.ts"
import { problemsOf, type Evidence } from "./judge.ts"
import type { Note } from "./scenes.ts"

const note = (mark: string, at: Note["at"], token = mark): Note => ({ run: "r", mark, at, token, pid: 1 })

const bothOf = (mark: string): ReadonlyArray<Note> => [note(mark, "begin"), note(mark, "end")]

const event = (EventId: number, EventType: string, Id: string, more: Json = {}): Json => ({
  EventId,
  EventType,
  Id,
  Name: Id,
  ...more
})

const ended = { StepSucceededDetails: { RetryDetails: { CurrentAttempt: 1 } } }

const steps: Evidence = {
  scene: "step",
  run: "r",
  execution: { Status: "SUCCEEDED", Result: `["first","second"]` },
  events: [
    event(1, "ExecutionStarted", "e"),
    event(2, "StepStarted", "first"),
    event(3, "StepSucceeded", "first", ended),
    event(4, "StepSucceeded", "second", ended),
    event(5, "ExecutionSucceeded", "e")
  ],
  notes: [...bothOf("first"), ...bothOf("second")]
}

const once: Evidence = {
  ...steps,
  scene: "once",
  execution: { Status: "SUCCEEDED", Result: `["interrupted"]` },
  notes: [note("once", "begin")]
}

const undos: Evidence = {
  ...steps,
  scene: "compensation",
  execution: { Status: "FAILED" },
  notes: [...bothOf("undo hotel"), ...bothOf("undo flight")]
}

const finds = (evidence: Evidence, problem: RegExp): void => {
  const found = problemsOf(evidence)
  assert.isTrue(
    found.some((text) => problem.test(text)),
    `${problem} is not in: ${found.join("; ")}`
  )
}

describe("The judge", () => {
  it("accepts what is right", () => {
    for (const evidence of [steps, once, undos]) assert.deepStrictEqual(problemsOf(evidence), [])
  })

  it("notices an execution that ends wrongly", () => {
    finds({ ...steps, execution: { Status: "FAILED", Error: {} } }, /ended as FAILED instead of SUCCEEDED/)
  })

  it("notices a result that no body gave, or the wrong one", () => {
    finds({ ...steps, notes: bothOf("first") }, /a body that did not end/)
    finds({ ...steps, execution: { Status: "SUCCEEDED", Result: `["second","first"]` } }, /result of second, first/)
  })

  it("notices a body that ran more than at most once", () => {
    finds({ ...once, notes: [note("once", "begin"), note("once", "begin")] }, /began 2 times/)
  })

  it("notices what was not undone, and undos in the wrong order", () => {
    finds({ ...undos, notes: bothOf("undo hotel") }, /undid undo hotel/)
    finds({ ...undos, notes: undos.notes.toReversed() }, /undid undo flight, undo hotel/)
  })

  it("notices an event that is lost, or twice there", () => {
    finds({ ...steps, events: steps.events.toSpliced(1, 1) }, /has events 1 3 4 5/)
    const twice = steps.events.toSpliced(3, 0, event(4, "StepSucceeded", "first", ended))
    finds({ ...steps, events: twice }, /operation first ended 2 times/)
    finds({ ...steps, events: steps.events.filter(({ EventId }) => EventId !== 3) }, /"first" has no end/)
    finds({ ...steps, events: steps.events.slice(0, -1) }, /last event is StepSucceeded/)
  })
})
