/**
 * The examples that can be deployed: a template says of the functions what their code needs, no less and no more. What the
 * code needs is observed: the functions run as they are bundled, and call a service over HTTP.
 */
import { assert, describe, it } from "@effect/vitest"
import { Targets } from "effect-durable"
import * as Effect from "effect/Effect"
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import { ProcessValues } from "../../examples/02-invoke-lambda/contracts.ts"
import { ChargeCard } from "../../examples/deployed/contracts.ts"
import { parseFunctionAddress } from "../../src/wire/Constraints.ts"
import * as Limits from "../../src/wire/Limits.ts"
import { markdownBlocks } from "../docs/blocks.ts"
import { actions, arnOf, matches, Stack } from "./stack.ts"

const output = mkdtempSync(join(tmpdir(), "effect-durable-deployed-"))

const shop = new Stack("deployed", "npx esbuild place-order.ts", output)
const statistics = new Stack("02-invoke-lambda", "npx esbuild orchestrate.ts", output)

beforeAll(() => {
  shop.bundle()
  statistics.bundle()
})

afterAll(() => rmSync(output, { recursive: true }))

const order = { orderId: "o-1", card: "4242", cents: 1_250 }

const examples = [
  {
    name: "of two durable functions",
    stack: shop,
    functions: ["shop-place-order", "shop-charge-card"],
    aliases: ["shop-place-order", "shop-charge-card"],
    payload: order
  },
  {
    name: "of an on-demand function",
    stack: statistics,
    functions: ["shop-orchestrate", "shop-process-values"],
    aliases: ["shop-orchestrate"],
    payload: { values: [1, 2] }
  }
]

describe.each(examples)("the template $name", ({ aliases, functions, payload, stack }) => {
  it("has two functions", () => {
    assert.deepStrictEqual(
      stack.functions.map(([, { FunctionName }]) => FunctionName),
      functions
    )
  })

  it("names handlers that the bundles export", async () => {
    for (const [, properties] of stack.functions) {
      const { CodeUri } = properties
      assert.isTrue(existsSync(join(stack.folder, `${basename(CodeUri)}.ts`)), `the source of ${CodeUri}`)
      assert.isFunction(await stack.handlerOf(properties))
      // With the barrel of Effect in it, a bundle has more than 500,000 bytes.
      assert.isBelow(statSync(stack.fileOf(properties)).size, 340_000)
    }
  })

  it("looks for the bundles where the command of docs/deploying.md puts them", () => {
    const entries = stack.bundling.filter((word) => word.endsWith(".ts"))
    assert.deepStrictEqual(
      entries.map((entry) => `dist/${basename(entry, ".ts")}`).toSorted(),
      stack.functions.map(([, { CodeUri }]) => CodeUri).toSorted()
    )
  })

  it.live("allows each function what it calls, and nothing else", () =>
    Effect.gen(function* () {
      const [[, caller] = []] = stack.durable
      const { by, outcome } = yield* stack.run(caller!, payload)
      assert.strictEqual(outcome.status, "SUCCEEDED")
      for (const [name, properties] of stack.functions) {
        const called = by(properties)
        const needed = stack.allowed(properties).filter(([action]) => !action.startsWith("logs:"))
        assert.sameMembers(
          [...new Set(called.map(({ action }) => action))],
          needed.map(([action]) => action),
          name
        )
        for (const { action, resource } of called) {
          const pattern = needed.find(([other]) => other === action)?.[1] ?? ""
          assert.isTrue(matches(pattern, resource), `${name}: ${action} on ${resource}, allowed on ${pattern}`)
        }
      }
    })
  )

  it("allows nothing on whatever there is, and no function to record for another", () => {
    const known = [...functions.map(arnOf), ...functions.map((name) => `${arnOf(name)}:*`)]
    const published = aliases.map((name) => `${arnOf(name)}:live`)
    for (const [name, properties] of stack.functions) {
      const rights = stack.allowed(properties).filter(([action]) => !action.startsWith("logs:"))
      for (const [action, resource] of rights) {
        assert.notInclude(action, "*", name)
        assert.include([...known, ...published], resource, `${name}: ${action}`)
      }
      for (const other of functions.filter((one) => one !== properties.FunctionName)) {
        const execution = `${arnOf(other)}:1/durable-execution/name/id`
        const mayRecord = rights.some(([action, on]) => action === actions.checkpoint && matches(on, execution))
        assert.isFalse(mayRecord, `${name} on ${other}`)
      }
    }
  })

  it("gives each function a log group of its own, and the right to write to that", () => {
    for (const [name, properties] of stack.functions) {
      const group = /^reference to (\w+)$/.exec(properties.LoggingConfig.LogGroup)?.[1] ?? ""
      const { LogGroupName, RetentionInDays } = stack.propertiesOf(group)
      assert.strictEqual(LogGroupName, `/aws/lambda/${properties.FunctionName}`, name)
      assert.isAtLeast(RetentionInDays, 1, name)
      assert.sameDeepMembers(
        stack.allowed(properties).filter(([action]) => action.startsWith("logs:")),
        [
          ["logs:CreateLogStream", `arn of ${group}`],
          ["logs:PutLogEvents", `arn of ${group}`]
        ],
        name
      )
    }
  })

  it("makes its workflows durable, within the limits, and publishes an alias of each", () => {
    const { Runtime, Timeout } = stack.template.Globals.Function
    assert.match(Runtime, /^nodejs2[24]\.x$/)
    assert.deepStrictEqual(
      stack.durable.map(([, { FunctionName }]) => FunctionName),
      aliases
    )
    for (const [name, { AutoPublishAlias, AutoPublishAliasAllProperties }, config] of stack.durable) {
      assert.strictEqual(AutoPublishAlias, "live", name)
      assert.isTrue(AutoPublishAliasAllProperties, name)
      // A callee that is not durable ends by this time-out, and has to before its caller.
      assert.isAbove(config.ExecutionTimeout, Timeout, name)
      assert.isAtMost(config.ExecutionTimeout, Limits.maxDurationSeconds, name)
      assert.isAtLeast(config.RetentionPeriodInDays, 1, name)
      assert.isAtMost(config.RetentionPeriodInDays, Limits.maxRetentionDays, name)
    }
  })

  it("hands the ARNs of the aliases out", () => {
    assert.deepStrictEqual(
      Object.values(stack.template.Outputs).map(({ Value }) => Value),
      aliases.map((name) => `${arnOf(name)}:live`)
    )
  })
})

describe("docs/deploying.md", () => {
  it("quotes the templates as they are", () => {
    const flat = (text: string): string => text.replaceAll(/^ +/gm, "").trimEnd()
    const quotes = markdownBlocks("docs/deploying.md").filter(({ language }) => language === "yaml")
    const sources = examples.map(({ stack }) => flat(stack.source))
    for (const { code, line } of quotes) {
      assert.isTrue(
        sources.some((source) => source.includes(flat(code))),
        `docs/deploying.md:${line}`
      )
    }
    for (const source of sources) assert.isTrue(quotes.some(({ code }) => source.includes(flat(code))))
  })
})

/** Where a function that runs in a stack finds the function of a contract. */
const addressOf = (stack: Stack, caller: string, contract: Parameters<typeof Targets.resolve>[0]) => {
  const variables = stack.propertiesOf(caller).Environment?.Variables
  const targets: Record<string, string> = JSON.parse(variables?.["DURABLE_TARGETS"] ?? "{}")
  return Effect.map(Targets.resolve(contract), ({ address }) => address).pipe(Effect.provide(Targets.layer(targets)))
}

describe("the example of two durable functions", () => {
  const placed = (input: typeof order) => outcomeOf(shop, "PlaceOrderFunction", input)

  it.live("runs as it is bundled: the caller invokes the callee, waits, and ships", () =>
    Effect.gen(function* () {
      const outcome = yield* placed(order)
      assert.strictEqual(outcome.status, "SUCCEEDED")
      const { parcel, receipt, status } = JSON.parse(outcome.status === "SUCCEEDED" ? (outcome.result ?? "") : "")
      assert.deepStrictEqual({ status, parcel }, { status: "shipped", parcel: "parcel of o-1" })
      assert.match(receipt, /^r-[0-9a-f]{8}$/)
    })
  )

  it.live("hands the error of the callee to the caller", () =>
    Effect.gen(function* () {
      const outcome = yield* placed({ ...order, card: "0002" })
      assert.deepInclude(outcome, { status: "SUCCEEDED", result: `{"status":"declined","code":"51"}` })
    })
  )

  it.effect("tells the caller where the alias of the callee is", () =>
    Effect.gen(function* () {
      const address = yield* addressOf(shop, "PlaceOrderFunction", ChargeCard)
      assert.strictEqual(address, `${arnOf("shop-charge-card")}:live`)
      assert.strictEqual(parseFunctionAddress(address)?.qualifier, "live")
    })
  )

  it("lets the caller outlive the callee and the packing", () => {
    const timeoutOf = (name: string): number => shop.propertiesOf(name).DurableConfig?.ExecutionTimeout ?? 0
    assert.isAbove(timeoutOf("PlaceOrderFunction"), timeoutOf("ChargeCardFunction") + 3_600)
  })
})

describe("the example of an on-demand function", () => {
  const computed = (...values: ReadonlyArray<number>) => outcomeOf(statistics, "OrchestrateFunction", { values })

  it.live("runs as it is bundled: the caller prepares, the callee computes", () =>
    Effect.gen(function* () {
      const outcome = yield* computed(10, 20, 30, 40, 50)
      assert.strictEqual(outcome.status, "SUCCEEDED")
      const { body, statusCode } = JSON.parse(outcome.status === "SUCCEEDED" ? (outcome.result ?? "") : "")
      assert.strictEqual(statusCode, 200)
      assert.deepStrictEqual(JSON.parse(body), {
        message: "Durable orchestration completed successfully",
        input_values: [10, 20, 30, 40, 50],
        processing_result: { operation: "sum_and_average", count: 5, sum: 150, average: 30, max: 50, min: 10 }
      })
    })
  )

  it.live("hands the failure of the callee to the caller", () =>
    Effect.gen(function* () {
      const outcome = yield* computed(1e308, 1e308)
      assert.strictEqual(outcome.status, "FAILED")
      const message = outcome.status === "SUCCEEDED" ? "" : outcome.error.ErrorMessage
      assert.match(message ?? "", /^The function arn:.+:shop-process-values, .+ ended as FAILED: .*finite/)
    })
  )

  it.effect("tells the caller where the callee is, which has no alias", () =>
    Effect.gen(function* () {
      const address = yield* addressOf(statistics, "OrchestrateFunction", ProcessValues)
      assert.strictEqual(address, arnOf("shop-process-values"))
    })
  )

  it("ends while a synchronous invocation still waits", () => {
    assert.isAtMost(statistics.propertiesOf("OrchestrateFunction").DurableConfig?.ExecutionTimeout ?? Infinity, 900)
  })
})

/** How an execution of a function of a stack ends. */
const outcomeOf = (of: Stack, resource: string, payload: unknown) =>
  Effect.map(of.run(of.propertiesOf(resource), payload), ({ outcome }) => outcome)
