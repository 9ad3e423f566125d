/**
 * The local engine for an example: on a temporary database and a free port, with the functions in this process, and
 * with Lambda's client over HTTP. Time skips all waits.
 */
import { CheckpointStore, type DurableFunction, DurableClient } from "effect-durable"
import { LambdaCheckpoints, LambdaClient } from "effect-durable/lambda"
import { LocalEngine } from "effect-durable/local"
import { Faults } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The part of an engine that `npm start` needs. */
export type Engine = Layer.Layer<DurableClient.DurableClient, unknown>

/** An external system that answers every callback. */
type Answers<R> = (
  callbackId: string
) => Effect.Effect<void, DurableClient.ClientError, R | DurableClient.DurableClient>

/**
 * Creates an engine for these functions. The layer provides the services that the functions and the answers require.
 */
export const local = <
  const I extends ReadonlyArray<DurableFunction.AnyImplementation>,
  R extends LocalEngine.InProcessRequirements<I[number]>
>(
  functions: I,
  services: Layer.Layer<R | LocalEngine.InProcessRequirements<I[number]>>,
  faults: Faults.Options,
  answers?: Answers<R>
): Engine =>
  Layer.effectContext(
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const built = yield* Layer.build(services)
      const remote = yield* Deferred.make<CheckpointStore.CheckpointStore["Service"]>()
      const store = Faults.around(through(remote), faults)
      const engine = yield* Layer.build(
        LocalEngine.layer({
          functions: [
            LocalEngine.inProcess(functions, {
              layer: Layer.merge(Layer.succeedContext(built), Layer.succeed(CheckpointStore.CheckpointStore, store))
            })
          ],
          database: join(folder, "local.db"),
          port: 0,
          skipTime: true
        })
      )
      const { clock, url } = Context.get(engine, LocalEngine.LocalEngine)
      const connection = {
        endpoint: url,
        region: "us-east-1",
        credentials: { accessKeyId: "local", secretAccessKey: "local" }
      }
      const checkpoints = yield* Layer.build(LambdaCheckpoints.layerWith(connection))
      yield* Deferred.succeed(remote, Context.get(checkpoints, CheckpointStore.CheckpointStore))
      const client = yield* Layer.build(LambdaClient.layerWith(connection))
      if (answers !== undefined) {
        const names = functions.map(({ contract }) => contract.name)
        yield* attend(names, (callbackId) => Effect.provideService(answers(callbackId), Clock.Clock, clock)).pipe(
          Effect.provideContext(Context.merge(built, client)),
          Effect.forkScoped
        )
      }
      return client
    })
  )

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-durable-example-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** A store that exists before the engine does, and forwards requests to the real store once that is known. */
const through = (
  remote: Deferred.Deferred<CheckpointStore.CheckpointStore["Service"]>
): CheckpointStore.CheckpointStore["Service"] => ({
  checkpoint: (request) => Effect.flatMap(Deferred.await(remote), (store) => store.checkpoint(request)),
  loadState: (request) => Effect.flatMap(Deferred.await(remote), (store) => store.loadState(request))
})

/** Polls for callbacks of executions of these functions, and answers each once. */
const attend = <R>(functionNames: ReadonlyArray<string>, answers: Answers<R>) =>
  Effect.gen(function* () {
    const known = new Set<string>()
    const look = Effect.gen(function* () {
      for (const functionName of functionNames) {
        const events = Stream.flatMap(DurableClient.executions(functionName), ({ DurableExecutionArn }) =>
          DurableClient.events(DurableExecutionArn)
        )
        yield* Stream.runForEach(events, (event) => {
          if (event.EventType !== "CallbackStarted") return Effect.void
          const { CallbackId } = event.CallbackStartedDetails
          if (known.has(CallbackId)) return Effect.void
          known.add(CallbackId)
          return Effect.forkScoped(answers(CallbackId))
        })
      }
    })
    return yield* Effect.forever(Effect.andThen(look, Effect.sleep("20 millis")))
  })
