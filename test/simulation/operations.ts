/**
 * What callbacks, conditions and everything that holds other nodes mean in a program. Each of them that ends as timing
 * decides has the tally hold what was seen of it against what is seen on every replay.
 */
import { CompletionPolicy, Durable, DurableError, RetryPolicy } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Getter from "effect/SchemaGetter"
import { digest, digestBatch, hash, mix, Oops, type Failure } from "./digest.ts"
import { maxAttemptsOf, type Answer, type Attempt, type Node, type Policy, type Retry } from "./program.ts"
import type { Tally } from "./tally.ts"

export type Workflow<A = number> = Effect.Effect<A, Failure, Durable.Execution>

/** Where a node runs. */
export interface Place {
  /** The mark of its fibre on every name. */
  readonly mark: string
  /** Whether that fibre is not the first one of its context. */
  readonly forked: boolean
  /** The rounds of the loops that it is in. */
  readonly round: string
}

export const root: Place = { mark: "", forked: false, round: "" }

/** A place in a context of its own. */
export const inside = (place: Place, round = ""): Place => ({ ...root, round: `${place.round}${round}` })

export type Run = (node: Node, input: number, place: Place) => Workflow

type Of<Op extends Node["op"]> = Extract<Node, { readonly op: Op }>

/** Notes how something ended for whoever waits for it. What came before may be a matter of timing, and counts as another case. */
const watched = <R>(
  tally: Tally,
  { key, op }: { readonly key: number; readonly op: string },
  { mark, round }: Place,
  input: number,
  effect: Effect.Effect<number, Failure, R>
): Effect.Effect<number, Failure, R> =>
  Effect.flatMap(Effect.exit(effect), (exit) => {
    if (isOutcome(exit)) tally.see(`${op} ${mark}${key}${round} of ${input}`, digest(exit))
    return exit
  })

/** Not when its fibre was interrupted, or had outlived the context that it belongs to: that is how the fibre ends. */
const isOutcome = (exit: Exit.Exit<number, Failure>): boolean => {
  if (Exit.isSuccess(exit)) return true
  const defect = exit.cause.reasons.find(Cause.isDieReason)?.defect
  return !Cause.hasInterrupts(exit.cause) && !(defect instanceof DurableError.ContextEnded)
}

const settings = { success: Schema.Int, error: Oops }

export const policyOf = (retry: Exclude<Retry, "default">): RetryPolicy.RetryPolicy =>
  retry === "none" ? RetryPolicy.none : RetryPolicy.fixed({ maxAttempts: retry.attempts, delay: retry.seconds * 1_000 })

/** Notes an attempt whose body begins to run, and takes its time. */
export const began = Effect.fnUntraced(function* (tally: Tally, maxAttempts: number, once: boolean, millis: number) {
  const { attempt, executionArn, operationId } = yield* Durable.StepContext
  tally.bodies.push({ executionArn, operationId, attempt, once, maxAttempts })
  if (millis > 0) yield* Effect.sleep(millis)
  return attempt
})

export const endOf = (attempt: Attempt, value: number): Effect.Effect<number, Oops> => {
  switch (attempt) {
    case "ok":
      return Effect.succeed(value)
    case "fail":
      return Effect.fail(new Oops({ code: value % 100 }))
    case "die":
      return Effect.die(new RangeError(`out of ${value % 100}`))
    case "interrupt":
      return Effect.interrupt
  }
}

// --- Callbacks -------------------------------------------------------------------------------------------------------

/** Faults delay what is sent by less than an hour, so they never decide whether it comes in time. */
const limitsOf = ({ beats, kind }: Answer): Limits =>
  beats > 0 ? { heartbeatTimeout: "10 hours" } : { timeout: kind === "never" ? "2 hours" : "1 day" }

interface Limits {
  readonly timeout?: "2 hours" | "1 day"
  readonly heartbeatTimeout?: "10 hours"
}

export const callback = (tally: Tally, run: Run, node: Of<"callback">, input: number, place: Place): Workflow =>
  Effect.gen(function* () {
    const { answer, json, key, meanwhile, name, where } = node
    const path = place.mark + name
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
    const aside = yield* Effect.exit(run(meanwhile, input, place))
    const sent: Workflow<string | number> = opened.await
    const answered = Effect.map(sent, Number)
    const found = yield* waitedFor(`${path} ${where}`, where, answered)
    return mix(mix(input, key), mix(found, digest(aside)))
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

export const waitForCallback = (
  tally: Tally,
  node: Of<"waitForCallback">,
  input: number,
  { mark }: Place
): Workflow => {
  const { answer, key, name, retry, script } = node
  const submit = (callbackId: string) =>
    Effect.flatMap(began(tally, maxAttemptsOf(retry), false, 0), (attempt) => {
      tally.tell(callbackId, answer)
      return endOf(script[Math.min(attempt, script.length) - 1] ?? "ok", 0)
    })
  const options = { ...limitsOf(answer), error: Oops, ...(retry === "default" ? {} : { retry: policyOf(retry) }) }
  return Effect.map(Durable.waitForCallback(mark + name, submit, options), (text) => mix(mix(input, key), Number(text)))
}

// --- Conditions ------------------------------------------------------------------------------------------------------

const State = Schema.Struct({ looks: Schema.Int, value: Schema.Int })

export const condition = (tally: Tally, node: Of<"condition">, input: number, { mark }: Place): Workflow => {
  const { key, maxAttempts, millis, name, script, seconds } = node
  const lookOf = (looks: number) => script[Math.min(looks, script.length) - 1] ?? "done"
  return Durable.waitForCondition(mark + name, {
    initial: { looks: 0, value: input },
    check: ({ looks, value }) =>
      Effect.gen(function* () {
        const attempt = yield* began(tally, maxAttempts, false, millis)
        const look = lookOf(attempt)
        const next = yield* endOf(look === "again" || look === "done" ? "ok" : look, mix(value, attempt))
        return { looks: looks + 1, value: next }
      }),
    until: ({ looks }) => lookOf(looks) === "done",
    delay: ({ attempt }) => (seconds + attempt) * 1_000,
    maxAttempts,
    state: State,
    error: Oops
  }).pipe(Effect.map(({ looks, value }) => mix(mix(looks, value), key)))
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

const bodiesOf = (run: Run, nodes: ReadonlyArray<Node>, input: number, place: Place): Array<Workflow> =>
  nodes.map((node, index) => Effect.suspend(() => run(node, mix(input, index), inside(place))))

export const batch = (tally: Tally, run: Run, node: Of<"batch">, input: number, place: Place): Workflow => {
  const { branches, concurrency, flat, kind, large, policy } = node
  const name = place.mark + node.name
  const bodies = bodiesOf(run, branches, input, place)
  const success: Schema.Codec<number, number | string> = large ? Half : Schema.Int
  const options = { success, error: Oops, concurrency, flat, policy: completionPolicyOf(policy) }
  const result =
    kind === "parallel" ? Durable.parallel(name, bodies, options) : Durable.map(name, bodies, (body) => body, options)
  return watched(
    tally,
    node,
    place,
    input,
    Effect.map(result, (ended) => mix(input, digestBatch(ended)))
  )
}

export const durableAll = (tally: Tally, run: Run, node: Of<"durableAll">, input: number, place: Place): Workflow => {
  const { branches, concurrency, flat, kind } = node
  const name = place.mark + node.name
  const bodies = bodiesOf(run, branches, input, place)
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
  return watched(
    tally,
    node,
    place,
    input,
    Effect.map(values(), (found) => found.reduce(mix, mix(input, found.length)))
  )
}

const day = 86_400_000

export const durableRace = (tally: Tally, run: Run, node: Of<"durableRace">, input: number, place: Place): Workflow => {
  const { branches, days, until } = node
  const name = place.mark + node.name
  const bodies = bodiesOf(run, branches, input, place)
  if (days !== undefined) bodies.unshift(Effect.as(Durable.wait("days", days * day), days))
  const options = { success: successOf(node), error: Oops }
  const race = until === "success" ? Durable.race(name, bodies, options) : Durable.raceFirst(name, bodies, options)
  return watched(tally, node, place, input, race)
}

export const timeout = (tally: Tally, run: Run, node: Of<"timeout">, input: number, place: Place): Workflow => {
  const { body, days, name, seconds } = node
  const limit = seconds === undefined ? days * day : seconds * 1_000
  return watched(
    tally,
    node,
    place,
    input,
    Durable.timeout(
      place.mark + name,
      Effect.suspend(() => run(body, input, inside(place))),
      limit,
      { success: successOf(node), error: Oops }
    )
  )
}

// --- Blocks ----------------------------------------------------------------------------------------------------------

export const retryBlock = (run: Run, node: Of<"retryBlock">, input: number, place: Place): Workflow =>
  Effect.suspend(() => {
    const { attempts, body, name, seconds } = node
    let attempt = 0
    const block = Effect.suspend(() => {
      attempt++
      return run(body, mix(input, attempt), inside(place, `/${attempt}`))
    })
    const policy = RetryPolicy.fixed({ maxAttempts: attempts, delay: seconds * 1_000 })
    return Durable.retry(place.mark + name, block, policy, { success: successOf(node), error: Oops })
  })

export const compensate = (tally: Tally, run: Run, node: Of<"compensate">, input: number, place: Place): Workflow => {
  const { body, key, name, undo } = node
  const note = (list: Array<number>, what: string) =>
    Durable.step(
      what,
      Effect.andThen(
        began(tally, 6, false, 0),
        Effect.sync(() => void list.push(key))
      )
    )
  return Durable.withCompensation(
    place.mark + name,
    Effect.tap(run(body, input, inside(place)), note(tally.done, `done ${key}`)),
    (value) => Effect.andThen(note(tally.undone, `undone ${key}`), run(undo, value, inside(place)))
  )
}

export const patched = (tally: Tally, node: Of<"patched">, input: number, place: Place): Workflow => {
  const name = place.mark + node.name
  const applies = Durable.patched(name)
  return watched(
    tally,
    node,
    place,
    input,
    // Beside other fibres the answer depends on what they have recorded, unless the child has a record of its own.
    Effect.map(node.alone ? applies : Durable.child(`${name} patch`, applies), (yes) =>
      mix(input, hash(`patched ${yes}`))
    )
  )
}
