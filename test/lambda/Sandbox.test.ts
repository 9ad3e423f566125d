/** A sandbox that is being closed while invocations still arrive. */
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
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
