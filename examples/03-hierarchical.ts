/**
 * One workflow that calls a plain function, a durable function and another plain function, one after the other.
 *
 * The durable function waits for a day. Meanwhile both it and its caller are suspended. Run it with `npm start --
 * hierarchical`.
 */
import { Durable, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Loan = Schema.Struct({ applicant: Schema.NonEmptyString, amount: Schema.Int })

export const CheckApplicant = DurableFunction.plain("check-applicant", {
  payload: Schema.String,
  success: Schema.Struct({ score: Schema.Int })
})

export const CoolOff = DurableFunction.make("cool-off", {
  payload: Schema.String,
  success: Schema.Struct({ confirmed: Schema.Boolean }),
  target: "cool-off:live"
})

export const PayOut = DurableFunction.plain("pay-out", { payload: Loan, success: Schema.String })

export const GrantLoan = DurableFunction.make("grant-loan", {
  payload: Loan,
  success: Schema.Struct({ score: Schema.Int, transfer: Schema.NullOr(Schema.String) })
})

export const grantLoan = GrantLoan.implement(
  Effect.fn("grant-loan")(function* (loan) {
    const { score } = yield* Durable.invoke(CheckApplicant, loan.applicant)
    const { confirmed } = yield* Durable.invoke(CoolOff, loan.applicant)
    if (!confirmed) return { score, transfer: null }
    return { score, transfer: yield* Durable.invoke(PayOut, loan) }
  })
)

export const checkApplicant = CheckApplicant.implement((applicant) => Effect.succeed({ score: 600 + applicant.length }))

export const coolOff = CoolOff.implement(() =>
  Effect.gen(function* () {
    yield* Durable.wait("sleep on it", "1 day")
    return { confirmed: yield* Durable.step("ask again", Effect.succeed(true)) }
  })
)

export const payOut = PayOut.implement(({ amount, applicant }) =>
  Effect.succeed(`transfer of ${amount} to ${applicant}`)
)

export const functions = [grantLoan, checkApplicant, coolOff, payOut] as const

export const payload: (typeof GrantLoan)["payload"]["Type"] = { applicant: "Ada", amount: 5_000 }
