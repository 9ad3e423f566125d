/** What the refund needs of the world. */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", { retryAfter: Schema.Finite }) {}

export interface Transfer {
  readonly state: "pending" | "settled" | "bounced"
  readonly seenAt: number
}

export class Bank extends Context.Service<
  Bank,
  { readonly status: (reference: string) => Effect.Effect<Transfer, RateLimited> }
>()("refund/Bank") {}

export interface Mail {
  readonly to: string
  readonly text: string
  readonly callbackId?: string
  readonly key: string
}

export class Mailer extends Context.Service<
  Mailer,
  { readonly send: (mail: Mail) => Effect.Effect<void, RateLimited> }
>()("refund/Mailer") {}

/** A client as one is given: its promises reject with whatever, or never settle. */
export class Warehouse extends Context.Service<
  Warehouse,
  {
    readonly restock: (sku: string, key: string, signal: AbortSignal) => Promise<{ readonly shelf: string }>
    readonly unstock: (shelf: string, key: string) => Promise<void>
  }
>()("refund/Warehouse") {}

export class Settings extends Context.Service<
  Settings,
  { readonly approver: string; readonly remindEvery: Duration.Duration; readonly patience: Duration.Duration }
>()("refund/Settings") {
  static readonly layer = Layer.effect(
    Settings,
    Config.all({
      approver: Config.NonEmptyString("REFUND_APPROVER"),
      remindEvery: Config.Duration("REFUND_REMIND_EVERY").pipe(Config.withDefault(Duration.days(1))),
      patience: Config.Duration("REFUND_PATIENCE").pipe(Config.withDefault(Duration.days(5)))
    })
  )
}
