/**
 * A parent workflow and two child workflows, which are durable functions of their own. The children run concurrently,
 * and the parent waits for both without an invocation.
 *
 * Run it with `npm start -- children`.
 */
import { Durable, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export const PrepareRoom = DurableFunction.make("prepare-room", {
  payload: Schema.String,
  success: Schema.String,
  target: "prepare-room:live"
})

export const OrderFood = DurableFunction.make("order-food", {
  payload: Schema.Int,
  success: Schema.String,
  target: "order-food:live"
})

export const PlanParty = DurableFunction.make("plan-party", {
  payload: Schema.Struct({ room: Schema.NonEmptyString, guests: Schema.Int }),
  success: Schema.Struct({ room: Schema.String, food: Schema.String })
})

export const planParty = PlanParty.implement(({ guests, room }) =>
  Durable.all(
    "prepare",
    { room: Durable.invoke(PrepareRoom, room), food: Durable.invoke(OrderFood, guests) },
    { concurrency: "unbounded" }
  )
)

export const prepareRoom = PrepareRoom.implement((room) =>
  Effect.gen(function* () {
    yield* Durable.step("reserve", Effect.void)
    yield* Durable.wait("until the room is free", "3 hours")
    return yield* Durable.step("decorate", Effect.succeed(`${room} with balloons`))
  })
)

export const orderFood = OrderFood.implement((guests) =>
  Effect.gen(function* () {
    yield* Durable.wait("delivery", "2 hours")
    return `${guests} pizzas`
  })
)

export const functions = [planParty, prepareRoom, orderFood] as const

export const payload: (typeof PlanParty)["payload"]["Type"] = { room: "the cellar", guests: 12 }
