/**
 * The example that can be deployed: its template says of the functions what their code needs, no less and no more. What the
 * code needs is observed: both functions run as they are bundled, and call a service over HTTP.
 */
import { assert, describe, it } from "@effect/vitest"
import { Targets } from "effect-durable"
import type { LambdaHandler } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { pathToFileURL } from "node:url"
import { afterAll, beforeAll, vi } from "vitest"
import { parse } from "yaml"
import { ChargeCard } from "../../examples/deployed/contracts.ts"
import { parseFunctionAddress } from "../../src/wire/Constraints.ts"
import * as Limits from "../../src/wire/Limits.ts"
import { markdownBlocks } from "../docs/blocks.ts"
import { commandsIn } from "../docs/commands.ts"
import { loopback } from "../lambda/loopback.ts"
import { Lambda } from "../lambda/support.ts"

// A net: loading a bundle takes seconds on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const root = join(import.meta.dirname, "../..")
const example = join(root, "examples/deployed")

// --- The template, as the service would read it ------------------------------------------------------------------------

const stack = { "AWS::StackName": "shop", "AWS::Partition": "aws", "AWS::Region": "us-east-1" }
const account = { ...stack, "AWS::AccountId": "123456789012" }

/** Alias ARNs are what SAM makes of `Function.Alias`, and log groups have a `:*` at the end of their ARN. */
const known = (name: string): string => {
  const value = Object.entries(account).find(([parameter]) => parameter === name)?.[1]
  const [, resource = "", property] = /^(\w+)\.(\w+)$/.exec(name) ?? []
  if (value !== undefined) return value
  if (property === "Alias") return `${arnOf(functionNames[resource] ?? "")}:live`
  if (property === "Arn") return `arn of ${resource}`
  return `reference to ${name}`
}

const functionNames: Readonly<Record<string, string>> = {
  PlaceOrderFunction: "shop-place-order",
  ChargeCardFunction: "shop-charge-card"
}

const arnOf = (functionName: string): string => `arn:aws:lambda:us-east-1:123456789012:function:${functionName}`

interface Statement {
  readonly Effect: string
  readonly Action: string | ReadonlyArray<string>
  readonly Resource: string
}

interface Properties {
  readonly FunctionName: string
  readonly CodeUri: string
  readonly Handler: string
  readonly Role: string
  readonly AutoPublishAlias: string
  readonly AutoPublishAliasAllProperties: boolean
  readonly DurableConfig: { readonly ExecutionTimeout: number; readonly RetentionPeriodInDays: number }
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> }
  readonly Policies: ReadonlyArray<{ readonly PolicyDocument: { readonly Statement: ReadonlyArray<Statement> } }>
}

interface Template {
  readonly Globals: { readonly Function: { readonly Runtime: string; readonly Timeout: number } }
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Properties }>>
  readonly Outputs: Readonly<Record<string, { readonly Value: string }>>
}

const source = readFileSync(join(example, "template.yaml"), "utf8")

const template: Template = parse(source, {
  customTags: [
    { tag: "!Ref", resolve: known },
    { tag: "!GetAtt", resolve: known },
    { tag: "!Sub", resolve: (text: string) => text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => known(name)) }
  ]
})

const functions = Object.entries(template.Resources).filter(([, { Type }]) => Type === "AWS::Serverless::Function")

const propertiesOf = (resource: string): Properties => {
  const found = template.Resources[resource]
  if (found === undefined) throw new Error(`The template has no ${resource}.`)
  return found.Properties
}

const statementsOf = (resource: string): ReadonlyArray<Statement> => {
  const role = /^arn of (\w+)$/.exec(propertiesOf(resource).Role)?.[1] ?? ""
  return propertiesOf(role).Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
}

/** What the role of a function allows, one action and resource after the other. */
const allowed = (resource: string): ReadonlyArray<readonly [action: string, resource: string]> =>
  statementsOf(resource).flatMap(({ Action, Resource }) => [Action].flat().map((action) => [action, Resource] as const))

// --- The bundles -------------------------------------------------------------------------------------------------------

const folder = mkdtempSync(join(tmpdir(), "effect-durable-deployed-"))

afterAll(() => rmSync(folder, { recursive: true }))

/** The words of the command of docs/deploying.md, as a shell takes them. */
const bundling = (): ReadonlyArray<string> => {
  const commands = commandsIn(markdownBlocks("docs/deploying.md")).map(({ line }) => line)
  const command = commands.find((line) => line.startsWith("npx esbuild place-order.ts")) ?? ""
  return command.split(" ").map((word) => word.replaceAll("'", ""))
}

/** Both functions by that command, from the sources of the package. */
beforeAll(() => {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
  const [, bundler, ...words] = bundling()
  assert.strictEqual(bundler, "esbuild")
  const options = words.map((word) => (word === "--outdir=dist" ? `--outdir=${join(folder, "dist")}` : word))
  const { status, stderr, stdout } = spawnSync(
    join(root, "node_modules/.bin/esbuild"),
    [...options, "--conditions=effect-durable-source"],
    { cwd: example, encoding: "utf8" }
  )
  assert.strictEqual(status, 0, stdout + stderr)
})

let sandboxes = 0

const isHandler = (value: unknown): value is LambdaHandler.Handler => typeof value === "function"

/** What a sandbox of a function loads: the module that its handler names, as new, and of that the export. */
const handlerOf = async ({ CodeUri, Handler }: Properties): Promise<LambdaHandler.Handler> => {
  const [, path = "", name = ""] = /^(.+)\.(\w+)$/.exec(Handler) ?? []
  const { href } = pathToFileURL(join(folder, CodeUri, `${path}.mjs`))
  const handler: unknown = Reflect.get(await import(`${href}?sandbox=${++sandboxes}`), name)
  if (!isHandler(handler)) throw new Error(`${CodeUri}/${path}.mjs exports no function ${name}.`)
  return handler
}

// --- What the code calls -----------------------------------------------------------------------------------------------

const actions = {
  checkpoint: "lambda:CheckpointDurableExecution",
  state: "lambda:GetDurableExecutionState",
  invoke: "lambda:InvokeFunction"
}

interface Called {
  readonly action: string
  /** What the service compares with the resource of a statement. */
  readonly resource: string
}

/** Runs an order in a stack that is deployed as the template says, and answers with what each function called. */
const placed = (order: (typeof ChargeCard)["payload"]["Type"]) =>
  Effect.scoped(
    Effect.gen(function* () {
      // Pages of one operation, so that every invocation after the first has to read on.
      const lambda = new Lambda({ pageItems: 1 })
      const server = yield* loopback(lambda.respond)
      const environment = {
        ...propertiesOf("PlaceOrderFunction").Environment?.Variables,
        AWS_ENDPOINT_URL_LAMBDA: server.url,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "AKIDENVIRONMENT",
        AWS_SECRET_ACCESS_KEY: "secret",
        AWS_CONFIG_FILE: "/dev/null",
        AWS_SHARED_CREDENTIALS_FILE: "/dev/null"
      }
      for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
      yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
      for (const [, { Properties }] of functions) {
        const handler = yield* Effect.promise(() => handlerOf(Properties))
        lambda.deploy(Properties.FunctionName, handler)
      }
      const outcome = yield* Effect.promise(() => lambda.run("shop-place-order", order))
      const called = lambda.requests.flatMap(({ DurableExecutionArn, Updates }) => [
        { caller: DurableExecutionArn, action: actions.checkpoint, resource: DurableExecutionArn },
        ...Updates.flatMap(({ ChainedInvokeOptions: options }) =>
          options === undefined
            ? []
            : [{ caller: DurableExecutionArn, action: actions.invoke, resource: options.FunctionName }]
        )
      ])
      const read = server.requests
        .filter(({ target }) => target.includes("/state?"))
        .map(({ target }) => decodeURIComponent(/durable-executions\/([^/]+)/.exec(target)?.[1] ?? ""))
        .map((arn) => ({ caller: arn, action: actions.state, resource: arn }))
      const by = (functionName: string): ReadonlyArray<Called> =>
        [...called, ...read].filter(({ caller }) => caller.startsWith(`${arnOf(functionName)}:`))
      return { outcome, by }
    })
  )

const order = { orderId: "o-1", card: "4242", cents: 1_250 }

describe("the example that can be deployed", () => {
  it("has its template parsed, with two functions", () => {
    assert.deepStrictEqual(
      functions.map(([name, { Properties }]) => [name, Properties.FunctionName]),
      Object.entries(functionNames)
    )
  })

  it("names handlers that its bundles export", async () => {
    for (const [, { Properties }] of functions) {
      const { CodeUri } = Properties
      assert.isTrue(existsSync(join(example, `${basename(CodeUri)}.ts`)), `the source of ${CodeUri}`)
      assert.isFunction(await handlerOf(Properties))
      assert.isBelow(statSync(join(folder, CodeUri, "index.mjs")).size, 320_000)
    }
  })

  it("is bundled by the command of docs/deploying.md to where the template looks", () => {
    const entries = bundling().filter((word) => word.endsWith(".ts"))
    assert.deepStrictEqual(
      entries.map((entry) => `dist/${basename(entry, ".ts")}`).toSorted(),
      functions.map(([, { Properties }]) => Properties.CodeUri).toSorted()
    )
  })

  it("is quoted by docs/deploying.md as it is", () => {
    const flat = (text: string): string => text.replaceAll(/^ +/gm, "").trimEnd()
    const quotes = markdownBlocks("docs/deploying.md").filter(({ language }) => language === "yaml")
    assert.isAbove(quotes.length, 0)
    for (const { code } of quotes) assert.include(flat(source), flat(code))
  })

  it.live("runs as it is bundled: the caller invokes the callee, waits, and ships", () =>
    Effect.gen(function* () {
      const { outcome } = yield* placed(order)
      assert.strictEqual(outcome.status, "SUCCEEDED")
      const { parcel, receipt, status } = JSON.parse(outcome.status === "SUCCEEDED" ? (outcome.result ?? "") : "")
      assert.deepStrictEqual({ status, parcel }, { status: "shipped", parcel: "parcel of o-1" })
      assert.match(receipt, /^r-[0-9a-f]{8}$/)
    })
  )

  it.live("hands the error of the callee to the caller", () =>
    Effect.gen(function* () {
      const { outcome } = yield* placed({ ...order, card: "0002" })
      assert.deepInclude(outcome, { status: "SUCCEEDED", result: `{"status":"declined","code":"51"}` })
    })
  )

  it.live("allows each function what it calls, and nothing else", () =>
    Effect.gen(function* () {
      const { by } = yield* placed(order)
      for (const [name, { Properties }] of functions) {
        const called = by(Properties.FunctionName)
        const needed = allowed(name).filter(([action]) => !action.startsWith("logs:"))
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

  it("allows nothing on whatever there is", () => {
    for (const [name] of functions) {
      assert.sameMembers(
        allowed(name)
          .filter(([action]) => action.startsWith("logs:"))
          .map(([action]) => action),
        ["logs:CreateLogStream", "logs:PutLogEvents"]
      )
      for (const [action, resource] of allowed(name)) {
        assert.notInclude(action, "*", name)
        const owner = resource.replace(
          /^arn of (\w+)Logs$/,
          (_, owned: string) => functionNames[`${owned}Function`] ?? ""
        )
        assert.match(owner, /shop-(?:place-order|charge-card)(?::(?:\*|live))?$/, `${name}: ${action}`)
      }
      const others = Object.values(functionNames).filter((other) => other !== propertiesOf(name).FunctionName)
      for (const other of others) {
        const execution = `${arnOf(other)}:1/durable-execution/name/id`
        const mayRecord = allowed(name).some(([action, on]) => action === actions.checkpoint && matches(on, execution))
        assert.isFalse(mayRecord, `${name} on ${other}`)
      }
    }
  })

  it("tells the caller where the alias of the callee is", () =>
    Effect.gen(function* () {
      const alias = known("ChargeCardFunction.Alias")
      const { address } = yield* Targets.resolve(ChargeCard)
      assert.strictEqual(address, alias)
      assert.strictEqual(parseFunctionAddress(address)?.qualifier, propertiesOf("ChargeCardFunction").AutoPublishAlias)
    }).pipe(
      Effect.provide(
        Targets.layer(JSON.parse(propertiesOf("PlaceOrderFunction").Environment?.Variables["DURABLE_TARGETS"] ?? "{}"))
      ),
      Effect.runPromise
    ))

  it("makes both functions durable, within the limits, and publishes an alias of each", () => {
    assert.match(template.Globals.Function.Runtime, /^nodejs2[24]\.x$/)
    for (const [name, { Properties }] of functions) {
      const { AutoPublishAlias, AutoPublishAliasAllProperties, DurableConfig } = Properties
      assert.strictEqual(AutoPublishAlias, "live", name)
      assert.isTrue(AutoPublishAliasAllProperties, name)
      assert.isAtLeast(DurableConfig.ExecutionTimeout, template.Globals.Function.Timeout, name)
      assert.isAtMost(DurableConfig.ExecutionTimeout, Limits.maxDurationSeconds, name)
      assert.isAtLeast(DurableConfig.RetentionPeriodInDays, 1, name)
      assert.isAtMost(DurableConfig.RetentionPeriodInDays, Limits.maxRetentionDays, name)
    }
    const timeoutOf = (name: string): number => propertiesOf(name).DurableConfig.ExecutionTimeout
    assert.isAbove(timeoutOf("PlaceOrderFunction"), timeoutOf("ChargeCardFunction") + 3_600)
  })

  it("hands the ARNs of the aliases out", () => {
    assert.deepStrictEqual(
      Object.values(template.Outputs).map(({ Value }) => Value),
      Object.values(functionNames).map((name) => `${arnOf(name)}:live`)
    )
  })
})

/** How IAM compares: `*` stands for anything. */
const matches = (pattern: string, resource: string): boolean =>
  new RegExp(`^${pattern.replaceAll(/[.$^/]/g, String.raw`\$&`).replaceAll("*", ".*")}$`).test(resource)
