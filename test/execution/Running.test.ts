import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assembled, idle, settle } from "./support.ts"

/** The body of an attempt that ends when a test says so. */
const body = () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const fiber = { current: undefined as ReturnType<typeof Effect.runFork<string, never>> | undefined }
  return { resolve, fiber, fork: () => (fiber.current = Effect.runFork(Effect.promise(() => promise))) }
}

describe("What runs for an operation", () => {
  it("is told when it ends", async () => {
    const { claim, parts, run } = assembled()
    const { fork, resolve } = body()
    const ended: Array<string> = []
    run(() => parts.delivery.run(claim("a"), fork, ({ _tag }) => void ended.push(_tag)))
    assert.strictEqual(parts.delivery.running.size, 1)
    resolve("done")
    await Effect.runPromise(settle)
    assert.deepStrictEqual(ended, ["Success"])
    assert.strictEqual(parts.delivery.running.size, 0)
  })

  it("is interrupted when it is called off, and nobody hears of its end", async () => {
    const { claim, parts, run } = assembled()
    const { fiber, fork } = body()
    const ended: Array<string> = []
    const a = claim("a")
    run(() => parts.delivery.run(a, fork, ({ _tag }) => void ended.push(_tag)))
    await Effect.runPromise(parts.delivery.cancel(a))
    assert.isDefined(fiber.current?.pollUnsafe())
    assert.deepStrictEqual(ended, [])
  })

  it("is not told once what it belongs to has ended", async () => {
    const { claim, parts, run } = assembled()
    const { fork, resolve } = body()
    const ended: Array<string> = []
    const child = parts.root.inside({ id: "c", path: "c" })
    run(() => parts.delivery.run(claim("a", { namespace: child }), fork, ({ _tag }) => void ended.push(_tag)))
    parts.delivery.close(child)
    resolve("done")
    await Effect.runPromise(settle)
    assert.deepStrictEqual(ended, [])
  })

  it("is described, with the holds", () => {
    const { claim, parts, run } = assembled()
    parts.fibers.outside.set(idle, undefined)
    run(() => {
      parts.delivery.run(claim("busy"), body().fork, () => {})
      parts.delivery.holds.add({ path: "hold", isLocal: false })
    })
    const described = [`the step "busy" is running`, `the hold "hold" is running`]
    assert.deepStrictEqual(parts.delivery.describe().slice(0, 2), described)
  })
})
