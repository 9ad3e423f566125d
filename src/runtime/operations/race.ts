/**
 * Race: run branches side by side, take the first that ends, and let go of the others without waiting for them.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { erase } from "../../internal/erase.ts"
import { Execution } from "../Execution.ts"
import type { DurableContext } from "../DurableContext.ts"
import type { Run } from "../Run.ts"
import { inContext } from "./child.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

/**
 * Runs branches, each in a context of its own, and ends as the first that ends.
 *
 * Branches start in the order of their indexes, so when several are recorded already, the first of them wins.
 */
export const firstToEnd = (run: Run, contexts: ReadonlyArray<DurableContext>, branches: ReadonlyArray<Body>): Body =>
  Effect.flatMap(Effect.context(), (services) =>
    Effect.callback((resume) => {
      const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
      let winner: number | undefined
      branches.forEach((body, index) => {
        if (winner !== undefined) return
        const own = contexts[index]!
        const fiber = Effect.runForkWith(Context.add(services, Execution, { run, context: own, step: undefined }))(
          erase(inContext({ run }, own, body))
        )
        fibers.push(fiber)
        fiber.addObserver((exit) => {
          if (winner !== undefined) return
          winner = index
          for (const other of contexts) if (other !== own) run.supervisor.close(other)
          for (const other of fibers) if (other !== fiber) other.interruptUnsafe(fiber.id)
          run.releaseClosed()
          resume(exit)
        })
      })
      return Fiber.interruptAll(fibers)
    })
  )
