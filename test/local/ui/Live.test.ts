/** Who hears of changes: the right page, as often as it can take it, and no longer than it listens. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { request, type IncomingMessage } from "node:http"
import { setImmediate as turn } from "node:timers/promises"
import * as Service from "../../../src/engine/Service.ts"
import { changes } from "../../../src/local/ui/Live.ts"
import { played } from "../support.ts"

type Machine = Effect.Success<ReturnType<typeof played>>["machine"]

const start = (machine: Machine, executionName: string): string => {
  const request = { functionName: "orders:$LATEST", executionName, invocationType: "Event" as const }
  return Result.getOrThrow(machine.command(Service.startExecution, request)).executionArn
}

const stop = (machine: Machine, executionArn: string) =>
  Result.getOrThrow(machine.command(Service.stopExecution, { executionArn }))

/** The next words of a stream. */
const nextOf = (stream: NodeJS.ReadableStream): Effect.Effect<string> =>
  Effect.callback((resume) => {
    stream.once("data", (data: Buffer) => {
      stream.pause()
      resume(Effect.succeed(data.toString()))
    })
    stream.resume()
  })

describe("A stream of changes", () => {
  it.live("says which engine it is of, and then of each change", () =>
    Effect.gen(function* () {
      const { machine } = yield* played()
      const stream = changes(machine, "e-1", undefined)
      assert.include(yield* nextOf(stream), "event: engine\ndata: e-1\n\n")
      const arn = start(machine, "one")
      assert.strictEqual(yield* nextOf(stream), "event: change\ndata:\n\n")
      stop(machine, arn)
      assert.strictEqual(yield* nextOf(stream), "event: change\ndata:\n\n")
      stream.destroy()
    })
  )

  it.live("of one execution says nothing of another", () =>
    Effect.gen(function* () {
      const { machine } = yield* played()
      const [one, two] = [start(machine, "one"), start(machine, "two")]
      const stream = changes(machine, "e-1", one)
      yield* nextOf(stream)
      stop(machine, two)
      yield* Effect.promise(() => turn())
      assert.strictEqual(stream.readableLength, 0)
      stop(machine, one)
      assert.include(yield* nextOf(stream), "change")
      stream.destroy()
    })
  )

  it.live("keeps one word for a page that does not read, however much changes", () =>
    Effect.gen(function* () {
      const { machine } = yield* played()
      const stream = changes(machine, "e-1", undefined)
      for (let index = 0; index < 200; index++) start(machine, `n-${index}`)
      yield* Effect.promise(() => turn())
      const kept = String(stream.read())
      assert.lengthOf(kept.match(/event: change/g) ?? [], 1)
      stream.destroy()
    })
  )

  it.live("does not listen any more when its page has gone", () =>
    Effect.gen(function* () {
      const { machine } = yield* played()
      const ended: Array<boolean> = []
      const listening = {
        onChange: () => () => {
          ended.push(true)
          return true
        }
      }
      const stream = changes(Object.assign(Object.create(machine), listening), "e-1", undefined)
      stream.destroy()
      yield* Effect.promise(() => turn())
      assert.deepStrictEqual(ended, [true])
    })
  )
})

describe("An engine that ends", () => {
  it.live("does not wait for pages that listen", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { machine, url } = yield* Scope.provide(scope)(played())
      const response = yield* Effect.callback<IncomingMessage>((resume) => {
        const sent = request(`${url}/_ui/events`, (answer) => resume(Effect.succeed(answer)))
        // Its connection is cut off.
        sent.on("error", () => undefined)
        sent.end()
      })
      response.on("error", () => undefined)
      assert.strictEqual(response.headers["content-type"], "text/event-stream")
      assert.include(yield* nextOf(response), "event: engine")
      start(machine, "one")
      assert.include(yield* nextOf(response), "event: change")
      const closed = Effect.callback<void>((resume) => {
        response.once("close", () => resume(Effect.void))
        response.resume()
      })
      yield* Effect.all([closed, Scope.close(scope, Exit.void)], { concurrency: "unbounded" })
    })
  )
})
