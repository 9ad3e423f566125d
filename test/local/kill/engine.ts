/**
 * The engine that `npm run kill` kills: a process of its own, on the database and the port that its arguments name. It says
 * `ready` when it serves.
 */
import { LocalEngine } from "effect-durable/local"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import process from "node:process"

const [, , database = "", port = "0"] = process.argv

const engine = LocalEngine.layer({
  // The name is known, so nobody has to look into the module.
  functions: [LocalEngine.handler(new URL("scenes.ts", import.meta.url), { name: "scene", export: "scene" })],
  database,
  port: Number(port),
  retry: { initial: "100 millis" }
})

await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      yield* Layer.build(engine)
      console.log("ready")
      yield* Effect.never
    })
  )
)
