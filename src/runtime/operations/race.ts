/**
 * Race: run branches side by side, take the first that ends, and let go of the others without waiting for them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { branchContext } from "../Execution.ts"
import type { DurableContext } from "../DurableContext.ts"
import type { Run } from "../Run.ts"
import { inContext } from "./child.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

/**
 * Runs the branches of a context, each in a flat namespace of its own, and ends as the first that ends.
 *
 * Branches start in the order of their indexes, so when several are recorded already, the first of them wins.
 */
export const firstToEnd = (run: Run, context: DurableContext, branches: ReadonlyArray<Body>): Body =>
  Effect.flatMap(Effect.context<unknown>(), (services) =>
    Effect.callback((resume) => {
      const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
      const contexts = branches.map((_, index) => branchContext(context, index, { path: context.path, flat: true }))
      let winner: number | undefined
      branches.forEach((body, index) => {
        if (winner !== undefined) return
        const fiber = Effect.runForkWith(services)(inContext({ run }, contexts[index]!, body))
        fibers.push(fiber)
        fiber.addObserver((exit) => {
          if (winner !== undefined) return
          winner = index
          for (const other of contexts) if (other !== contexts[index]) run.supervisor.close(other)
          for (const other of fibers) if (other !== fiber) other.interruptUnsafe(fiber.id)
          run.releaseClosed()
          resume(exit)
        })
      })
      return Fiber.interruptAll(fibers)
    })
  )
