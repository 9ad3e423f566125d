/** A sandbox that is being closed while invocations still arrive. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { Sandbox } from "../../src/lambda/internal/sandbox.ts"

class Database extends Context.Service<Database, { readonly id: number; open: boolean }>()("test/Database") {}

it("builds its layer anew for an invocation that comes while it closes", async () => {
  let builds = 0
  const release = Deferred.makeUnsafe<void>()
  const layer = Layer.effect(
    Database,
    Effect.acquireRelease(
      Effect.sync((): Database["Service"] => ({ id: ++builds, open: true })),
      (database) =>
        Effect.andThen(
          Effect.sync(() => void (database.open = false)),
          Deferred.await(release)
        )
    )
  )
  const sandbox = new Sandbox(layer)
  const database = () => Effect.runPromise(Effect.map(sandbox.services, (services) => Context.get(services, Database)))
  assert.deepStrictEqual(await database(), { id: 1, open: true })
  const closed = sandbox.close()
  assert.deepStrictEqual(await database(), { id: 2, open: true })
  Deferred.doneUnsafe(release, Effect.void)
  await closed
  assert.deepStrictEqual(await database(), { id: 2, open: true })
  await sandbox.close()
})

it("is closed for whoever closes it a second time when the first has released everything", async () => {
  const log: Array<string> = []
  const release = Deferred.makeUnsafe<void>()
  const layer = Layer.effectDiscard(
    Effect.addFinalizer(() =>
      Effect.andThen(
        Deferred.await(release),
        Effect.sync(() => void log.push("released"))
      )
    )
  )
  const sandbox = new Sandbox(layer)
  await Effect.runPromise(sandbox.services)
  const closed = [sandbox.close(), sandbox.close(), sandbox.dispose()].map((closing) =>
    closing.then(() => log.push("closed"))
  )
  Deferred.doneUnsafe(release, Effect.void)
  await Promise.all(closed)
  assert.deepStrictEqual(log, ["released", "closed", "closed", "closed"])
})

describe("a build that outlasts an invocation", () => {
  /** A sandbox whose builds take until they are allowed to end, and what becomes of them. */
  const slow = () => {
    const log: Array<string> = []
    const mayEnd: Array<Deferred.Deferred<void>> = []
    const layer = Layer.effect(
      Database,
      Effect.gen(function* () {
        const id = mayEnd.push(Deferred.makeUnsafe<void>())
        log.push(`build ${id}`)
        yield* Effect.addFinalizer(() => Effect.sync(() => void log.push(`release ${id}`)))
        yield* Deferred.await(mayEnd[id - 1] ?? Deferred.makeUnsafe<void>())
        return { id, open: true }
      })
    )
    const sandbox = new Sandbox(layer)
    return {
      log,
      end: (id: number) => Deferred.doneUnsafe(mayEnd[id - 1] ?? Deferred.makeUnsafe<void>(), Effect.void),
      invocation: () => Effect.runFork(Effect.map(sandbox.services, (services) => Context.get(services, Database).id))
    }
  }
  const runOut = (fiber: Fiber.Fiber<unknown>) => Effect.runPromise(Fiber.interrupt(fiber))
  const idOf = (fiber: Fiber.Fiber<number>) => Effect.runPromise(Fiber.join(fiber))

  it("goes on in the next one", async () => {
    const { end, invocation, log } = slow()
    await runOut(invocation())
    const next = invocation()
    end(1)
    assert.strictEqual(await idOf(next), 1)
    assert.deepStrictEqual(log, ["build 1"])
  })

  it("is given up when the next one has waited for it in vain", async () => {
    const { end, invocation, log } = slow()
    await runOut(invocation())
    await runOut(invocation())
    const third = invocation()
    end(2)
    assert.strictEqual(await idOf(third), 2)
    assert.deepStrictEqual(log, ["build 1", "release 1", "build 2"])
  })

  it("is not given up as long as another one waits for it", async () => {
    const { end, invocation, log } = slow()
    const [patient, impatient] = [invocation(), invocation()]
    await runOut(impatient)
    end(1)
    assert.strictEqual(await idOf(patient), 1)
    assert.deepStrictEqual(log, ["build 1"])
  })
})
