/** The world of a refund in a test: systems that fail as a test asks for, and people who answer. */
import { Reply, TestEngine } from "effect-durable/testing"
import * as ConfigProvider from "effect/ConfigProvider"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { approval, Cents, LineItem, RefundId, RefundRequest, Rejected, Score } from "../contracts/refund.ts"
import { refund } from "../functions/refund.ts"
import { reverseCharge } from "../functions/reverse.ts"
import { Bank, Mailer, RateLimited, Settings, Warehouse } from "../functions/services.ts"

export const item = (sku: string, quantity = 1) => new LineItem({ sku, quantity, cents: Cents.make(100) })

export const request = (items: ReadonlyArray<LineItem>, card = "4242") =>
  new RefundRequest({ id: RefundId.make("r-1"), customer: "ada", card, cents: Cents.make(1_250), items })

/** What happened, and how often a system still says no. */
export class Log {
  readonly mails: Array<string> = []
  readonly shelves = new Set<string>()
  limited = 0
  looks = 0
}

const warehouse = (log: Log): Warehouse["Service"] => ({
  restock: (sku) => {
    if (sku.startsWith("lost")) return Promise.reject(new Error("no shelf"))
    if (sku.startsWith("slow")) return new Promise(() => {})
    log.shelves.add(sku)
    return Promise.resolve({ shelf: sku })
  },
  unstock: (shelf) => Promise.resolve(void log.shelves.delete(shelf))
})

export const outside = (log: Log) =>
  Layer.mergeAll(
    Layer.provide(Settings.layer, ConfigProvider.layer(ConfigProvider.fromUnknown({ REFUND_APPROVER: "grace" }))),
    Layer.succeed(Warehouse, warehouse(log)),
    Layer.succeed(Bank, {
      status: () =>
        Effect.suspend(() =>
          log.looks++ < 3
            ? Effect.fail(new RateLimited({ retryAfter: 1 }))
            : Effect.succeed({ state: "settled" as const, seenAt: 1_767_225_600_000 })
        )
    }),
    Layer.succeed(Mailer, {
      send: ({ text, to }) =>
        Effect.suspend(() => {
          if (to === "ada" && log.limited-- > 0) return Effect.fail(new RateLimited({ retryAfter: 17 }))
          log.mails.push(`${to}: ${text}`)
          return Effect.void
        })
    })
  )

const grace = Reply.succeed({ by: "grace", at: DateTime.makeUnsafe(0) })
export const yes = TestEngine.answer("approval", Reply.after("60 hours", grace), approval)
export const no = TestEngine.answer("approval", Reply.fail(new Rejected({ by: "grace", why: "worn" })), approval)
export const score = TestEngine.stub(Score, Reply.succeed({ score: 0.1 }))

/** A world of the refund, its callee, and what a test adds. */
export const world = (log: Log, ...more: ReadonlyArray<TestEngine.Answer>) =>
  Layer.provide(TestEngine.layer([refund, reverseCharge, score, ...more]), outside(log))
