/**
 * A call on behalf of a tenant. For a function with tenant isolation, Lambda uses separate sandboxes for each tenant
 * id.
 *
 * Run it with `npm start -- tenant`.
 */
import { Durable, DurableFunction } from "effect-durable"
import { LambdaContext } from "effect-durable/lambda"
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

const invoice = (cents: number, tenantId: string | undefined): string =>
  `invoice over ${cents} rendered for ${tenantId ?? "nobody"}`

/** The function finds its tenant in Lambda's context. */
export const renderInvoice = RenderInvoice.implement((cents) =>
  Effect.map(LambdaContext.LambdaContext, ({ tenantId }) => invoice(cents, tenantId))
)

export const functions = [billTenant, renderInvoice] as const

/** The test engine has no Lambda context. There a stub reads the tenant of a call. */
export const tested = [
  billTenant,
  TestEngine.stub(RenderInvoice, (cents, { tenantId }) => Effect.succeed(invoice(cents, tenantId)))
] as const

export const payload: (typeof BillTenant)["payload"]["Type"] = { tenant: "acme", cents: 9_900 }
