/**
 * A document is sent to the function for its type, or to no function if its type has none.
 *
 * Recorded data decides which function is called, so every replay decides the same. Run it with `npm start --
 * conditional '{"id":"d-2","type":"contract","pages":12}'`.
 */
import { Durable, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Document = Schema.Struct({ id: Schema.NonEmptyString, type: Schema.String, pages: Schema.Int })
const Report = Schema.Struct({ handledBy: Schema.String, summary: Schema.String })

export const ReadInvoice = DurableFunction.plain("read-invoice", { payload: Document, success: Report })
export const ReviewContract = DurableFunction.make("review-contract", {
  payload: Document,
  success: Report,
  target: "review-contract:live"
})

export const ProcessDocument = DurableFunction.make("process-document", { payload: Document, success: Report })

export const processDocument = ProcessDocument.implement((document) => {
  switch (document.type) {
    case "invoice":
      return Durable.invoke(ReadInvoice, document)
    case "contract":
      return Durable.invoke(ReviewContract, document)
    default:
      return Durable.step(
        "file away",
        Effect.succeed({ handledBy: "the archive", summary: `${document.id} is of no known type` })
      )
  }
})

export const readInvoice = ReadInvoice.implement(({ id }) =>
  Effect.succeed({ handledBy: "read-invoice", summary: `${id}: 3 lines, 99.00 in all` })
)

export const reviewContract = ReviewContract.implement(({ id, pages }) =>
  Effect.gen(function* () {
    yield* Durable.wait("second pair of eyes", `${pages} minutes`)
    return { handledBy: "review-contract", summary: `${id}: ${pages} pages, nothing unusual` }
  })
)

export const functions = [processDocument, readInvoice, reviewContract] as const

export const payload: (typeof ProcessDocument)["payload"]["Type"] = { id: "d-1", type: "invoice", pages: 2 }
