/**
 * Runs handlers of AWS's own SDK on our model of the service: one world with virtual time, in which one thing happens at
 * a time.
 */
import {
  type DurableExecutionClient,
  type DurableLambdaHandler,
  type WireOperation
} from "@aws/durable-execution-sdk-js"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Engine from "../../src/engine/Service.ts"
import { CheckpointDurableExecutionBody } from "../../src/wire/CheckpointApi.ts"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { Outside } from "./outside.ts"

/** How a function that is not durable answers a payload, after so many virtual milliseconds. */
export interface Target {
  readonly millis: number
  readonly answer: (payload: unknown) => Engine.TargetEnd
}

/** What handlers have besides their context. */
export interface Surroundings {
  readonly client: DurableExecutionClient
  /** Tells the world outside of a callback. */
  readonly tell: Outside["tell"]
}

export type Handlers = Readonly<Record<string, (surroundings: Surroundings) => DurableLambdaHandler>>

export interface Ended {
  readonly outcome: Engine.ExecutionOutcome
  readonly operations: ReadonlyArray<Operation>
  readonly history: ReadonlyArray<HistoryEvent>
}

/** Runs one execution of a function to its end. */
export const runOnEngine = (
  functionName: string,
  handlers: Handlers,
  targets: Readonly<Record<string, Target>>
): Promise<Ended> => new AwsHost(handlers, targets).run(functionName)

class AwsHost {
  #state = Engine.empty
  // AWS's SDK compares the times of the service with the real clock.
  #now = Date.now()
  #ids = 0
  #queue: Array<Engine.HostEffect> = []
  #answers: Array<{ readonly due: number; readonly report: () => void }> = []
  readonly #handlers: Handlers
  readonly #targets: Readonly<Record<string, Target>>
  readonly #config: Engine.Config

  constructor(handlers: Handlers, targets: Readonly<Record<string, Target>>) {
    this.#handlers = handlers
    this.#targets = targets
    this.#config = Engine.makeConfig({
      lookup: (name) =>
        name in handlers
          ? { kind: "durable", name, version: "$LATEST" }
          : name in targets
            ? { kind: "plain", name, version: "$LATEST" }
            : undefined
    })
  }

  readonly #outside = new Outside({
    command: (command, request) =>
      Result.map(command(this.#state, request, this.#env()), (applied) => this.#take(applied)),
    after: (millis, action) => void this.#answers.push({ due: this.#now + millis, report: action })
  })

  async run(functionName: string): Promise<Ended> {
    const { executionArn } = this.#take(
      Result.getOrThrow(
        Engine.startExecution(this.#state, { functionName, qualifier: "$LATEST", executionName: "one" }, this.#env())
      )
    )
    for (let events = 0; ; events++) {
      if (events > 1_000) throw new Error("The execution does not come to an end.")
      const outcome = Engine.execution(this.#state, executionArn)?.outcome
      if (outcome !== undefined) {
        const operations = Engine.operations(this.#state, executionArn).filter(({ Type }) => Type !== "EXECUTION")
        return { outcome, operations, history: Engine.history(this.#state, executionArn) }
      }
      const effect = this.#queue.shift()
      if (effect === undefined) this.#pass()
      else await this.#perform(effect)
    }
  }

  #env(): Engine.Env {
    return { config: this.#config, now: this.#now, freshId: () => `id-${++this.#ids}` }
  }

  #take<A>({ answer, effects, state }: Engine.Applied<A>): A {
    this.#state = state
    this.#queue.push(...effects)
    return answer
  }

  /** Lets time pass until something happens. */
  #pass(): void {
    this.#answers.sort((a, b) => a.due - b.due)
    const due = Math.min(Engine.nextDue(this.#state) ?? Infinity, this.#answers[0]?.due ?? Infinity)
    if (due === Infinity) throw new Error("Nothing happens any more.")
    this.#now = Math.max(this.#now, due)
    this.#take(Engine.advanceTo(this.#state, this.#env()))
    while ((this.#answers[0]?.due ?? Infinity) <= this.#now) this.#answers.shift()?.report()
  }

  async #perform(effect: Engine.HostEffect): Promise<void> {
    if (effect._tag === "InvokeFunction") return this.#invoke(effect)
    if (effect._tag !== "RunTarget") return
    const { executionArn, functionName, operationId, payload } = effect
    const target = this.#targets[functionName]
    if (target === undefined) throw new Error(`There is no target ${functionName}.`)
    const end = target.answer(payload === undefined ? undefined : JSON.parse(payload))
    this.#answers.push({
      due: this.#now + target.millis,
      report: () => this.#take(Engine.targetEnded(this.#state, { executionArn, operationId, end }, this.#env()))
    })
  }

  async #invoke(effect: Extract<Engine.HostEffect, { readonly _tag: "InvokeFunction" }>): Promise<void> {
    const { event, executionArn, functionName, invocationId } = effect
    const { CheckpointToken, DurableExecutionArn, InitialExecutionState } = event
    const handler = this.#handlers[functionName]?.({ client: this.#client, tell: this.#outside.tell })
    if (handler === undefined) throw new Error(`There is no handler ${functionName}.`)
    const end = await handler(
      {
        CheckpointToken,
        DurableExecutionArn,
        InitialExecutionState: {
          Operations: wired(InitialExecutionState.Operations),
          NextMarker: InitialExecutionState.NextMarker ?? ""
        }
      },
      { awsRequestId: invocationId, getRemainingTimeInMillis: () => 900_000 }
    ).then(
      (answer): Engine.InvocationEnd => ({ _tag: "Answered", answer: JSON.parse(JSON.stringify(answer)) }),
      (error: unknown): Engine.InvocationEnd => ({
        _tag: "Crashed",
        error: { ErrorType: "Error", ErrorMessage: String(error) }
      })
    )
    this.#take(Engine.invocationEnded(this.#state, { executionArn, invocationId, end }, this.#env()))
  }

  readonly #client: DurableExecutionClient = {
    checkpoint: async (request) => {
      const { CheckpointToken, NewExecutionState } = this.#take(
        Result.getOrThrow(
          Engine.checkpoint(
            this.#state,
            {
              ...decodeBody(JSON.parse(JSON.stringify(request))),
              DurableExecutionArn: request.DurableExecutionArn ?? ""
            },
            this.#env()
          )
        )
      )
      return {
        CheckpointToken,
        NewExecutionState: {
          Operations: wired(NewExecutionState.Operations),
          NextMarker: NewExecutionState.NextMarker
        }
      }
    },
    getExecutionState: async ({ CheckpointToken, DurableExecutionArn, Marker, MaxItems }) => {
      const page = Result.getOrThrow(
        Engine.getState(
          this.#state,
          {
            CheckpointToken: CheckpointToken ?? "",
            DurableExecutionArn: DurableExecutionArn ?? "",
            ...(Marker === undefined ? {} : { Marker }),
            ...(MaxItems === undefined ? {} : { MaxItems })
          },
          this.#env()
        )
      )
      return { Operations: wired(page.Operations), NextMarker: page.NextMarker }
    }
  }
}

const decodeBody = Schema.decodeUnknownSync(CheckpointDurableExecutionBody)

/** AWS's Lambda client gives its SDK times as `Date`s. */
const wired = (operations: ReadonlyArray<Operation>): Array<WireOperation> =>
  JSON.parse(JSON.stringify(operations), (key, value) =>
    key.endsWith("Timestamp") && typeof value === "number" ? new Date(value) : value
  )
