/** The streams of the client: pages are asked for when they are wanted, and a circle of pages has an end. */
import { assert, describe, it } from "@effect/vitest"
import { DurableClient, DurableFunction } from "effect-durable"
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
        assert.strictEqual(error.message, "The service led back to a page that was read already. Ask again.")
        assert.deepStrictEqual(asked, [undefined, ...Object.values(next).slice(0, -1)])
        assert.lengthOf(seen, asked.length)
      })
    )
  }
})
