/**
 * A job in another system that reports its progress only when it is asked.
 *
 * Each poll is an attempt of one operation, and no invocation waits between two polls. Run it with `npm start --
 * polling`.
 */
import { Durable, DurableFunction } from "effect-durable"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

export const Transcode = DurableFunction.make("transcode", {
  payload: Schema.Struct({ video: Schema.NonEmptyString }),
  success: Schema.Struct({ percent: Schema.Int, looks: Schema.Int })
})

/** The system that does the work. */
export class Farm extends Context.Service<
  Farm,
  {
    readonly submit: (video: string, key: string) => Effect.Effect<string>
    /** Returns the progress of a job at a poll. Polls are counted from 1. */
    readonly percent: (job: string, look: number) => Effect.Effect<number>
  }
>()("examples/Farm") {
  /** A farm that progresses by 30 percent between two polls. A poll that is repeated after a crash keeps its number. */
  static readonly layerMemory = Layer.succeed(this, {
    submit: (video) => Effect.succeed(`job of ${video}`),
    percent: (_, look) => Effect.succeed(Math.min(100, look * 30))
  })
}

export const transcode = Transcode.implement(
  Effect.fn("transcode")(function* ({ video }) {
    const job = yield* Durable.step(
      "submit",
      Effect.gen(function* () {
        const farm = yield* Farm
        const { idempotencyKey } = yield* Durable.StepContext
        return yield* farm.submit(video, idempotencyKey)
      })
    )
    return yield* Durable.waitForCondition("finished", {
      initial: { percent: 0, looks: 0 },
      check: ({ looks }) =>
        Effect.gen(function* () {
          const farm = yield* Farm
          return { percent: yield* farm.percent(job, looks + 1), looks: looks + 1 }
        }),
      until: ({ percent }) => percent === 100,
      delay: ({ attempt }) => `${attempt * 10} seconds`
    })
  })
)

export const functions = [transcode] as const

export const payload: (typeof Transcode)["payload"]["Type"] = { video: "holiday.mov" }
