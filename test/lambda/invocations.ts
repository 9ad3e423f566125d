/**
 * One invocation of a small workflow over a server on this machine: what tests of failures and of pages share.
 */
import { DurableFunction, type Durable, type DurableError } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { invoke } from "../../src/invocation/Invocation.ts"
import type { InvocationEvent } from "../../src/wire/Invocation.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { loopback, type Loopback, type Respond } from "./loopback.ts"
import type { Configuration, Transport } from "./transports.ts"

const Work = DurableFunction.make("work", { success: Schema.UndefinedOr(Schema.Json) })

export const firstToken = "Zmlyc3QtdG9rZW4tb2YtdGhlLWNoYWlu"

/** The event of an invocation that finds these operations, and more of them behind the marker. */
export const eventOf = (operations: ReadonlyArray<Operation> = [], marker?: string): InvocationEvent => ({
  DurableExecutionArn: "arn:aws:lambda:eu-west-1:123456789012:function:work:1/durable-execution/parcel-7/run-1",
  CheckpointToken: firstToken,
  InitialExecutionState: {
    Operations: [{ Id: "run-1", Type: "EXECUTION", Status: "STARTED", StartTimestamp: 0 }, ...operations],
    ...(marker === undefined ? undefined : { NextMarker: marker })
  }
})

/** Back-off without delay: the server is asked again at once. */
const hasty = { nextDoubleUnsafe: () => 0, nextIntUnsafe: () => 0 }

/** Runs one invocation of a body. It ends with an answer, or fails as a whole. */
export const invokeOver = <E extends DurableError.OperationError>(
  transport: Transport,
  body: Effect.Effect<Schema.Json | undefined | void, E, Durable.Execution>,
  respond: Respond,
  options: { readonly event?: InvocationEvent; readonly client?: Configuration } = {}
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const server: Loopback = yield* loopback(respond)
      const exit = yield* invoke(
        Work.implement((): Effect.Effect<Schema.Json | undefined, DurableError.OperationError, Durable.Execution> =>
          Effect.map(body, (value) => value ?? undefined)
        ),
        options.event ?? eventOf()
      ).pipe(
        Effect.provide(transport.checkpoints(server, options.client)),
        Effect.provideService(Random.Random, hasty),
        Effect.exit
      )
      return {
        answer: Exit.isSuccess(exit) ? exit.value.answer : undefined,
        failure: Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason)?.error : undefined,
        requests: server.requests
      }
    })
  )

export type Ended = Effect.Success<ReturnType<typeof invokeOver>>

/** What a person would read of how an invocation ended. */
export const messageOf = ({ answer, failure }: Ended): string =>
  failure?.message ?? (answer?.Status === "FAILED" ? (answer.Error?.ErrorMessage ?? "") : "")
