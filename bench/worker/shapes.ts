/** The measured workflows, which both engines implement, with their required results and operations. */
export type Shape =
  /** Steps in a row: with a Schema for every result, or without the START of each step, if the engine supports it. */
  | { readonly kind: "steps"; readonly count: number; readonly body: Body; readonly only?: "schema" | "omitStart" }
  /** Concurrent steps without a batch around them: `Effect.forEach`, `Promise.all`. */
  | { readonly kind: "together"; readonly count: number; readonly body: Body }
  /** A durable `parallel` of branches with one step each, all at once. */
  | { readonly kind: "parallel"; readonly count: number; readonly body: Body }
  /** A durable `map` over items with one step each. */
  | { readonly kind: "map"; readonly count: number; readonly concurrency: number; readonly body: Body }
  /** One step with a result of about this many bytes of JSON. */
  | { readonly kind: "payload"; readonly bytes: number }
  /** A step and a wait of one second, repeated. Each round has an invocation of its own. */
  | { readonly kind: "suspensions"; readonly count: number }

/**
 * How the body of a step returns: at once, in a later turn of the event loop, or after some time, as a request does.
 */
export type Body = "instant" | "async" | "io"

/** The duration of a body with I/O. */
export const ioMillis = 5

/** The result of the execution. A step returns its index, and a workflow the sum of these. */
export const resultOf = (shape: Shape): number =>
  shape.kind === "payload" ? recordsOf(shape.bytes).length : (shape.count * (shape.count - 1)) / 2

/** The number of operations of each type at the end of the execution. */
export const operationsOf = (shape: Shape): Readonly<Record<string, number>> => {
  switch (shape.kind) {
    case "steps":
    case "together":
      return { STEP: shape.count }
    case "parallel":
    case "map":
      return { CONTEXT: 1 + shape.count, STEP: shape.count }
    case "payload":
      return { STEP: 1 }
    case "suspensions":
      return { STEP: shape.count, WAIT: shape.count }
  }
}

export const indexesOf = (count: number): Array<number> => Array.from({ length: count }, (_, index) => index)

export const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

/** Plain data as workflows pass it, about a hundred bytes for each record. */
export const recordsOf = (bytes: number) =>
  Array.from({ length: Math.round(bytes / 100) }, (_, index) => ({
    id: index,
    name: `customer number ${index + 100_000}`,
    tags: ["new", "vip"],
    amount: index / 4,
    open: true
  }))
