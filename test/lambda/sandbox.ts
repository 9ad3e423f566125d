/**
 * A sandbox of Lambda as a process of its own, for the tests of how a handler lives and ends in one. The scenario is the
 * first argument; what happens is printed line by line, and `ready` means that the signal may come.
 */
import { Durable, DurableError, DurableFunction } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import process from "node:process"
import { contextOf, Lambda } from "./support.ts"

const print = (text: string): Effect.Effect<void> => Effect.sync(() => console.log(text))

class Connection extends Context.Service<Connection, { readonly query: Effect.Effect<void> }>()("test/Connection") {}

const connected = (
  name: string,
  acquire: Effect.Effect<void> = Effect.void,
  release: Effect.Effect<void> = Effect.void
) =>
  Layer.effect(
    Connection,
    Effect.acquireRelease(Effect.as(Effect.andThen(print(`open ${name}`), acquire), { query: Effect.void }), () =>
      Effect.andThen(release, print(`close ${name}`))
    )
  )

const Work = DurableFunction.make("work")
const query = Work.implement(() =>
  Durable.step(
    "query",
    Effect.flatMap(Connection, ({ query }) => query)
  )
)

const lambda = new Lambda()
const { checkpoints } = lambda

const deploy = (layer: Layer.Layer<Connection, Error>, implementation = query, name = "work") => {
  const handler = LambdaHandler.make(implementation, { layer, checkpoints })
  lambda.deploy(name, handler)
  return handler
}

/** Keeps the process alive as the runtime of Lambda does between two invocations. */
const stayAlive = () => setInterval(() => {}, 1_000)

const ready = (): void => console.log("ready")

/** A workflow whose step is still running when the signal comes. */
const busy = (started: Effect.Effect<void>, finalizer: Effect.Effect<void>) =>
  Work.implement(() =>
    Durable.step("query", Effect.andThen(Connection, Effect.ensuring(Effect.andThen(started, Effect.never), finalizer)))
  )

const report = (error: unknown): void => {
  const reason = error instanceof DurableError.InvocationFailed ? error.reason : "unknown"
  console.log(error instanceof Error ? `rejected ${error.name} ${reason}` : "rejected with something else")
}

const run = async (name = "work"): Promise<void> => report((await lambda.first(name)).error)

const scenarios: Readonly<Record<string, () => Promise<unknown>>> = {
  "idle, with a hundred handlers,": async () => {
    process.on("warning", ({ name }) => console.log(name))
    for (let index = 0; index < 100; index++) {
      deploy(connected(String(index)), query, `work-${index}`)
      await lambda.run(`work-${index}`)
    }
    console.log(`${process.listenerCount("SIGTERM")} listener`)
    stayAlive()
    ready()
  },
  running: async () => {
    let running = 0
    const started = Effect.sync(() => {
      if (++running === 2) ready()
    })
    deploy(connected("db"), busy(started, print("rolled back")))
    deploy(connected("cache"), busy(started, Effect.never), "endless")
    stayAlive()
    await Promise.all([run("work"), run("endless")])
  },
  starting: async () => {
    // The layer is ready only after the signal, however long that takes to arrive.
    const signal = Effect.callback<void>((resume) => {
      process.once("SIGTERM", () => setTimeout(() => resume(Effect.void), 50))
      setTimeout(ready, 1)
    })
    deploy(connected("db", signal))
    stayAlive()
    await run()
  },
  "unable to open": async () => {
    const opened = Layer.effect(Connection, Effect.ensuring(Effect.never, print("gave up")))
    const lost = new Lambda({ context: () => contextOf(20) })
    lost.deploy("work", LambdaHandler.make(query, { layer: opened, checkpoints: lost.checkpoints }))
    report((await lost.first("work")).error)
    stayAlive()
    ready()
  },
  "unable to close": async () => {
    deploy(Layer.effect(Connection, Effect.fail(new Error("No connection."))), query, "never-built")
    deploy(connected("db", Effect.void, Effect.die(new Error("The connection is gone."))))
    deploy(connected("cache"), query, "other")
    await run("never-built")
    await lambda.first("work")
    await lambda.first("other")
    stayAlive()
    ready()
  },
  "not alone in listening": async () => {
    deploy(connected("db"))
    await lambda.first("work")
    const alive = stayAlive()
    process.on("SIGTERM", () => {
      console.log("another listener")
      setTimeout(() => {
        void lambda.first("work").then(() => {
          console.log(`again with ${process.listenerCount("SIGTERM")} listeners`)
          clearInterval(alive)
        })
      }, 50)
    })
    ready()
  },
  "asked for more": async () => {
    let closing = 0
    const again = Effect.sync(() => {
      if (++closing === 1) void lambda.first("work")
    })
    deploy(connected("db", Effect.void, again))
    await lambda.first("work")
    stayAlive()
    ready()
  },
  disposed: async () => {
    const work = deploy(connected("db"))
    const other = deploy(connected("cache"), query, "other")
    await lambda.run("work")
    await lambda.run("other")
    await work.dispose()
    console.log(`${process.listenerCount("SIGTERM")} listener`)
    await other.dispose()
    console.log(`${process.listenerCount("SIGTERM")} listeners`)
  },
  "being disposed": async () => {
    const signal = Effect.callback<void>((resume) => {
      process.once("SIGTERM", () => resume(Effect.void))
      ready()
    })
    const work = deploy(connected("db", Effect.void, signal))
    await lambda.run("work")
    stayAlive()
    await work.dispose()
  },
  undisturbed: async () => {
    const nap = Work.implement(() =>
      Effect.gen(function* () {
        yield* Durable.step(
          "query",
          Effect.flatMap(Connection, ({ query }) => query)
        )
        yield* Durable.wait("nap", "1 hour")
      })
    )
    deploy(connected("db"), nap)
    console.log(`${process.listenerCount("SIGTERM")} listeners`)
    console.log((await lambda.run("work")).status)
    const stale = new Lambda({ fault: () => ({ status: 400, message: "Invalid checkpoint token" }) })
    stale.deploy("work", LambdaHandler.make(query, { layer: connected("db"), checkpoints: stale.checkpoints }))
    report((await stale.first("work")).error)
    const slow = new Lambda({ context: () => contextOf(1_050) })
    const endless = busy(Effect.void, Effect.never)
    slow.deploy("work", LambdaHandler.make(endless, { layer: connected("db"), checkpoints: slow.checkpoints }))
    report((await slow.first("work")).error)
  }
}

await scenarios[process.argv[2] ?? ""]?.()
