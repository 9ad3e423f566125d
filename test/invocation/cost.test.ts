/**
 * What operations cost in Effect: primitives that the run loop evaluates, and how often fibers stop to wait. These numbers
 * are budgets, because they depend on no machine, but for two things. A fiber that has run for long makes room for others, so
 * the watch of the process stands still here. A start that waited for company for long is sent alone: where that happens to
 * one step in a hundred, it is rounded off.
 */
import { afterAll, afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import { Backend, type Operation } from "../../bench/worker/backend.ts"
import { lambdaContext, nextTurn } from "../../bench/worker/engine.ts"
import { countFibers, type Counts } from "../../bench/worker/fibers.ts"

const Count = DurableFunction.make("count", { success: Schema.Int })

type Program = Effect.Effect<number, never, Durable.Execution>

const body = Effect.as(
  Effect.promise(() => nextTurn()),
  1
)

const steps = (count: number): Program =>
  Effect.gen(function* () {
    let total = 0
    for (let i = 0; i < count; i++) total += yield* Durable.step("step", body)
    return total
  })

const items = (count: number): Program =>
  Durable.map(
    "items",
    Array.from({ length: count }, (_, index) => index),
    () => Durable.step("step", body),
    { concurrency: 10 }
  ).pipe(Effect.map(({ values }) => values.length))

const empty: Program = Effect.succeed(0)

class Span implements Tracer.Span {
  readonly _tag = "Span"
  readonly spanId: string
  readonly traceId: string
  readonly sampled = true
  readonly attributes = new Map<string, unknown>()
  readonly links: Array<Tracer.SpanLink> = []
  readonly name: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly annotations = Context.empty()
  readonly kind: Tracer.SpanKind
  status: Tracer.SpanStatus

  constructor(options: Parameters<Tracer.Tracer["span"]>[0], id: number) {
    this.name = options.name
    this.kind = options.kind
    this.parent = options.parent
    this.spanId = id.toString(16).padStart(16, "0")
    this.traceId = Option.match(options.parent, {
      onNone: () => "0".repeat(31).concat("1"),
      onSome: (parent) => parent.traceId
    })
    this.status = { _tag: "Started", startTime: options.startTime }
  }

  end(endTime: bigint, exit: Parameters<Tracer.Span["end"]>[1]): void {
    this.status = { _tag: "Ended", startTime: this.status.startTime, endTime, exit }
  }
  attribute(key: string, value: unknown): void {
    this.attributes.set(key, value)
  }
  event(): void {}
  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    this.links.push(...links)
  }
}

let spans = 0
const observing = Layer.merge(
  Layer.succeed(Tracer.Tracer, Tracer.make({ span: (options) => new Span(options, ++spans) })),
  Logger.layer([Logger.make(() => undefined)])
)

/** Runs a program on a fake service, warm, and says what the last execution cost. */
const cost = async (
  program: Program,
  layer: Layer.Layer<never>,
  replays?: ReadonlyArray<Operation>
): Promise<Counts & { readonly history: ReadonlyArray<Operation>; readonly turns: number }> => {
  const handler = LambdaHandler.make(
    Count.implement(() => program),
    { layer }
  )
  const execute = async () => {
    const backend = new Backend({ history: replays ?? [] })
    const event = { ...JSON.parse(backend.event()), durableExecutionClient: backend.client }
    let turns = 0
    let isOver = false
    const count = (): void => {
      if (isOver) return
      turns++
      setImmediate(count)
    }
    setImmediate(count)
    const answer = await handler(event, lambdaContext)
    isOver = true
    assert.strictEqual(answer.Status, "SUCCEEDED")
    return { history: backend.history, turns }
  }
  await execute()
  const before = { ...counts }
  const { history, turns } = await execute()
  return {
    primitives: counts.primitives - before.primitives,
    suspensions: counts.suspensions - before.suspensions,
    history,
    turns
  }
}

beforeEach(() => void vi.spyOn(performance, "now").mockReturnValue(performance.now()))
afterEach(() => void vi.restoreAllMocks())

const counts = countFibers()
// Other tests share the process.
afterAll(counts.stop)

/** What one more operation costs. */
const each = async (programOf: (count: number) => Program, layer: Layer.Layer<never>, isReplay = false) => {
  const [few, many] = [100, 300]
  const histories = isReplay
    ? { few: (await cost(programOf(few), layer)).history, many: (await cost(programOf(many), layer)).history }
    : { few: undefined, many: undefined }
  const less = await cost(programOf(few), layer, histories.few)
  const more = await cost(programOf(many), layer, histories.many)
  return {
    primitives: Math.round((more.primitives - less.primitives) / (many - few)),
    suspensions: Math.round((more.suspensions - less.suspensions) / (many - few)),
    turns: more.turns - less.turns
  }
}

describe.each([
  ["without anybody who observes", Layer.empty],
  ["with a tracer and a logger", observing]
] as const)("the cost %s", (_, layer) => {
  it("of a live step, its asynchronous body and its request", async () => {
    const { primitives, suspensions } = await each(steps, layer)
    assert.isAtMost(primitives, 12)
    // The workflow waits for the outcome, and the body for its turn; the sender waits for the answer, and for more to do.
    assert.isAtMost(suspensions, 2 + 2)
  })

  it("of a replayed step, which takes no turn of the event loop", async () => {
    const { primitives, suspensions, turns } = await each(steps, layer, true)
    assert.isAtMost(primitives, 4)
    assert.isAtMost(suspensions, 1)
    assert.strictEqual(turns, 0)
  })

  it("of an item of a map with one step", async () => {
    const { primitives } = await each(items, layer)
    assert.isAtMost(primitives, 25)
  })

  it("of an invocation that does nothing", async () => {
    const { primitives, suspensions } = await cost(empty, layer)
    assert.isAtMost(primitives, 60)
    assert.isAtMost(suspensions, 4)
  })
})
