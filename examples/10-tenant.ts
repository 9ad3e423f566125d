/**
 * A call on behalf of a tenant: Lambda keeps the sandboxes of a function with tenant isolation apart by this id.
 *
 * Run it with `npm start -- tenant`.
 */
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export const RenderInvoice = DurableFunction.plain("render-invoice", { payload: Schema.Int, success: Schema.String })

export const BillTenant = DurableFunction.make("bill-tenant", {
  payload: Schema.Struct({ tenant: Schema.NonEmptyString, cents: Schema.Int }),
  success: Schema.String
})

export const billTenant = BillTenant.implement(({ cents, tenant }) =>
  Durable.invoke(RenderInvoice, cents, { tenantId: tenant })
)

/** A stub sees the tenant of a call; a function of its own would find it in Lambda's context. */
const renderInvoice = TestEngine.stub(RenderInvoice, (cents, { tenantId }) =>
  Effect.succeed(`invoice over ${cents} rendered for ${tenantId ?? "nobody"}`)
)

export const functions = [billTenant, renderInvoice] as const

export const payload: (typeof BillTenant)["payload"]["Type"] = { tenant: "acme", cents: 9_900 }
