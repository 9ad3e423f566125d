/**
 * Implementations that need the client: one that hands over, and one that only starts it.
 */
import { Durable, DurableClient, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export const Count = DurableFunction.make("count", { payload: Schema.Int, success: Schema.Int, target: "count:live" })
export const Kick = DurableFunction.plain("kick", { payload: Schema.Int, success: Schema.String })

export const count = Count.implement((n) => (n < 2 ? Durable.continueWith(Count, n + 1) : Effect.succeed(n)))

export const kick = Kick.implement((n) =>
  Effect.orDie(Effect.map(DurableClient.start(Count, n), ({ executionArn }) => executionArn))
)
