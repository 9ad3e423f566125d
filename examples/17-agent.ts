/**
 * A customer service agent, which may look up orders and refund them.
 *
 * Each turn of the model is a step. A replay reads the recorded answer of the model and does not ask the model again,
 * so a crash does not pay for recorded turns twice, and the agent does not decide differently after it. Each tool call
 * is an operation of its own. A large refund waits up to two days for the approval of a person, without an invocation.
 * Run it with `npm start -- agent`. The person refuses more than 400: `npm start -- agent '{"message":"I want a refund
 * for o-2."}'`.
 */
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as AiError from "effect/ai/AiError"
import * as LanguageModel from "effect/ai/LanguageModel"
import * as Prompt from "effect/ai/Prompt"
import type * as Response from "effect/ai/Response"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

export const Answer = Schema.Struct({ text: Schema.String, turns: Schema.Int })

/** The model did not finish within the maximum number of turns. */
export class TooManyTurns extends Schema.TaggedError<TooManyTurns>()("TooManyTurns", { turns: Schema.Int }) {}

export const Support = DurableFunction.make("support", {
  payload: Schema.Struct({ message: Schema.NonEmptyString }),
  success: Answer,
  error: TooManyTurns
})

// --- What the agent may do -------------------------------------------------------------------------------------------

const LookUp = Tool.make("lookUp", {
  description: "Finds an order: what it cost, in cents.",
  parameters: Schema.Struct({ orderId: Schema.String }),
  success: Schema.Struct({ cents: Schema.Int })
})

const Refund = Tool.make("refund", {
  description: "Pays an order back.",
  parameters: Schema.Struct({ orderId: Schema.String, cents: Schema.Int }),
  success: Schema.Struct({ status: Schema.Literals(["refunded", "refused"]) })
})

/** The model gets only the descriptions. The tools are implemented below, in the workflow. */
const tools = Toolkit.make(LookUp, Refund)

export class Shop extends Context.Service<
  Shop,
  {
    readonly cents: (orderId: string) => Effect.Effect<number>
    readonly refund: (orderId: string, key: string) => Effect.Effect<void>
  }
>()("examples/Shop") {
  static readonly layerMemory = Layer.succeed(Shop, {
    cents: (orderId) => Effect.succeed(orderId === "o-2" ? 90_000 : 30_000),
    refund: (orderId, key) => Effect.logDebug("refunded", orderId, key)
  })
}

export const Decision = Schema.Struct({ approved: Schema.Boolean })

const lookUp = ({ orderId }: typeof LookUp.parametersSchema.Type) =>
  Durable.step(
    "look-up",
    Effect.flatMap(Shop, (shop) => shop.cents(orderId))
  ).pipe(Effect.map((cents) => ({ cents })))

const refund = Effect.fnUntraced(function* ({ cents, orderId }: typeof Refund.parametersSchema.Type) {
  if (cents > 10_000 && !(yield* approved(`${orderId}: ${cents}`))) return { status: "refused" as const }
  yield* Durable.step(
    "refund",
    Effect.gen(function* () {
      const { idempotencyKey } = yield* Durable.StepContext
      yield* (yield* Shop).refund(orderId, idempotencyKey)
    })
  )
  return { status: "refunded" as const }
})

/** Asks a person. No answer counts as a refusal. */
const approved = (question: string) =>
  Durable.waitForCallback("approval", (callbackId) => Effect.flatMap(Desk, (desk) => desk.ask(question, callbackId)), {
    success: Decision,
    timeout: "2 days"
  }).pipe(
    Effect.map((decision) => decision.approved),
    Effect.catchTag("CallbackTimedOut", () => Effect.succeed(false))
  )

/** The place where people read the questions. */
export class Desk extends Context.Service<
  Desk,
  {
    readonly ask: (question: string, callbackId: string) => Effect.Effect<void>
    readonly find: (callbackId: string) => Effect.Effect<string>
  }
>()("examples/Desk") {
  static readonly layerMemory = Layer.sync(this, () => {
    const questions = new Map<string, string>()
    return {
      ask: (question, callbackId) => Effect.sync(() => void questions.set(callbackId, question)),
      find: (callbackId) => Effect.sync(() => questions.get(callbackId) ?? "")
    }
  })
}

// --- The loop --------------------------------------------------------------------------------------------------------

export const support = Support.implement(
  Effect.fn("support")(function* ({ message }) {
    let prompt = Prompt.make(message)
    for (let turn = 1; turn <= 8; turn++) {
      const said = yield* Effect.orDie(think(prompt))
      const calls = partsOf(said).filter((part) => part.type === "tool-call")
      if (calls.length === 0) return { text: textOf(said), turns: turn }
      const results = yield* Effect.forEach(calls, act)
      prompt = Prompt.concat(
        Prompt.concat(prompt, said),
        Prompt.fromMessages([Prompt.toolMessage({ content: results })])
      )
    }
    return yield* new TooManyTurns({ turns: 8 })
  })
)

/** Runs one turn of the model. Returns the messages that the turn adds to the conversation. */
const think = (prompt: Prompt.Prompt) =>
  Durable.step(
    "think",
    LanguageModel.generateText({ prompt, toolkit: tools, disableToolCallResolution: true }).pipe(
      Effect.map(({ content }) => Prompt.fromResponseParts(content))
    ),
    {
      success: Prompt.Prompt,
      error: AiError.AiError,
      retry: RetryPolicy.exponential({ maxAttempts: 5, while: (error: AiError.AiError) => error.isRetryable })
    }
  )

/** Performs a tool call of the model. */
const act = Effect.fnUntraced(function* (call: Prompt.ToolCallPart) {
  const result =
    call.name === LookUp.name
      ? yield* Effect.flatMap(read(LookUp.parametersSchema, call), lookUp)
      : yield* Effect.flatMap(read(Refund.parametersSchema, call), refund)
  const { id, name } = call
  return Prompt.toolResultPart({ id, name, result, isFailure: false, providerExecuted: false })
})

/** `generateText` has checked the parameters before they were recorded. */
const read = <A, I>(schema: Schema.Codec<A, I>, { params }: Prompt.ToolCallPart) =>
  Effect.orDie(Schema.decodeUnknownEffect(schema)(params))

const partsOf = ({ content }: Prompt.Prompt) =>
  content.flatMap((message) => (message.role === "assistant" ? message.content : []))

const textOf = (prompt: Prompt.Prompt): string =>
  partsOf(prompt)
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("")

// --- What stands in for a model and a person -------------------------------------------------------------------------

/** Answers as a model would. In production, use the layer of a provider. */
export const scripted = Layer.effect(
  LanguageModel.LanguageModel,
  LanguageModel.make({
    generateText: ({ prompt }) => Effect.succeed(reply(prompt)),
    streamText: () => Stream.empty
  })
)

const reply = (prompt: Prompt.Prompt): Array<Response.PartEncoded> => {
  const parts = prompt.content.flatMap((message) => (message.role === "tool" ? message.content : []))
  const results = parts.flatMap((part) => (part.type === "tool-result" ? [part] : []))
  const orderId = /o-\d+/.exec(JSON.stringify(prompt.content))?.[0] ?? "o-0"
  const call = (name: string, params: unknown): Response.PartEncoded => ({
    type: "tool-call",
    id: `call-${results.length + 1}`,
    name,
    params
  })
  const last = results.at(-1)
  if (last === undefined) return [call(LookUp.name, { orderId })]
  if (last.name === LookUp.name) return [call(Refund.name, { orderId, ...Object(last.result) })]
  return [{ type: "text", text: `Your order ${orderId} was ${Object(last.result).status}.` }]
}

/** The decision of the person, after a night: yes up to 400. */
export const decide = ({ callbackId }: { readonly callbackId: string }) =>
  Effect.gen(function* () {
    yield* Effect.sleep("12 hours")
    const question = yield* (yield* Desk).find(callbackId)
    return { approved: Number(question.split(": ")[1]) <= 40_000 }
  })

export const functions = [support] as const

export const layerMemory = Layer.mergeAll(scripted, Shop.layerMemory, Desk.layerMemory)

/** In the test engine an `answer` takes the place of the person. */
export const tested = [...functions, TestEngine.answer("approval", decide, { success: Decision })] as const

export const payload: (typeof Support)["payload"]["Type"] = { message: "Please refund my order o-1." }
