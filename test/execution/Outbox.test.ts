import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore } from "effect-durable"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import * as FastCheck from "fast-check"
import { Host } from "../../src/execution/Host.ts"
import { Lifetime, suspended } from "../../src/execution/Lifetime.ts"
import { Outbox } from "../../src/execution/Outbox.ts"
import { Usage } from "../../src/execution/Usage.ts"
import { isClientToken } from "../../src/wire/Constraints.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import { ManualClock, record, settle, update, type Store } from "./support.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

type Checkpoint = CheckpointStore.CheckpointRequest

const answer = (CheckpointToken: string | undefined, ...names: ReadonlyArray<string>) => ({
  CheckpointToken,
  NewExecutionState: { Operations: names.map((name) => record(name)) }
})

/** An outbox with a store that a test answers, on a clock that a test moves. */
const make = (
  store: Partial<Store> = {},
  options: { readonly isContested?: boolean; readonly omitsStarts?: boolean } = {}
) => {
  const clock = new ManualClock()
  clock.now = 1_000
  let newest = 0
  const lifetime = new Lifetime()
  const requests: Array<Checkpoint> = []
  const log: Array<string> = []
  let unanswered = 0
  let most = 0
  const accepts: Store = {
    checkpoint: () => Effect.succeed(answer(`token-${requests.length}`)),
    loadState: () => Effect.succeed({ Operations: [] }),
    ...store
  }
  const services = Context.make(Clock.Clock, clock)
  const outbox = new Outbox({
    executionArn: "arn",
    token: "token-0",
    lifetime,
    omitsStarts: options.omitsStarts === true,
    listener: { repeated: () => void log.push("repeated") },
    usage: new Usage([], { maxOperations: Infinity, maxStorage: Infinity }, () => {}),
    host: new Host({
      services,
      clock,
      random: Context.get(services, Random.Random),
      scheduler: Context.get(services, Scheduler.Scheduler)
    }),
    store: {
      ...accepts,
      checkpoint: (request) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            requests.push(request)
            most = Math.max(most, ++unanswered)
          }),
          () => accepts.checkpoint(request),
          () => Effect.sync(() => void unanswered--)
        )
    }
  })
  outbox.attach({
    onState: (records) => {
      log.push(`state ${records.map(({ Id }) => Id).join(" ")}`)
      newest = Math.max(newest, ...records.map(({ EndTimestamp = 0 }) => EndTimestamp))
    },
    onAcknowledged: (acknowledged) => {
      for (const tell of acknowledged) tell()
    },
    onFailure: (error) => void log.push(error._tag),
    onTokenMissing: () => void log.push("no token"),
    onIdle: () => void log.push("idle"),
    onPush: () => void log.push("push"),
    isTaken: (millis) => options.isContested === true && millis === newest
  })
  return {
    outbox,
    clock,
    lifetime,
    requests,
    log,
    /** Queues an update that somebody waits for. */
    commit: (id: string, more?: Partial<OperationUpdate>) =>
      outbox.push(id, update(id, more), () => void log.push(`acknowledged ${id}`)),
    /** Queues an update that rides along. */
    later: (id: string, more?: Partial<OperationUpdate>) => outbox.push(id, update(id, more)),
    mostAtOnce: () => most
  }
}

/** What happened, without what is told of each update that is queued. */
const told = (log: ReadonlyArray<string>) => log.filter((line) => line !== "push")

const ids = (requests: ReadonlyArray<Checkpoint>) => requests.map((request) => request.Updates.map(({ Id }) => Id))

const counted = (n: number): ReadonlyArray<string> => Array.from({ length: n }, (_, i) => `op-${i}`)

/** A store whose answers come when a test says so. */
const slow = () => {
  const answers: Array<() => void> = []
  const checkpoint: Store["checkpoint"] = ({ CheckpointToken }) =>
    Effect.callback((resume) => void answers.push(() => resume(Effect.succeed(answer(`${CheckpointToken}+`)))))
  return { checkpoint, answer: () => answers.shift()?.() }
}

describe("Updates", () => {
  it("leave in the order in which they were queued, one request at a time, along the chain of tokens", () => {
    const store = slow()
    const { commit, log, mostAtOnce, outbox, requests } = make({ checkpoint: store.checkpoint })
    for (const id of ["a", "b"]) commit(id)
    assert.lengthOf(requests, 0)
    outbox.flush()
    for (const id of ["c", "d"]) commit(id)
    outbox.flush()
    assert.deepStrictEqual(ids(requests), [["a", "b"]])
    store.answer()
    store.answer()
    assert.deepStrictEqual(ids(requests), [
      ["a", "b"],
      ["c", "d"]
    ])
    assert.deepStrictEqual(
      requests.map(({ CheckpointToken }) => CheckpointToken),
      ["token-0", "token-0+"]
    )
    assert.strictEqual(mostAtOnce(), 1)
    assert.deepStrictEqual(told(log), ["acknowledged a", "acknowledged b", "acknowledged c", "acknowledged d", "idle"])
    assert.isFalse(outbox.isBusy)
    assert.deepStrictEqual(outbox.counts, { requests: 2, updates: 4 })
  })

  it("are at most 250 in a request", () => {
    const { commit, log, outbox, requests } = make()
    const all = counted(601)
    for (const id of all) commit(id)
    outbox.flush()
    assert.deepStrictEqual(
      requests.map(({ Updates }) => Updates.length),
      [250, 250, 101]
    )
    assert.deepStrictEqual(ids(requests).flat(), all)
    assert.lengthOf(
      log.filter((line) => line.startsWith("acknowledged")),
      601
    )
  })

  it("are at most 768,000 bytes in a request, whatever is in them, and a larger one is never held back", () => {
    const items = FastCheck.array(
      FastCheck.record({
        character: FastCheck.constantFrom("a", "é", "✓", "😀", "\u0000", `"`, "\ud800"),
        length: FastCheck.oneof(
          FastCheck.integer({ min: 0, max: 1_000 }),
          FastCheck.integer({ min: 50_000, max: 260_000 })
        ),
        error: FastCheck.boolean()
      }),
      { minLength: 1, maxLength: 12 }
    )
    FastCheck.assert(
      FastCheck.property(items, (all) => {
        const { commit, outbox, requests } = make()
        all.forEach(({ character, error, length }, i) => {
          const text = character.repeat(length)
          commit(`op-${i}`, error ? { Action: "FAIL", Error: { ErrorMessage: text } } : { Payload: text })
        })
        outbox.flush()
        assert.deepStrictEqual(
          ids(requests).flat(),
          all.map((_, i) => `op-${i}`)
        )
        for (const { Updates } of requests) {
          const bytes = new TextEncoder().encode(JSON.stringify(Updates)).length
          assert.isTrue(Updates.length === 1 || bytes <= 768_000, `${Updates.length} updates of ${bytes} bytes`)
        }
      }),
      { seed, numRuns: 15 }
    )
  })

  it("fill a request as far as it goes", () => {
    const { commit, outbox, requests } = make()
    for (const id of counted(9)) commit(id, { Payload: "x".repeat(250_000) })
    outbox.flush()
    assert.deepStrictEqual(
      requests.map(({ Updates }) => Updates.length),
      [3, 3, 3]
    )
  })

  it("of the execution leave alone and last, and their answer needs no token", () => {
    const { commit, later, log, outbox, requests } = make({
      checkpoint: ({ Updates }) => Effect.succeed(answer(Updates[0]?.Type === "EXECUTION" ? undefined : "next"))
    })
    later("context", { Type: "CONTEXT" })
    commit("a")
    commit("execution", { Type: "EXECUTION" })
    outbox.flush()
    assert.deepStrictEqual(ids(requests), [["context", "a"], ["execution"]])
    assert.notInclude(log, "no token")
    assert.include(log, "acknowledged execution")
  })

  it("of a step that succeeds before its start has left are one, where starts are omitted", () => {
    const { commit, later, outbox, requests } = make({}, { omitsStarts: true })
    const start = { Type: "STEP", Action: "START" } as const
    const succeed = { Type: "STEP", Action: "SUCCEED" } as const
    later("sent", start)
    outbox.flush()
    later("short", start)
    later("failed", start)
    commit("first", start)
    later("context", { Type: "CONTEXT", Action: "START" })
    commit("short", succeed)
    commit("failed", { Type: "STEP", Action: "FAIL" })
    commit("first", succeed)
    commit("sent", succeed)
    commit("context", { Type: "CONTEXT", Action: "SUCCEED" })
    outbox.flush()
    assert.deepStrictEqual(
      requests.map(({ Updates }) => Updates.map(({ Action, Id }) => `${Id} ${Action}`)),
      [
        ["sent START"],
        [
          "failed START",
          "first START",
          "context START",
          "short SUCCEED",
          "failed FAIL",
          "first SUCCEED",
          "sent SUCCEED",
          "context SUCCEED"
        ]
      ]
    )
  })

  it("are told of before they enter the queue, so that something may be recorded before them", () => {
    const { commit, log } = make()
    commit("a")
    assert.deepStrictEqual(log, ["push"])
  })
})

describe("A response", () => {
  it("without a token is reported, and nothing is acknowledged", () => {
    for (const token of [undefined, ""]) {
      const { commit, log, outbox } = make({ checkpoint: () => Effect.succeed(answer(token, "x")) })
      commit("a")
      outbox.flush()
      assert.deepStrictEqual(told(log), ["no token", "idle"])
    }
  })

  it("is taken in with all of its pages, read with the new token, before anybody goes on", () => {
    const asked: Array<CheckpointStore.StateRequest> = []
    const pages: Record<string, CheckpointStore.StatePage> = {
      "page-2": { Operations: [record("2")], NextMarker: "page-3" },
      "page-3": { Operations: [record("3")], NextMarker: "" }
    }
    const { commit, log, outbox } = make({
      checkpoint: () =>
        Effect.succeed({
          CheckpointToken: "next",
          NewExecutionState: { Operations: [record("1")], NextMarker: "page-2" }
        }),
      loadState: (request) => {
        asked.push(request)
        return Effect.succeed(pages[request.Marker] ?? { Operations: [] })
      }
    })
    commit("a")
    outbox.flush()
    assert.deepStrictEqual(told(log), ["state 1 2 3", "acknowledged a", "idle"])
    assert.deepStrictEqual(
      asked.map(({ CheckpointToken, Marker }) => [CheckpointToken, Marker]),
      [
        ["next", "page-2"],
        ["next", "page-3"]
      ]
    )
  })

  it("has no page that an empty marker names", () => {
    const { commit, log, outbox } = make({
      checkpoint: () =>
        Effect.succeed({
          CheckpointToken: "next",
          NewExecutionState: { Operations: [record("1")], NextMarker: "" }
        }),
      loadState: () => Effect.die("asked for a page")
    })
    commit("a")
    outbox.flush()
    assert.deepStrictEqual(told(log), ["state 1", "acknowledged a", "idle"])
  })
})

describe("A request", () => {
  it("has a token of its own, which the service accepts", () => {
    const { commit, outbox, requests } = make({
      // A service that gives the same token again, as an emulator may.
      checkpoint: () => Effect.succeed(answer("token-0"))
    })
    for (const id of counted(1_000)) commit(id)
    outbox.flush()
    assert.lengthOf(requests, 4)
    assert.lengthOf(new Set(requests.map(({ ClientToken }) => ClientToken)), 4)
    for (const { ClientToken } of requests) assert.isTrue(isClientToken(ClientToken))
  })

  it("that is not answered is sent again as it was, a few times, and then given up", () => {
    const { clock, commit, log, outbox, requests } = make({
      checkpoint: () => Effect.fail(new CheckpointStore.StoreUnavailable({ message: "busy" }))
    })
    commit("a")
    outbox.flush()
    for (let i = 0; i < 20; i++) clock.pass(1_000)
    assert.lengthOf(requests, 5)
    assert.lengthOf(new Set(requests.map((request) => JSON.stringify(request))), 1)
    assert.include(log, "StoreUnavailable")
    assert.notInclude(log, "acknowledged a")
  })

  it("that is refused, or lost the execution, is not sent again", () => {
    for (const error of [
      new CheckpointStore.StoreRefused({ message: "no" }),
      new CheckpointStore.StaleCheckpointToken({ message: "stale" })
    ]) {
      const { clock, commit, log, outbox, requests } = make({ checkpoint: () => Effect.fail(error) })
      commit("a")
      outbox.flush()
      clock.pass(10_000)
      assert.lengthOf(requests, 1)
      assert.include(log, error._tag)
    }
  })

  it("to a store that dies, throws or interrupts itself fails as if the store were unavailable", () => {
    const faults: ReadonlyArray<Store["checkpoint"]> = [
      () => Effect.die("bug"),
      () => {
        throw new Error("bug")
      },
      () => Effect.interrupt
    ]
    for (const checkpoint of faults) {
      const { commit, log, outbox } = make({ checkpoint })
      commit("a")
      outbox.flush()
      assert.include(log, "StoreUnavailable")
    }
  })
})

describe("Updates that nobody waits for", () => {
  it("ride along, or leave after 100 ms", () => {
    const { clock, later, requests } = make()
    for (const id of ["a", "b"]) later(id)
    clock.pass(99)
    assert.lengthOf(requests, 0)
    clock.pass(1)
    assert.deepStrictEqual(ids(requests), [["a", "b"]])
  })

  it("wait 100 ms from the oldest that is left", () => {
    const { clock, commit, later, outbox, requests } = make()
    later("a")
    clock.pass(60)
    commit("b")
    outbox.flush()
    assert.deepStrictEqual(ids(requests), [["a", "b"]])
    later("c")
    clock.pass(99)
    assert.lengthOf(requests, 1)
    clock.pass(1)
    assert.deepStrictEqual(ids(requests), [["a", "b"], ["c"]])
  })

  it("leave no more by themselves once the workflow is over", () => {
    const { clock, later, lifetime, outbox, requests } = make()
    later("a")
    lifetime.end(suspended)
    clock.pass(1_000)
    assert.lengthOf(requests, 0)
    assert.isTrue(outbox.isBusy)
    outbox.flush()
    assert.deepStrictEqual(ids(requests), [["a"]])
  })
})

describe("The service is asked for news", () => {
  it("by an empty request, once for all who want it", () => {
    const { outbox, requests } = make()
    outbox.flush()
    assert.lengthOf(requests, 0)
    outbox.poll()
    assert.deepStrictEqual(ids(requests), [[]])
  })

  it("together with what is queued, and the answer counts when its request began after the question", () => {
    const store = slow()
    const { commit, log, outbox, requests } = make({ checkpoint: store.checkpoint })
    commit("a")
    outbox.flush()
    commit("b")
    outbox.ask(() => void log.push("answered"))
    store.answer()
    assert.deepStrictEqual(told(log), ["acknowledged a"])
    store.answer()
    assert.deepStrictEqual(told(log), ["acknowledged a", "acknowledged b", "answered", "idle"])
    assert.deepStrictEqual(ids(requests), [["a"], ["b"]])
  })
})

describe("Where the service stamps whole milliseconds", () => {
  const stamped = (isContested: boolean, ordered?: boolean) => {
    const made = make(
      {
        ...(ordered === undefined ? undefined : { ordered }),
        checkpoint: ({ CheckpointToken, Updates }) => {
          const Operations = Updates.map(({ Id }) => record(Id, { EndTimestamp: Math.floor(made.clock.now) }))
          return Effect.succeed({ CheckpointToken: `${CheckpointToken}+`, NewExecutionState: { Operations } })
        }
      },
      { isContested }
    )
    for (const id of ["a", "b"]) {
      made.commit(id)
      made.outbox.flush()
    }
    return made
  }

  it("no two requests share a millisecond where that matters", () => {
    const { clock, requests } = stamped(true)
    assert.deepStrictEqual(ids(requests), [["a"]])
    clock.pass(1)
    assert.deepStrictEqual(ids(requests), [["a"], ["b"]])
  })

  it("nobody pays where it does not", () => assert.lengthOf(stamped(false).requests, 2))

  it("nobody does where the store gives every request a greater stamp", () =>
    assert.lengthOf(stamped(true, true).requests, 2))
})

describe("An outbox that is closed", () => {
  it("sends nothing more, and forgets what is queued", () => {
    const { clock, commit, later, log, outbox, requests } = make()
    commit("a")
    outbox.close()
    commit("b")
    later("c")
    outbox.flush()
    outbox.poll()
    clock.pass(1_000)
    assert.lengthOf(requests, 0)
    assert.notInclude(log.join(), "acknowledged")
    assert.isFalse(outbox.isBusy)
  })

  it("lets a request that is under way come to its end", () => {
    const store = slow()
    const { commit, log, outbox } = make({ checkpoint: store.checkpoint })
    commit("a")
    outbox.flush()
    outbox.close()
    assert.isTrue(outbox.isSending)
    store.answer()
    assert.include(log, "acknowledged a")
  })

  it.live("repeats no request, and waits for none that would be repeated", () =>
    Effect.gen(function* () {
      const { clock, commit, outbox, requests } = make({
        checkpoint: () => Effect.fail(new CheckpointStore.StoreUnavailable({ message: "busy" }))
      })
      commit("a")
      outbox.flush()
      outbox.close()
      assert.isFalse(outbox.isSending)
      clock.pass(10_000)
      yield* settle
      assert.lengthOf(requests, 1)
    })
  )
})
