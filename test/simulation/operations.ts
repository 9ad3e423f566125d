/**
 * What callbacks, conditions and everything that holds other nodes mean in a program, written with the library.
 */
import { CompletionPolicy, Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Getter from "effect/SchemaGetter"
import { digest, digestBatch, hash, mix, Oops } from "./digest.ts"
import { maxAttemptsOf, type Answer, type Of, type Policy, type Retry } from "./program.ts"
import { began, endOf, type Place, type Scene, type Workflow } from "./scene.ts"

const settings = { success: Schema.Int, error: Oops }

export const policyOf = (retry: Exclude<Retry, "default">): RetryPolicy.RetryPolicy =>
  retry === "none" ? RetryPolicy.none : RetryPolicy.fixed({ maxAttempts: retry.attempts, delay: retry.seconds * 1_000 })

// --- Callbacks -------------------------------------------------------------------------------------------------------

/** Faults delay what is sent by less than an hour, so they never decide whether it comes in time. */
const limitsOf = ({ beats, kind }: Answer): Limits =>
  beats > 0 ? { heartbeatTimeout: "10 hours" } : { timeout: kind === "never" ? "2 hours" : "1 day" }

interface Limits {
  readonly timeout?: "2 hours" | "1 day"
  readonly heartbeatTimeout?: "10 hours"
}

export const callback = (scene: Scene, node: Of<"callback">, input: number, place: Place): Workflow =>
  Effect.gen(function* () {
    const { answer, id, json, where } = node
    const { tally } = scene
    const path = scene.name(place, node.name)
    const options = { ...limitsOf(answer), error: Oops }
    const opened = json
      ? yield* Durable.callback(path, { ...options, success: Schema.Int })
      : yield* Durable.callback(path, options)
    yield* Durable.step(
      `${path} tell`,
      Effect.andThen(
        began(tally, 6, false, 0),
        Effect.sync(() => tally.tell(opened.callbackId, answer))
      )
    )
    const aside = yield* Effect.exit(scene.body(node, 0, input, place))
    const sent: Workflow<string | number> = opened.await
    const answered = Effect.map(sent, Number)
    const found = yield* waitedFor(`${path} ${where}`, where, answered)
    return mix(mix(input, id), mix(found, digest(aside)))
  })

const waitedFor = (name: string, where: Of<"callback">["where"], answered: Workflow): Workflow => {
  switch (where) {
    case "here":
      return answered
    case "race":
      return Durable.raceFirst(name, [Effect.as(Durable.wait("days", 500_000_000), 1), answered], settings)
    case "batch":
      return Effect.map(
        Durable.parallel(name, [answered, answered], { ...settings, policy: CompletionPolicy.allCompleted }),
        digestBatch
      )
  }
}

export const waitForCallback = (scene: Scene, node: Of<"waitForCallback">, input: number, place: Place): Workflow => {
  const { answer, id, retry, script } = node
  const { tally } = scene
  const name = scene.name(place, node.name)
  const submit = (callbackId: string) =>
    Effect.flatMap(began(tally, maxAttemptsOf(retry), false, 0), (attempt) => {
      tally.tell(callbackId, answer)
      return endOf(script[Math.min(attempt, script.length) - 1] ?? "ok", 0)
    })
  const options = { ...limitsOf(answer), error: Oops, ...(retry === "default" ? {} : { retry: policyOf(retry) }) }
  return Effect.map(Durable.waitForCallback(name, submit, options), (text) => mix(mix(input, id), Number(text)))
}

// --- Conditions ------------------------------------------------------------------------------------------------------

const State = Schema.Struct({ looks: Schema.Int, value: Schema.Int })

export const condition = (scene: Scene, node: Of<"condition">, input: number, place: Place): Workflow => {
  const { id, maxAttempts, millis, script, seconds } = node
  const lookOf = (looks: number) => script[Math.min(looks, script.length) - 1] ?? "done"
  return Durable.waitForCondition(scene.name(place, node.name), {
    initial: { looks: 0, value: input },
    check: ({ looks, value }) =>
      Effect.gen(function* () {
        const attempt = yield* began(scene.tally, maxAttempts, false, millis)
        const look = lookOf(attempt)
        const next = yield* endOf(look === "again" || look === "done" ? "ok" : look, mix(value, attempt))
        return { looks: looks + 1, value: next }
      }),
    until: ({ looks }) => lookOf(looks) === "done",
    delay: ({ attempt }) => (seconds + attempt) * 1_000,
    maxAttempts,
    state: State,
    error: Oops
  }).pipe(Effect.map(({ looks, value }) => mix(mix(looks, value), id)))
}

// --- Branches --------------------------------------------------------------------------------------------------------

const padded = (length: number): Schema.Codec<number, string> =>
  Schema.String.pipe(
    Schema.decodeTo(Schema.Int, {
      decode: Getter.transform(Number),
      encode: Getter.transform((value: number) => String(value).padEnd(length))
    })
  )

/** Two of these are too large to be recorded together. */
const Half = padded(140_000)

const TooLarge = padded(262_145)

const successOf = ({ large }: { readonly large: boolean }): Schema.Codec<number, number | string> =>
  large ? TooLarge : Schema.Int

export const completionPolicyOf = (policy: Policy): CompletionPolicy.CompletionPolicy => {
  if (policy === "allSuccessful") return CompletionPolicy.allSuccessful
  if (policy === "firstSuccessful") return CompletionPolicy.firstSuccessful
  if (policy === "allCompleted") return CompletionPolicy.allCompleted
  if (!("after" in policy)) return CompletionPolicy.make(policy)
  return CompletionPolicy.custom(({ completedCount }) => (completedCount >= policy.after ? policy.as : "continue"))
}

export const batch = (scene: Scene, node: Of<"batch">, input: number, place: Place): Workflow => {
  const { concurrency, flat, kind, large, policy } = node
  const name = scene.name(place, node.name)
  const bodies = scene.bodiesWithin(node, input, place)
  const success: Schema.Codec<number, number | string> = large ? Half : Schema.Int
  const options = { success, error: Oops, concurrency, flat, policy: completionPolicyOf(policy) }
  const result =
    kind === "parallel" ? Durable.parallel(name, bodies, options) : Durable.map(name, bodies, (body) => body, options)
  return Effect.map(result, (ended) => mix(input, digestBatch(ended)))
}

export const durableAll = (scene: Scene, node: Of<"durableAll">, input: number, place: Place): Workflow => {
  const { concurrency, flat, kind } = node
  const name = scene.name(place, node.name)
  const bodies = scene.bodiesWithin(node, input, place)
  const options = { ...settings, concurrency, flat }
  const values = (): Workflow<ReadonlyArray<number>> => {
    switch (kind) {
      case "all":
        return Durable.all(name, bodies, options)
      case "forEach":
        return Durable.forEach(name, bodies, (body) => body, options)
      case "record": {
        const record = Object.fromEntries(bodies.map((body, index) => [`branch ${index}`, body]))
        return Effect.map(Durable.all(name, record, options), (found) => Object.values(found))
      }
    }
  }
  return Effect.map(values(), (found) => found.reduce(mix, mix(input, found.length)))
}

const day = 86_400_000

export const durableRace = (scene: Scene, node: Of<"durableRace">, input: number, place: Place): Workflow => {
  const { days, until } = node
  const name = scene.name(place, node.name)
  const bodies = scene.bodiesWithin(node, input, place)
  if (days !== undefined) bodies.unshift(Effect.as(Durable.wait("days", days * day), days))
  const options = { success: successOf(node), error: Oops }
  return until === "success" ? Durable.race(name, bodies, options) : Durable.raceFirst(name, bodies, options)
}

export const timeout = (scene: Scene, node: Of<"timeout">, input: number, place: Place): Workflow => {
  const limit = node.seconds === undefined ? node.days * day : node.seconds * 1_000
  const options = { success: successOf(node), error: Oops }
  return Durable.timeout(scene.name(place, node.name), scene.within(node, 0, input, place), limit, options)
}

// --- Blocks ----------------------------------------------------------------------------------------------------------

export const retryBlock = (scene: Scene, node: Of<"retryBlock">, input: number, place: Place): Workflow =>
  Effect.suspend(() => {
    const { attempts, seconds } = node
    let attempt = 0
    const block = Effect.suspend(() => {
      attempt++
      return scene.within(node, 0, mix(input, attempt), place, `/${attempt}`)
    })
    const policy = RetryPolicy.fixed({ maxAttempts: attempts, delay: seconds * 1_000 })
    return Durable.retry(scene.name(place, node.name), block, policy, { success: successOf(node), error: Oops })
  })

export const compensate = (scene: Scene, node: Of<"compensate">, input: number, place: Place): Workflow => {
  const { id } = node
  const { tally } = scene
  const note = (list: Array<number>, what: string) =>
    Durable.step(
      what,
      Effect.andThen(
        began(tally, 6, false, 0),
        Effect.sync(() => void list.push(id))
      )
    )
  return Durable.withCompensation(
    scene.name(place, node.name),
    Effect.tap(scene.within(node, 0, input, place), note(tally.done, `done ${id}`)),
    (value) => Effect.andThen(note(tally.undone, `undone ${id}`), scene.within(node, 1, value, place))
  )
}

export const patched = (scene: Scene, node: Of<"patched">, input: number, place: Place): Workflow =>
  Effect.map(Durable.patched(scene.name(place, node.name)), (applies) =>
    applies ? input : mix(input, hash("does not apply"))
  )
