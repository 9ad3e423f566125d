/**
 * A function that does not use JSON: its payload is written as CSV, and its result is read from a line of text.
 *
 * Here the codecs are options of the call. A contract may have codecs too, and `Serdes.layer` replaces the format of
 * all values. Run it with `npm start -- serdes`.
 */
import { Durable, DurableFunction, Serdes } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Row = Schema.Struct({ sku: Schema.String, quantity: Schema.Int })
const Total = Schema.Struct({ rows: Schema.Int, quantity: Schema.Int })

/** The function as its author wrote it: it takes and returns text, which crosses the wire as a JSON string. */
export const Mainframe = DurableFunction.plain("mainframe", { payload: Schema.String, success: Schema.String })

/** The same function with the types that its callers want. */
export const CountRows = DurableFunction.plain("count-rows", {
  payload: Schema.Array(Row),
  success: Total,
  target: Mainframe.name
})

export const Inventory = DurableFunction.make("inventory", { payload: Schema.Array(Row), success: Total })

const csv = Serdes.writer((rows: ReadonlyArray<typeof Row.Type>) =>
  JSON.stringify(rows.map(({ quantity, sku }) => `${sku};${quantity}`).join("\n"))
)

const line = Serdes.reader((text) => {
  const [, rows, quantity] = /(\d+) rows, (\d+) pieces/.exec(text ?? "") ?? []
  return rows === undefined || quantity === undefined
    ? Effect.fail(`expected "N rows, N pieces", found ${text?.length ?? 0} characters of something else`)
    : Effect.succeed({ rows: Number(rows), quantity: Number(quantity) })
})

export const inventory = Inventory.implement((rows) =>
  Durable.invoke(CountRows, rows, { payloadSerdes: csv, successSerdes: line })
)

export const mainframe = Mainframe.implement((text) => {
  const quantities = text.split("\n").map((row) => Number(row.split(";")[1] ?? 0))
  return Effect.succeed(`${quantities.length} rows, ${quantities.reduce((sum, quantity) => sum + quantity, 0)} pieces`)
})

export const functions = [inventory, mainframe] as const

export const payload: (typeof Inventory)["payload"]["Type"] = [
  { sku: "tea", quantity: 40 },
  { sku: "cup", quantity: 12 }
]
