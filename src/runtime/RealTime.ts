/**
 * Keeps the real time in what a workflow tells people: its logs and its spans, although their times are read from a
 * clock that is not the real one.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Tracer from "effect/Tracer"

/** Runs an effect whose logs and spans have the times of a clock, whatever clock the effect sees. */
export const toldBy =
  (clock: Clock.Clock) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.updateContext(effect, (services: Context.Context<R>) => {
      const tracer = Context.get(services, Tracer.Tracer)
      const loggers = Context.get(services, Logger.CurrentLoggers)
      const timed = Context.add(services, Logger.CurrentLoggers, new Set(Array.from(loggers, logged(clock))))
      // Without a tracer that exports its spans nobody is told, and Effect itself looks whether there is one.
      return tracer === Tracer.nativeTracer ? timed : Context.add(timed, Tracer.Tracer, traced(clock, tracer))
    })

const logged =
  (clock: Clock.Clock) =>
  (logger: Logger.Logger<unknown, unknown>): Logger.Logger<unknown, unknown> =>
    Logger.make((options) => logger.log({ ...options, date: new Date(clock.currentTimeMillisUnsafe()) }))

const traced = (clock: Clock.Clock, tracer: Tracer.Tracer): Tracer.Tracer => {
  /** Zero means that spans have no times. */
  const real = (time: bigint): bigint => (time === BigInt(0) ? time : clock.currentTimeNanosUnsafe())
  return Tracer.make({
    ...(tracer.context === undefined ? undefined : { context: tracer.context }),
    span: (options) => {
      const span = tracer.span({ ...options, startTime: real(options.startTime) })
      const end = span.end.bind(span)
      const event = span.event.bind(span)
      return Object.assign(span, {
        end: (time, exit) => end(real(time), exit),
        event: (name, time, attributes) => event(name, real(time), attributes)
      } satisfies Pick<Tracer.Span, "end" | "event">)
    }
  })
}
