/**
 * Local: work that is not part of the workflow although it is built in its body, such as an exporter, a pool or a cache.
 *
 * Owns: that such work runs outside of the workflow: on the host's scheduler, with the host's clock and random numbers, and
 * without an execution; and that its resources are released in the same way.
 * Does not own: fibers that the work leaves running. They end with the invocation, and nothing waits for them.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import { Execution, executionOf, type ExecutionService, type HoldsOperations } from "../execution/Parts.ts"
import { InHold, stepAround, type Hold } from "../execution/References.ts"
import { effectIn } from "./argument.ts"
import type { Body } from "./Operation.ts"

/** A compile error for local work that holds durable operations. */
export type Outsider<R> =
  HoldsOperations<R> extends true
    ? { readonly "Durable.local is not part of the workflow and cannot hold durable operations: move them out": never }
    : unknown

/**
 * Runs an effect, or builds a layer, inside the body of a workflow without making it part of the workflow: an exporter,
 * a pool, a cache, a connection.
 *
 * The effect or the layer uses the clock and the random numbers of the host, and its sleeps record nothing. Fibers that
 * it forks and leaves running are not fibers of the workflow: they do not keep the invocation alive, and end with the
 * invocation. The workflow waits for the effect itself, and for the layer to be built, as for a `Durable.hold`.
 * Resources are released outside the workflow too, when the scope around them closes, at the latest at the end of the
 * invocation.
 *
 * The work runs again on every replay, and its end has no place in the order of outcomes. So no decision of the
 * workflow may depend on it.
 *
 * **Errors** and **Defects**: those of the effect or the layer; `NestedOperation` for a durable operation inside.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Pool from "effect/Pool"
 *
 * declare const connect: Effect.Effect<{ readonly query: (sql: string) => Effect.Effect<number> }>
 *
 * export const counted = Effect.scoped(Effect.gen(function*() {
 *   const pool = yield* Durable.local(Pool.makeWithTTL({ acquire: connect, min: 0, max: 4, timeToLive: "1 minute" }))
 *   return yield* Durable.step("count", Effect.scoped(Effect.flatMap(Pool.get(pool), (one) => one.query("…"))))
 * }))
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const local: <Work extends Effect.Effect<unknown, unknown, unknown> | Layer.Layer<never, unknown, unknown>, R>(
  work: Work & Needing<R> & Outsider<R>
) => Local<Work> = /* @__PURE__ */ cast((work: Body | AnyLayer) =>
  Layer.isLayer(work) ? localLayer(work) : localEffect(effectIn(work, "Durable.local"))
)

type AnyLayer = Layer.Layer<unknown, unknown, unknown>

/**
 * Makes the compiler infer `R`, and checks nothing. Effects and layers share one signature, because in a pipe the compiler
 * considers only the last of several signatures.
 */
type Needing<R> = [R] extends [1] ? Effect.Effect<unknown, unknown, R> | Layer.Layer<never, unknown, R> : unknown

type Local<Work> =
  Work extends Effect.Effect<infer A, infer E, infer R>
    ? Effect.Effect<A, E, R | Execution>
    : Work extends Layer.Layer<infer ROut, infer E, infer RIn>
      ? Layer.Layer<ROut, E, RIn | Execution>
      : never

// --- Implementation ------------------------------------------------------------------------------------------------------

const localEffect = (effect: Body): Body =>
  Effect.withFiber((fiber) => {
    const services = cast<Context.Context<never>, Context.Context<Scope.Scope>>(fiber.context)
    const around = Context.getOrUndefined(services, Scope.Scope)
    if (around === undefined) return beside(effect)
    return Effect.flatMap(scopeIn(around), (scope) => beside(Effect.provideService(effect, Scope.Scope, scope)))
  })

const localLayer = (layer: AnyLayer): AnyLayer =>
  Layer.fromBuild((memoMap, around) =>
    Effect.flatMap(scopeIn(around), (scope) =>
      cast<Body, Effect.Effect<Context.Context<unknown>, unknown, unknown>>(
        beside(Layer.buildWithMemoMap(layer, memoMap, scope))
      )
    )
  )

/** Creates a scope that closes with the surrounding one, outside of the workflow. */
const scopeIn = (around: Scope.Scope): Effect.Effect<Scope.Scope> =>
  Effect.suspend(() => {
    const scope = Scope.makeUnsafe()
    const close = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
      Effect.asVoid(cast<Body, Effect.Effect<unknown>>(beside(Scope.close(scope, exit))))
    return Effect.as(Scope.addFinalizerExit(around, close), scope)
  })

/**
 * Runs an effect on the scheduler of the host. The fiber returns to its queue before the workflow continues. In the body of
 * a step, and in local work, the fiber uses that scheduler already.
 */
const beside = (effect: Body): Body =>
  Effect.withFiber((fiber) => {
    const execution = executionOf(fiber)
    if (execution === undefined || stepAround(fiber) !== undefined) return effect
    const { namespace, parts } = execution
    const { delivery, fibers } = parts
    const mark: Hold = { path: namespace.path, isLocal: true }
    delivery.holds.add(mark)
    return Effect.onExit(
      Effect.updateContext(effect, (services: Context.Context<unknown>) => servicesOf(services, execution, mark)),
      (exit) =>
        // A suspend instead of an exit: a fiber changes its scheduler only before a primitive.
        Effect.suspend(() => {
          if (Exit.hasInterrupts(exit)) delivery.lose()
          delivery.holds.delete(mark)
          fibers.wake()
          return Effect.void
        })
    )
  })

const servicesOf = (
  services: Context.Context<unknown>,
  { parts }: ExecutionService,
  mark: Hold
): Context.Context<unknown> =>
  services.pipe(Context.add(Scheduler.Scheduler, parts.beside), Context.add(InHold, mark), Context.omit(Execution))
