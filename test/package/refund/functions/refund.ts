/** The refund: somebody approves it, three systems do their parts, and every part is undone when a later one fails. */
import { Durable, DurableError, RetryPolicy } from "effect-durable"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  approval,
  Damaged,
  NoShelf,
  NotRefunded,
  Refund,
  ReverseCharge,
  Score,
  type LineItem,
  type RefundRequest
} from "../contracts/refund.ts"
import { asked, asTold, invokeOr, traced } from "./helpers.ts"
import { Bank, Mailer, RateLimited, Settings, Warehouse, type Transfer } from "./services.ts"

const reversed = ({ card, cents, id }: RefundRequest) =>
  Durable.withCompensation(
    "charge",
    Durable.invoke(ReverseCharge, { refund: id, card, cents }, { timeout: "3 days" }),
    ({ reference }) => Durable.step("charge-again", Effect.logDebug("charged again", reference.length))
  ).pipe(Effect.catchTag("CardGone", () => Effect.fail(new NotRefunded({ id, because: "charge" }))))

const restocked = (item: LineItem) =>
  Effect.gen(function* () {
    const { idempotencyKey } = yield* Durable.StepContext
    const { restock } = yield* Warehouse
    return yield* Effect.tryPromise({
      try: (signal) => restock(item.sku, idempotencyKey, signal),
      catch: () => new NoShelf({ sku: item.sku })
    })
  }).pipe(
    Effect.timeout("30 seconds"),
    Durable.step("put", {
      error: Schema.Union([NoShelf, DurableError.EffectError]),
      retry: RetryPolicy.fixed({ maxAttempts: 2, delay: "5 seconds" })
    }),
    Durable.withCompensation("restock", ({ shelf }) =>
      Durable.step(
        "take",
        Effect.gen(function* () {
          const { idempotencyKey } = yield* Durable.StepContext
          const { unstock } = yield* Warehouse
          yield* Effect.promise(() => unstock(shelf, idempotencyKey))
        })
      )
    )
  )

const restockAll = (items: ReadonlyArray<LineItem>) =>
  Effect.map(
    Durable.map(
      "items",
      items,
      (item) =>
        Effect.gen(function* () {
          if (item.quantity === 0) return yield* new Damaged({ sku: item.sku, at: yield* DateTime.now })
          return yield* restocked(item)
        }),
      {
        error: Schema.Union([NoShelf, Damaged, DurableError.EffectError]),
        concurrency: 10,
        itemName: ({ sku }) => sku
      }
    ),
    ({ failed, successCount }) => ({
      restocked: successCount,
      failed: failed.map(({ error, index, item }) => ({ sku: item.sku, index, reason: error?._tag ?? "a defect" }))
    })
  )

const unseen: Transfer = { state: "pending", seenAt: 0 }

const settled = (reference: string) =>
  Durable.waitForCondition("settled", {
    initial: unseen,
    check: (last) =>
      Effect.flatMap(Bank, ({ status }) => status(reference)).pipe(
        Effect.catchTag("RateLimited", () => Effect.succeed(last))
      ),
    until: ({ state }) => state !== "pending",
    delay: ({ attempt }) => `${Math.min(2 ** attempt, 3_600)} seconds`,
    maxAttempts: 30
  })

const told = ({ customer }: RefundRequest, text: string) =>
  Effect.gen(function* () {
    const { idempotencyKey } = yield* Durable.StepContext
    const { send } = yield* Mailer
    yield* send({ to: customer, text, key: idempotencyKey })
  }).pipe(traced("mail", { success: Schema.Void, error: RateLimited }, asTold<RateLimited>()))

export const refund = Refund.implement(
  Effect.fn("refund")(
    function* (request) {
      const { id } = request
      const settings = yield* Settings
      const { score } = yield* invokeOr(Score, { customer: request.customer }, "1 minute", { score: 1 })
      yield* Effect.logDebug("scored", score)
      const { by } = yield* asked("approval", approval, {
        to: settings.approver,
        every: settings.remindEvery,
        patience: settings.patience
      })
      const { reference } = yield* reversed(request)
      const items = yield* restockAll(request.items)
      const { seenAt, state } = yield* settled(reference)
      if (state === "bounced") return yield* new NotRefunded({ id, because: "bank" })
      yield* told(request, "on its way").pipe(
        Effect.catchTag("RateLimited", () => Effect.fail(new NotRefunded({ id, because: "mail" })))
      )
      return {
        _tag: "Refunded" as const,
        id,
        reference,
        approvedBy: by,
        settledAt: DateTime.makeUnsafe(seenAt),
        ...items
      }
    },
    (effect, { id }) =>
      effect.pipe(
        Effect.catchTag("Rejected", ({ by, why }) => Effect.succeed({ _tag: "Refused" as const, id, by, why })),
        Effect.catchTag("CallbackTimedOut", () => Effect.succeed({ _tag: "Forgotten" as const, id }))
      )
  )
)
