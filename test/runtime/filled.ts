/**
 * Executions that hold many operations already: a completed child, and all but one of them inside of it, where nobody asks
 * for them again.
 */
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { operationId } from "../../src/execution/Identity.ts"
import type { InvocationEvent } from "../../src/wire/Invocation.ts"
import { eventOf } from "../operations/support.ts"

const id = operationId("", "filled", 0)

/** An event with so many operations, besides the execution itself. */
export const eventHolding = (count: number): InvocationEvent =>
  eventOf([
    { Id: id, Name: "filled", Type: "CONTEXT", SubType: "RunInChildContext", ContextDetails: {} },
    ...Array.from({ length: count - 1 }, (_, i) => ({ Id: `inside-${i}`, ParentId: id, Type: "WAIT" }))
  ])

/** The workflow of that execution, with something after it. */
export const filledThen = <A, E, R>(next: Effect.Effect<A, E, R>) =>
  Effect.andThen(Durable.child("filled", Effect.void), next)
