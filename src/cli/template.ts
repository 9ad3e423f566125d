/**
 * The first workflow of a project, as `init` writes it: its contracts, the workflow, and its test.
 *
 * Owns: the text of the files.
 * Does not own: their location.
 *
 * @since 0.1.0
 */

/** A function called `order` has a contract `Order` and an implementation `order`. */
export interface Names {
  /** The name of the function. */
  readonly name: string
  readonly contract: string
  readonly implementation: string
}

/** Returns the names of a function, or undefined for a name that cannot be converted to an identifier. */
export const namesOf = (name: string): Names | undefined => {
  if (!/^[a-zA-Z][a-zA-Z0-9_-]{0,49}$/.test(name)) return undefined
  const implementation = name.replaceAll(/[-_]+(.?)/g, (_, next: string) => next.toUpperCase())
  const lower = `${implementation[0]?.toLowerCase() ?? ""}${implementation.slice(1)}`
  const contract = `${implementation[0]?.toUpperCase() ?? ""}${implementation.slice(1)}`
  return taken.has(lower) || taken.has(contract) ? undefined : { name, contract, implementation: lower }
}

/** The reserved words of the language, and the other names in the files. */
const taken = new Set(
  (
    "await break case catch class const continue debugger default delete do else enum export extends false finally for " +
    "function if implements import in instanceof interface let new null package private protected public return static " +
    "super switch this throw true try typeof undefined var void while with yield arguments eval " +
    "Durable DurableFunction Effect Schema NotApproved TestEngine engine start expect it item cents reserved isApproved"
  ).split(" ")
)

/** Returns the file with the contracts and the workflow. */
export const workflow = ({ contract, implementation, name }: Names): string =>
  written(`
  // The workflow "${name}": its contracts, and what they do.
  import { Durable, DurableFunction } from "effect-durable"
  import * as Effect from "effect/Effect"
  import * as Schema from "effect/Schema"

  // --- Contracts: what is known of the functions outside of them -----------------------------------------------------------

  export class NotApproved extends Schema.TaggedError<NotApproved>()("NotApproved", { reason: Schema.String }) {}

  /** A function that only answers. */
  export const ${contract}Quote = DurableFunction.plain("${name}-quote", { payload: Schema.String, success: Schema.Int })

  /** The workflow. */
  export const ${contract} = DurableFunction.make("${name}", {
    payload: Schema.Struct({ item: Schema.String }),
    success: Schema.String,
    error: NotApproved
  })

  // --- What they do --------------------------------------------------------------------------------------------------------

  export const ${implementation}Quote = ${contract}Quote.implement((item) => Effect.succeed(item.length * 100))

  export const ${implementation} = ${contract}.implement(
    Effect.fn("${name}")(function* ({ item }) {
      const cents = yield* Durable.invoke(${contract}Quote, item)
      const reserved = yield* Durable.step("reserve", Effect.succeed(\`\${item} for \${cents} cents\`))
      yield* Durable.wait("cooling-off", "5 seconds")
      const isApproved = yield* Durable.waitForCallback(
        "approval",
        (callbackId) => Effect.log(\`To approve it: npx effect-durable callback succeed \${callbackId} --result true\`),
        { success: Schema.Boolean, timeout: "1 day" }
      ).pipe(Effect.catchTag("CallbackTimedOut", () => Effect.fail(new NotApproved({ reason: "nobody answered" }))))
      if (!isApproved) return yield* new NotApproved({ reason: "somebody said no" })
      return \`sold \${reserved}\`
    })
  )
`)

/** Returns the test, in virtual time. */
export const test = ({ contract, implementation, name }: Names): string =>
  written(`
  // What "${name}" promises, in virtual time.
  import { TestEngine } from "effect-durable/testing"
  import * as Effect from "effect/Effect"
  import * as Schema from "effect/Schema"
  import { expect, it } from "vitest"
  import { NotApproved, ${contract}, ${implementation}, ${implementation}Quote } from "./${name}.ts"

  const engine = TestEngine.layer([${implementation}, ${implementation}Quote])

  const start = TestEngine.start(${contract}, { item: "tea" })

  it("sells what is approved", () =>
    Effect.gen(function* () {
      const run = yield* start
      const approval = yield* run.callback("approval", { success: Schema.Boolean })
      yield* approval.succeed(true)
      expect(yield* run.result).toBe("sold tea for 300 cents")
    }).pipe(Effect.provide(engine), Effect.runPromise))

  it("fails when somebody says no", () =>
    Effect.gen(function* () {
      const run = yield* start
      const approval = yield* run.callback("approval", { success: Schema.Boolean })
      yield* approval.succeed(false)
      expect(yield* Effect.flip(run.result)).toEqual(new NotApproved({ reason: "somebody said no" }))
    }).pipe(Effect.provide(engine), Effect.runPromise))

  // A day of virtual time takes no time.
  it("fails when nobody answers for a day", () =>
    Effect.gen(function* () {
      const run = yield* start
      expect(yield* Effect.flip(run.result)).toEqual(new NotApproved({ reason: "nobody answered" }))
      yield* TestEngine.expectElapsed(run, { atLeast: "1 day", atMost: "2 days" })
    }).pipe(Effect.provide(engine), Effect.runPromise))
`)

/** The configuration of the compiler. Node runs TypeScript by itself, so the compiler only checks. */
export const compilerConfiguration = written(`
  {
    "compilerOptions": {
      "target": "ES2024",
      "lib": ["ES2024"],
      "module": "NodeNext",
      "types": ["node"],
      "strict": true,
      "erasableSyntaxOnly": true,
      "verbatimModuleSyntax": true,
      "allowImportingTsExtensions": true,
      "noEmit": true,
      "skipLibCheck": true
    },
    "include": ["*.ts"]
  }
`)

/** The ignored files of a repository. */
export const ignored = "node_modules\n.durable\n"

/** Removes the leading empty line and two columns of indentation from a text. */
function written(text: string): string {
  return text.slice(1).replaceAll(/^ {2}/gm, "")
}
