/**
 * An example that can be deployed, as the service would have it: its template, its bundles, and a run of its functions.
 *
 * Owns: how a template is read, what its roles allow, and what its functions call when they run as they are bundled.
 * Does not own: what an example has to be, which its test says.
 */
import type { LambdaHandler } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { vi } from "vitest"
import { parse } from "yaml"
import type { ExecutionOutcome } from "../../src/engine/Service.ts"
import { markdownBlocks } from "../docs/blocks.ts"
import { commandsIn } from "../docs/commands.ts"
import { loopback } from "../lambda/loopback.ts"
import { Lambda, type OnDemand } from "../lambda/support.ts"

export const root = join(import.meta.dirname, "../..")

// --- The template ------------------------------------------------------------------------------------------------------

interface Statement {
  readonly Effect: string
  readonly Action: string | ReadonlyArray<string>
  readonly Resource: string
}

export interface Properties {
  readonly FunctionName: string
  readonly CodeUri: string
  readonly Handler: string
  readonly Role: string
  readonly AutoPublishAlias?: string
  readonly AutoPublishAliasAllProperties?: boolean
  readonly DurableConfig?: { readonly ExecutionTimeout: number; readonly RetentionPeriodInDays: number }
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> }
  readonly LoggingConfig: { readonly LogGroup: string }
  readonly LogGroupName: string
  readonly RetentionInDays: number
  readonly Policies: ReadonlyArray<{ readonly PolicyDocument: { readonly Statement: ReadonlyArray<Statement> } }>
}

interface Template {
  readonly Globals: { readonly Function: { readonly Runtime: string; readonly Timeout: number } }
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Properties }>>
  readonly Outputs: Readonly<Record<string, { readonly Value: string }>>
}

const account: Readonly<Record<string, string>> = {
  "AWS::StackName": "shop",
  "AWS::Partition": "aws",
  "AWS::Region": "us-east-1",
  "AWS::AccountId": "123456789012"
}

export const arnOf = (functionName: string): string => `arn:aws:lambda:us-east-1:123456789012:function:${functionName}`

const isFunction = ({ Type }: { readonly Type: string }): boolean => Type === "AWS::Serverless::Function"

/** What a name in a template stands for. SAM makes `Function.Alias` the ARN of the alias that it publishes. */
const resolve = (name: string, resources: Template["Resources"]): string => {
  const parameter = account[name]
  if (parameter !== undefined) return parameter
  const [, resource = "", property] = /^(\w+)\.(\w+)$/.exec(name) ?? []
  const found = resources[resource]
  if (found === undefined) return `reference to ${name}`
  if (!isFunction(found)) return `${property?.toLowerCase()} of ${resource}`
  const { AutoPublishAlias, FunctionName } = found.Properties
  if (property === "Arn") return arnOf(FunctionName)
  if (property === "Alias" && AutoPublishAlias !== undefined) return `${arnOf(FunctionName)}:${AutoPublishAlias}`
  throw new Error(`The template takes ${name}, which there is not.`)
}

const read = (source: string, resources: Template["Resources"]): Template => {
  const known = (name: string): string => resolve(name, resources)
  return parse(source, {
    customTags: [
      { tag: "!Ref", resolve: known },
      { tag: "!GetAtt", resolve: known },
      { tag: "!Sub", resolve: (text: string) => text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => known(name)) }
    ]
  })
}

// --- The stack ---------------------------------------------------------------------------------------------------------

/** A request of a function to the service. */
interface Called {
  readonly action: string
  /** What the service compares with the resource of a statement. */
  readonly resource: string
}

export const actions = {
  checkpoint: "lambda:CheckpointDurableExecution",
  state: "lambda:GetDurableExecutionState",
  invoke: "lambda:InvokeFunction"
}

export class Stack {
  /** The folder of the example. */
  readonly folder: string
  readonly source: string
  readonly template: Template
  /** Its functions, by the name of their resource. */
  readonly functions: ReadonlyArray<readonly [resource: string, Properties]>
  readonly #command: string
  readonly #output: string
  #sandboxes = 0

  /** An example, the beginning of the command in docs/deploying.md that bundles it, and a folder to bundle it to. */
  constructor(example: string, command: string, output: string) {
    this.folder = join(root, "examples", example)
    this.source = readFileSync(join(this.folder, "template.yaml"), "utf8")
    // A name may stand before what it names: the first reading knows the functions, the second what stands for them.
    this.template = read(this.source, read(this.source, {}).Resources)
    this.functions = Object.entries(this.template.Resources)
      .filter(([, resource]) => isFunction(resource))
      .map(([name, { Properties }]) => [name, Properties] as const)
    this.#command = command
    this.#output = join(output, example)
  }

  /** Those that are durable. */
  get durable(): ReadonlyArray<readonly [resource: string, Properties, NonNullable<Properties["DurableConfig"]>]> {
    return this.functions.flatMap(([name, properties]) =>
      properties.DurableConfig === undefined ? [] : [[name, properties, properties.DurableConfig] as const]
    )
  }

  propertiesOf(resource: string): Properties {
    const found = this.template.Resources[resource]
    if (found === undefined) throw new Error(`The template has no ${resource}.`)
    return found.Properties
  }

  /** What the role of a function allows, one action and resource after the other. */
  allowed({ Role }: Properties): ReadonlyArray<readonly [action: string, resource: string]> {
    const role = /^arn of (\w+)$/.exec(Role)?.[1] ?? ""
    return this.propertiesOf(role)
      .Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .flatMap(({ Action, Resource }) => [Action].flat().map((action) => [action, Resource] as const))
  }

  /** The words of the command that bundles it, as a shell takes them. */
  get bundling(): ReadonlyArray<string> {
    const commands = commandsIn(markdownBlocks("docs/deploying.md")).map(({ line }) => line)
    const command = commands.find((line) => line.startsWith(this.#command)) ?? ""
    return command.split(" ").map((word) => word.replaceAll("'", ""))
  }

  /** Bundles its functions by that command, from the sources of the package. */
  bundle(): void {
    mkdirSync(this.#output)
    symlinkSync(join(root, "node_modules"), join(this.#output, "node_modules"))
    const [, bundler, ...words] = this.bundling
    if (bundler !== "esbuild") throw new Error(`docs/deploying.md has no command that begins with ${this.#command}.`)
    const options = words.map((word) => (word === "--outdir=dist" ? `--outdir=${join(this.#output, "dist")}` : word))
    const { status, stderr, stdout } = spawnSync(
      join(root, "node_modules/.bin/esbuild"),
      [...options, "--conditions=effect-durable-source"],
      { cwd: this.folder, encoding: "utf8" }
    )
    if (status !== 0) throw new Error(stdout + stderr)
  }

  /** The file that a handler is in, once it is bundled. */
  fileOf({ CodeUri, Handler }: Properties): string {
    return join(this.#output, CodeUri, `${/^(.+)\.\w+$/.exec(Handler)?.[1] ?? ""}.mjs`)
  }

  /** What a sandbox of a function loads: the module that its handler names, as new, and of that the export. */
  async handlerOf(properties: Properties): Promise<unknown> {
    const { href } = pathToFileURL(this.fileOf(properties))
    return Reflect.get(
      await import(`${href}?sandbox=${++this.#sandboxes}`),
      /\.(\w+)$/.exec(properties.Handler)?.[1] ?? ""
    )
  }

  /** Runs an execution in this stack, and answers with its outcome and with what each function called. */
  readonly run = Effect.fnUntraced(function* (
    this: Stack,
    { FunctionName, Environment }: Properties,
    payload: unknown
  ) {
    // Pages of one operation, so that every invocation after the first has to read on.
    const lambda = new Lambda({ pageItems: 1 })
    const server = yield* loopback(lambda.respond)
    const environment = {
      ...Environment?.Variables,
      AWS_ENDPOINT_URL_LAMBDA: server.url,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "AKIDENVIRONMENT",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null"
    }
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
    for (const [, properties] of this.functions) {
      const handler = yield* Effect.promise(() => this.handlerOf(properties))
      if (properties.DurableConfig === undefined) lambda.deployOnDemand(properties.FunctionName, asOnDemand(handler))
      else lambda.deploy(properties.FunctionName, asDurable(handler))
    }
    const outcome: ExecutionOutcome = yield* Effect.promise(() => lambda.run(FunctionName, payload))
    const read = server.requests
      .filter(({ target }) => target.includes("/state?"))
      .map(({ target }) => decodeURIComponent(/durable-executions\/([^/]+)/.exec(target)?.[1] ?? ""))
      .map((arn) => ({ caller: arn, action: actions.state, resource: arn }))
    const called = [...read, ...lambda.requests.flatMap(callsOf)]
    const by = ({ FunctionName: caller }: Properties): ReadonlyArray<Called> =>
      called.filter((call) => call.caller.startsWith(`${arnOf(caller)}:`))
    return { outcome, by }
  }, Effect.scoped)
}

/** What a checkpoint asks of the service, and in whose name. */
const callsOf = ({ DurableExecutionArn, Updates }: Lambda["requests"][number]) => [
  { caller: DurableExecutionArn, action: actions.checkpoint, resource: DurableExecutionArn },
  ...Updates.flatMap(({ ChainedInvokeOptions: options }) =>
    options === undefined
      ? []
      : [{ caller: DurableExecutionArn, action: actions.invoke, resource: options.FunctionName }]
  )
]

const isDurable = (value: unknown): value is LambdaHandler.Handler => typeof value === "function"
const isOnDemand = (value: unknown): value is OnDemand => typeof value === "function"

const asDurable = (value: unknown): LambdaHandler.Handler => {
  if (isDurable(value)) return value
  throw new Error("A handler that the template names is not exported.")
}

const asOnDemand = (value: unknown): OnDemand => {
  if (isOnDemand(value)) return value
  throw new Error("A handler that the template names is not exported.")
}

/** How IAM compares: `*` stands for anything. */
export const matches = (pattern: string, resource: string): boolean =>
  new RegExp(`^${pattern.replaceAll(/[.$^/]/g, String.raw`\$&`).replaceAll("*", ".*")}$`).test(resource)
