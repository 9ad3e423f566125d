/**
 * The workflows that `npm run kill` kills. Every body tells a log outside of the engine that it begins and that it ends, in a
 * line that is on the disk before it goes on, and answers with a token that is in those lines: what the engine says happened
 * can be held against what did.
 */
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs"
import process from "node:process"

/** A line of the log. */
export interface Note {
  readonly run: string
  /** Which body. */
  readonly mark: string
  readonly at: "begin" | "end"
  readonly token: string
  readonly pid: number
  readonly callbackId?: string
}

export const sceneNames = [
  "step",
  "once",
  "wait",
  "retry",
  "callback",
  "race",
  "batch",
  "compensation",
  "invoke"
] as const

export type SceneName = (typeof sceneNames)[number]

const Request = Schema.Struct({ run: Schema.String, scene: Schema.Literals([...sceneNames, "callee"]) })

class Told extends Schema.TaggedError<Told>()("Told", { what: Schema.String }) {}

export const Scene = DurableFunction.make("scene", {
  payload: Request,
  success: Schema.Array(Schema.String),
  error: Told,
  target: "scene:$LATEST"
})

const write = (note: Omit<Note, "pid">): void => {
  const file = openSync(process.env["KILL_LOG"] ?? "", "a")
  writeSync(file, `${JSON.stringify({ ...note, pid: process.pid })}\n`)
  fsyncSync(file)
  closeSync(file)
}

/** A body that takes a while. */
const body = (run: string, mark: string, more: { readonly callbackId?: string } = {}) =>
  Effect.gen(function* () {
    const token = randomUUID()
    write({ run, mark, at: "begin", token, ...more })
    yield* Effect.sleep(120)
    write({ run, mark, at: "end", token })
    return token
  })

const step = (run: string, mark: string) => Durable.step(mark, body(run, mark))

type Play = (run: string) => Effect.Effect<ReadonlyArray<string>, Told, Durable.Execution>

const scenes: Readonly<Record<(typeof Request)["Type"]["scene"], Play>> = {
  step: (run) => Effect.all([step(run, "first"), step(run, "second")]),
  once: (run) =>
    Durable.step("once", body(run, "once"), { semantics: "at-most-once" }).pipe(
      Effect.catchTag("StepInterrupted", () => Effect.succeed("interrupted")),
      Effect.map((token) => [token])
    ),
  wait: (run) =>
    Effect.gen(function* () {
      const before = yield* step(run, "before")
      yield* Durable.wait("pause", "1 second")
      return [before, yield* step(run, "after")]
    }),
  retry: (run) =>
    Effect.gen(function* () {
      const flaky = Effect.gen(function* () {
        const { attempt } = yield* Durable.StepContext
        const token = yield* body(run, `attempt ${attempt}`)
        return attempt === 1 ? yield* new Told({ what: "fail once" }) : token
      })
      const policy = RetryPolicy.fixed({ maxAttempts: 3, delay: "1 second" })
      return [yield* Durable.step("flaky", flaky, { error: Told, retry: policy })]
    }),
  callback: (run) =>
    Effect.map(
      Durable.waitForCallback("approval", (callbackId) => Effect.asVoid(body(run, "submit", { callbackId })), {
        success: Schema.String
      }),
      (answer) => [answer]
    ).pipe(
      Effect.catchTags({ CallbackFailed: Effect.die, CallbackTimedOut: Effect.die, CallbackSubmitFailed: Effect.die })
    ),
  race: (run) =>
    Effect.map(
      Durable.race("race", [step(run, "quick"), Effect.as(Durable.wait("slow", "1 hour"), "too late")]),
      (winner) => [winner]
    ),
  batch: (run) => Durable.forEach("items", ["item 0", "item 1", "item 2", "item 3"], (item) => step(run, item)),
  compensation: (run) =>
    Effect.gen(function* () {
      for (const name of ["flight", "hotel"]) {
        yield* Durable.withCompensation(name, step(run, `book ${name}`), () => Effect.asVoid(step(run, `undo ${name}`)))
      }
      return yield* new Told({ what: "no car" })
    }),
  invoke: (run) =>
    Effect.catchTags(Durable.invoke(Scene, { run, scene: "callee" }), {
      InvokeFailed: Effect.die,
      InvokeTimedOut: Effect.die,
      InvokeStopped: Effect.die
    }),
  callee: (run) => Effect.map(step(run, "called"), (token) => [token])
}

export const scene = Scene.implement(({ run, scene: name }) => scenes[name](run))
