/** What the client reads: pages are asked for when they are wanted, a circle of pages has an end, and people pass what they have. */
import { assert, describe, it } from "@effect/vitest"
import { DurableClient, DurableFunction, Targets } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

const port = DurableClient.DurableClient

const Ship = DurableFunction.make("ship")
const world = TestEngine.layer([Ship.implement(() => Effect.void)])

/** Names the markers that are asked for, and answers with the marker that follows. */
const pages = (asked: Array<string | undefined>, next: Readonly<Record<string, string>>) =>
  Layer.effect(
    port,
    Effect.map(port, (client) => ({
      ...client,
      list: (name: string, options?: DurableClient.PageRequest) =>
        Effect.map(client.list(name), ({ items }) => {
          asked.push(options?.marker)
          const nextMarker = next[options?.marker ?? "first"]
          return nextMarker === undefined ? { items } : { items, nextMarker }
        })
    }))
  ).pipe(Layer.provide(world))

const started = Layer.effectDiscard(Effect.orDie(DurableClient.start(Ship)))

describe("A stream of pages", () => {
  it.effect("is an error of the client when there is nothing to read", () =>
    Effect.gen(function* () {
      const noFunction = yield* Effect.flip(Stream.runCollect(DurableClient.executions("nobody")))
      assert.strictEqual(noFunction._tag, "NotFound")
      const noExecution = yield* Effect.flip(Stream.runCollect(DurableClient.events("arn:none")))
      assert.strictEqual(noExecution._tag, "NotFound")
    }).pipe(Effect.provide(world))
  )

  it.effect("asks for no page before it is wanted", () =>
    Effect.gen(function* () {
      const asked: Array<string | undefined> = []
      const executions = DurableClient.executions("ship", { pageItems: 1 })
      const counting = Layer.effect(
        port,
        Effect.map(port, (client) => ({
          ...client,
          list: (name: string, options?: DurableClient.PageRequest) => {
            asked.push(`${options?.maxItems}`)
            return client.list(name, options)
          }
        }))
      )
      yield* Effect.gen(function* () {
        yield* DurableClient.start(Ship)
        yield* DurableClient.start(Ship)
        yield* DurableClient.start(Ship)
        assert.lengthOf(asked, 0)
        assert.isTrue(Option.isSome(yield* Stream.runHead(executions)))
        assert.deepStrictEqual(asked, ["1"])
        assert.lengthOf(yield* Stream.runCollect(Stream.take(executions, 2)), 2)
        assert.lengthOf(asked, 3)
        assert.lengthOf(yield* Stream.runCollect(executions), 3)
        // A second run of the same stream begins anew.
        assert.lengthOf(yield* Stream.runCollect(executions), 3)
      }).pipe(Effect.provide(Layer.provideMerge(counting, world)))
    })
  )

  it.effect("goes past a page without items, and ends at an empty marker", () =>
    Effect.gen(function* () {
      const asked: Array<string | undefined> = []
      const empty = yield* Stream.runCollect(DurableClient.executions("ship")).pipe(
        Effect.provide(pages(asked, { first: "a", a: "b", b: "" }))
      )
      assert.deepStrictEqual(empty, [])
      assert.deepStrictEqual(asked, [undefined, "a", "b"])
    })
  )

  for (const [circle, next] of Object.entries({
    "the same page": { first: "a", a: "a" },
    "a page before it": { first: "a", a: "b", b: "c", c: "a" }
  })) {
    it.effect(`fails when the service leads back to ${circle}, after what was read`, () =>
      Effect.gen(function* () {
        const asked: Array<string | undefined> = []
        const client = Layer.provideMerge(started, pages(asked, next))
        const seen: Array<string> = []
        const error = yield* DurableClient.executions("ship").pipe(
          Stream.runForEach(({ DurableExecutionArn }) => Effect.sync(() => void seen.push(DurableExecutionArn))),
          Effect.flip,
          Effect.provide(client)
        )
        assert.strictEqual(error._tag, "ClientUnavailable")
        assert.strictEqual(error.message, "The service led back to a page that was already read. Try again.")
        assert.deepStrictEqual(asked, [undefined, ...Object.values(next).slice(0, -1)])
        assert.lengthOf(seen, asked.length)
      })
    )
  }
})

describe("An execution", () => {
  it.effect("is known by its ARN, by what a start answers with, and by what a list has", () =>
    Effect.gen(function* () {
      const started = yield* DurableClient.start(Ship)
      yield* DurableClient.run(Ship)
      const listed = yield* Stream.runCollect(DurableClient.executions(Ship, { reverseOrder: true }))
      assert.strictEqual(listed[0]?.DurableExecutionArn, started.executionArn)
      for (const execution of [started.executionArn, started, ...listed.slice(0, 1)]) {
        assert.strictEqual((yield* DurableClient.get(execution)).DurableExecutionArn, started.executionArn)
        const first = yield* Stream.runHead(DurableClient.events(execution))
        assert.deepStrictEqual(
          Option.map(first, ({ EventType }) => EventType),
          Option.some("ExecutionStarted")
        )
      }
    }).pipe(Effect.provide(world))
  )

  it.effect("is stopped by any of them", () => {
    const Wait = DurableFunction.make("wait")
    const waiting = TestEngine.layer([Wait.implement(() => Effect.never)], { executionTimeout: "1 day" })
    return Effect.gen(function* () {
      yield* DurableClient.stop(yield* DurableClient.start(Wait))
      yield* DurableClient.stop((yield* DurableClient.start(Wait)).executionArn)
      yield* DurableClient.start(Wait)
      yield* Stream.runForEach(DurableClient.executions(Wait), (execution) => DurableClient.stop(execution))
      assert.strictEqual(yield* Stream.runCount(DurableClient.executions(Wait, { statuses: ["STOPPED"] })), 3)
    }).pipe(Effect.provide(waiting))
  })
})

describe("The executions of a contract", () => {
  const listedAt = (layer: Layer.Layer<never>, contract: DurableFunction.AnyDurable = Ship) =>
    Effect.gen(function* () {
      const names: Array<string> = []
      const client = Layer.effect(
        port,
        Effect.map(port, (own) => ({
          ...own,
          list: (name: string) =>
            Effect.as(
              Effect.sync(() => names.push(name)),
              { items: [] }
            )
        }))
      ).pipe(Layer.provide(world))
      yield* Stream.runDrain(DurableClient.executions(contract)).pipe(Effect.provide(Layer.merge(client, layer)))
      return names
    })
  const arn = "arn:aws:lambda:eu-west-1:123456789012:function:shipping"

  it.effect("are those of its address, whatever the version or alias", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* listedAt(Layer.empty), ["ship"])
      assert.deepStrictEqual(yield* listedAt(Layer.empty, DurableFunction.make("a", { target: "b:live" })), ["b"])
      assert.deepStrictEqual(yield* listedAt(Targets.layer({ ship: "shipping:7" })), ["shipping"])
      assert.deepStrictEqual(yield* listedAt(Targets.layer({ ship: `${arn}:live` })), [arn])
    })
  )

  it.effect("are an error when the address is none", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(listedAt(Targets.layer({ ship: "no address" })))
      assert.strictEqual(error._tag, "InvalidTarget")
    })
  )
})
