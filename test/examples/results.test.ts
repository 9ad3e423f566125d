/** What every example ends with. */
import { assert, describe, it } from "@effect/vitest"
import { DurableClient } from "effect-durable"
import * as Effect from "effect/Effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { examples } from "../../examples/lib/all.ts"

const outcomes: Readonly<Record<string, unknown>> = {
  order: { status: "completed", transactionId: /^t-[0-9a-f]{8}$/, cents: 5_900 },
  "invoke-lambda": { statusCode: 200, body: /"sum":150/ },
  hierarchical: { score: 603, transfer: "transfer of 5000 to Ada" },
  conditional: { handledBy: "read-invoice", summary: "d-1: 3 lines, 99.00 in all" },
  context: {
    message: "Hello Ada, welcome to effect-durable!",
    trail: ["welcome r-1", "notify r-1", "greet r-1"]
  },
  "fan-out": {
    answers: [
      { service: "stock", value: 40 },
      { service: "prices", value: 4.5 },
      { service: "reviews", value: 3.9 }
    ],
    missing: ["horoscope"]
  },
  "time-out": { cents: 1_190, source: "yesterday" },
  retry: { seat: "ED 42 12A", attempts: 4 },
  serdes: { rows: 2, quantity: 52 },
  tenant: "invoice over 9900 rendered for acme",
  children: { room: "the cellar with balloons", food: "12 pizzas" },
  "map-reduce": { the: 5, cat: 2, sat: 3, on: 3, mat: 2, dog: 1, was: 2, and: 1, nobody: 1, amused: 1 },
  approval: { status: "bought", by: "Ada" },
  saga: { error: "SoldOut" },
  polling: { percent: 100, looks: 4 },
  batch: { reason: "ALL_COMPLETED", imported: 980, failed: 20 },
  agent: { text: "Your order o-1 was refunded.", turns: 3 },
  deployed: { status: "shipped", receipt: /^r-[0-9a-f]{8}$/, parcel: "parcel of o-1" }
}

const engines = ["local", "memory"] as const

/** Runs an example on one of its engines, with its own input or another. */
const outcomeOf = (
  name: string,
  engine: (typeof engines)[number],
  payload?: unknown
): Effect.Effect<unknown, unknown> => {
  const example = examples[name]!
  return Effect.flatMap(DurableClient.DurableClient, (client) =>
    client.start({
      functionName: example.functionName,
      qualifier: "$LATEST",
      payload: JSON.stringify(payload ?? example.payload),
      type: "RequestResponse"
    })
  ).pipe(
    Effect.map(({ outcome }) =>
      outcome?.status === "SUCCEEDED" ? JSON.parse(outcome.result ?? "null") : { error: outcome?.error.ErrorType }
    ),
    Effect.provide(engine === "local" ? example.local({}) : example.memory())
  )
}

/** Compares with an expectation in which a pattern stands for any text that it fits. */
const assertLike = (found: unknown, expected: unknown): void => {
  if (expected instanceof RegExp) return assert.match(String(found), expected)
  if (Array.isArray(expected) || typeof expected !== "object" || expected === null) {
    return assert.deepStrictEqual(found, expected)
  }
  assert.deepStrictEqual(Object.keys(Object(found)).toSorted(), Object.keys(expected).toSorted())
  for (const [key, value] of Object.entries(expected)) assertLike(Reflect.get(Object(found), key), value)
}

describe("every example", () => {
  it("is expected here", () => {
    assert.deepStrictEqual(Object.keys(outcomes).toSorted(), Object.keys(examples).toSorted())
  })

  it("is linked from a guide", () => {
    const root = join(import.meta.dirname, "../..")
    const guides = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".md"))
      .map((file) => readFileSync(join(root, "docs", file), "utf8"))
      .join("\n")
    const files = readdirSync(join(root, "examples")).filter((file) => /^\d\d-/.test(file))
    assert.deepStrictEqual(
      files.filter((file) => !guides.includes(`examples/${file}`)),
      []
    )
  })

  describe.each(engines)("on the engine %s", (engine) => {
    it.live.each(Object.keys(examples))("%s ends as it says", (name) =>
      Effect.map(outcomeOf(name, engine), (found) => assertLike(found, outcomes[name]))
    )

    it.live.each([
      [
        "conditional",
        { id: "d-2", type: "contract", pages: 12 },
        { handledBy: "review-contract", summary: /12 pages/ }
      ],
      ["conditional", { id: "d-3", type: "poem", pages: 1 }, { handledBy: "the archive", summary: /no known type/ }],
      ["time-out", { seconds: 1 }, { cents: 1_250, source: "live" }],
      ["approval", { what: "a yacht", cents: 99_000_000 }, { status: "refused", by: "Ada" }],
      ["agent", { message: "I want a refund for o-2." }, { text: "Your order o-2 was refused.", turns: 3 }],
      ["saga", { city: "Lisbon", cars: 1 }, ["flight to Lisbon", "room in Lisbon", "a small car"]],
      ["batch", { items: 100, badEvery: 5 }, { reason: "FAILURE_TOLERANCE_EXCEEDED", imported: /\d/, failed: 6 }]
    ] as const)("%s with %j ends as %j", ([name, payload, expected]) =>
      Effect.map(outcomeOf(name, engine, payload), (found) => assertLike(found, expected))
    )
  })
})
