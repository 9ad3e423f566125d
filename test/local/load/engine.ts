/** The engine that `npm run load` loads: a process of its own, which says where it serves. Its argument is the database. */
import { LocalEngine } from "effect-durable/local"
import * as Effect from "effect/Effect"
import process from "node:process"

const engine = LocalEngine.layer({
  functions: [LocalEngine.module(new URL("functions.ts", import.meta.url), { concurrency: 100 })],
  database: process.argv[2] ?? "",
  port: 0
})

await Effect.runPromise(
  Effect.gen(function* () {
    const { url } = yield* LocalEngine.LocalEngine
    console.log(url)
    return yield* Effect.never
  }).pipe(Effect.provide(engine), Effect.scoped)
)
