/**
 * Hold: keeps the invocation alive for work that no operation records.
 *
 * Owns: that the invocation does not end while such work runs. The work blocks no delivery, and does not count while all of
 * its fibers wait for operations.
 * Does not own: the order of the work relative to the outcomes of operations, which is not recorded.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Random from "effect/Random"
import { operationId } from "../execution/Identity.ts"
import { Execution } from "../execution/Parts.ts"
import { InHold, stepAround, type Hold } from "../execution/References.ts"
import { anybody } from "../execution/Users.ts"
import { effectIn } from "./argument.ts"

/**
 * Keeps the invocation alive until an effect that is not a durable operation has finished.
 *
 * Nothing is recorded: the effect runs again on every replay, and its end has no place in the order of outcomes. So no
 * decision of the workflow may depend on it. Operations inside have their own namespace. While all fibers of the effect
 * wait for operations, the hold does not keep the invocation alive. Inside, `Clock`, `Random` and sleeps are those of
 * the host.
 *
 * **Errors** and **Defects**: those of the effect.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const warmed = Effect.all([
 *   Durable.wait("cool-off", "1 minute"),
 *   Durable.hold(Effect.sleep("200 millis"))
 * ], { concurrency: "unbounded" })
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const hold = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Execution> =>
  Effect.withFiber((fiber) => {
    // In the body of a step the work is tracked already.
    if (stepAround(fiber) !== undefined || !Effect.isEffect(effect)) return cast(effectIn(effect, "Durable.hold"))
    const services = cast<Context.Context<never>, Context.Context<Execution>>(fiber.context)
    const { namespace, parts } = Context.get(services, Execution)
    const { delivery, host } = parts
    const count = namespace.use(holds, anybody, undefined)
    const number = typeof count === "number" ? count : 0
    const path = namespace.pathOf("hold", number)
    const own = namespace.inside({ id: operationId(namespace.id, holds, number), path, isFlat: true })
    const mark: Hold = { path, isLocal: false }
    delivery.holds.add(mark)
    return Effect.onExit(
      Effect.updateContext(effect, (context: Context.Context<R>) =>
        context.pipe(
          Context.add(Execution, { parts, namespace: own }),
          Context.add(InHold, mark),
          Context.add(Clock.Clock, host.clock),
          Context.add(Random.Random, host.random)
        )
      ),
      (exit) =>
        Effect.sync(() => {
          if (Exit.hasInterrupts(exit)) delivery.lose()
          delivery.holds.delete(mark)
          parts.fibers.wake()
        })
    )
  })

/** The name under which a namespace counts its holds. No operation has this name. */
const holds = "\0hold"
