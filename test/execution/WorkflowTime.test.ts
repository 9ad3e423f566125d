import { assert, describe, it } from "@effect/vitest"
import { WorkflowTime, type Stamped, type Unread } from "../../src/execution/WorkflowTime.ts"

/** An operation whose stamps the service tells later. */
const operation = () => {
  const claim: { -readonly [K in keyof Stamped]: Stamped[K] } = { id: "a", name: "a", record: undefined }
  return {
    ended: { claim, of: "end" } as const satisfies Unread,
    began: { claim, of: "start" } as const satisfies Unread,
    tell: (record: Stamped["record"]) => void (claim.record = record)
  }
}

describe("The time of a workflow", () => {
  it("is the greatest that was delivered, and never goes back", () => {
    const time = new WorkflowTime(1_000)
    time.advanceTo(500)
    assert.strictEqual(time.now, 1_000)
    time.advanceTo(2_000)
    time.advanceTo(1_999)
    assert.strictEqual(time.now, 2_000)
  })

  it("keeps an unread stamp that is later than what is delivered, known or not", () => {
    const { ended, tell } = operation()
    const time = new WorkflowTime(0)
    time.leaveUnread(ended)
    time.advanceTo(40)
    tell({ StartTimestamp: 1, EndTimestamp: 70 })
    time.advanceTo(50)
    assert.strictEqual(time.now, 50)
    assert.strictEqual(time.glance(999), 70)
    time.advanceTo(60)
    assert.strictEqual(time.now, 70)
    assert.isUndefined(time.unread)
  })

  it("keeps an unread stamp that is not known when something is delivered, because it may be later", () => {
    const { ended, tell } = operation()
    const time = new WorkflowTime(0)
    time.leaveUnread(ended)
    time.advanceTo(50)
    assert.strictEqual(time.now, 50)
    assert.strictEqual(time.unread, ended)
    tell({ StartTimestamp: 1, EndTimestamp: 70 })
    time.advanceTo(70)
    assert.strictEqual(time.now, 70)
    assert.isUndefined(time.unread)
  })

  it("keeps an unread stamp that was not known when code was shown something else, which is recorded", () => {
    const { ended, tell } = operation()
    const time = new WorkflowTime(0)
    time.leaveUnread(ended, 51)
    tell({ StartTimestamp: 1, EndTimestamp: 70 })
    time.advanceTo(50)
    assert.strictEqual(time.now, 50)
    assert.strictEqual(time.glance(999), 51)
    time.advanceTo(60)
    assert.strictEqual(time.now, 60)
    assert.isUndefined(time.unread)
  })

  it("counts the beginning of an operation where that is what is unread", () => {
    const { began, tell } = operation()
    const time = new WorkflowTime(0)
    time.leaveUnread(began)
    tell({ StartTimestamp: 30, EndTimestamp: 70 })
    assert.strictEqual(time.glance(0), 30)
  })

  it("counts an unread stamp from when code has waited for it", () => {
    const time = new WorkflowTime(10)
    time.leaveUnread(operation().ended)
    time.read(40)
    assert.strictEqual(time.now, 40)
    time.leaveUnread(operation().ended)
    time.read(20)
    assert.strictEqual(time.now, 40)
  })
})

describe("A glance at a time that is unread", () => {
  it("shows the newest stamp, the same however often code looks, which is to be recorded once", () => {
    const { ended } = operation()
    const time = new WorkflowTime(100)
    time.leaveUnread(ended)
    assert.strictEqual(time.glance(150.7), 150)
    assert.strictEqual(time.glance(190), 150)
    assert.deepStrictEqual(time.settle(), { unread: ended, time: 150 })
    assert.strictEqual(time.now, 150)
    assert.isUndefined(time.settle())
  })

  it("never goes back, although stamps do", () => {
    const time = new WorkflowTime(100)
    time.leaveUnread(operation().ended)
    assert.strictEqual(time.glance(1), 100)
  })

  it("shows what was recorded on the first run, and nothing is to be recorded again", () => {
    const time = new WorkflowTime(100)
    time.leaveUnread(operation().ended, 170)
    assert.strictEqual(time.glance(999), 170)
    assert.isUndefined(time.settle())
    assert.strictEqual(time.now, 170)
  })

  it("shows the stamp where the service has told it, and nothing is to be recorded", () => {
    const { ended, tell } = operation()
    const time = new WorkflowTime(100)
    time.leaveUnread(ended)
    tell({ StartTimestamp: 0, EndTimestamp: 130 })
    assert.strictEqual(time.glance(999), 130)
    assert.isUndefined(time.settle())
  })

  it("is nothing to be recorded where the time is known", () => {
    const time = new WorkflowTime(100)
    assert.strictEqual(time.glance(999), 100)
    assert.isUndefined(time.settle())
  })

  it("of a log line counts for nothing", () => {
    const time = new WorkflowTime(100)
    time.leaveUnread(operation().ended)
    time.glance(150)
    time.disregard()
    assert.isUndefined(time.settle())
    time.advanceTo(120)
    assert.strictEqual(time.now, 120)
  })

  it("does not show what a log line was shown before, once time has gone on", () => {
    const time = new WorkflowTime(100)
    time.leaveUnread(operation().ended)
    time.glance(105)
    time.disregard()
    time.advanceTo(120)
    assert.strictEqual(time.glance(110), 120)
  })

  it("counts at the next delivery, with what it showed", () => {
    const { ended, tell } = operation()
    const time = new WorkflowTime(100)
    time.leaveUnread(ended)
    time.glance(150)
    tell({ StartTimestamp: 0, EndTimestamp: 999 })
    time.advanceTo(120)
    assert.strictEqual(time.now, 150)
  })
})
