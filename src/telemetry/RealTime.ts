/**
 * The real time in the spans of a workflow, whose own clock shows another time.
 *
 * Owns: when a span of the user begins and ends, and when its events happen.
 * Does not own: which spans there are, and the time of log lines, which `Logs.ts` owns.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Tracer from "effect/Tracer"

/** Returns a tracer whose spans have the times of the given clock, whatever clock the code that creates them sees. */
export const traced = (clock: Clock.Clock, tracer: Tracer.Tracer): Tracer.Tracer => {
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
