/**
 * Functions in processes of their own: whatever a module exports, handlers of AWS's SDK, any program that speaks the Runtime
 * API; and what becomes of calls whose process ends.
 */
import { InvokeCommand } from "@aws-sdk/client-lambda"
import { assert, describe, it } from "@effect/vitest"
import { DurableClient } from "effect-durable"
import { LocalEngine } from "effect-durable/local"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { clientOf, folder, type Json } from "./support.ts"
import * as Clients from "./handlers/clients.ts"
import * as Orders from "./handlers/orders.ts"

const fileOf = (name: string): string => fileURLToPath(new URL(`./handlers/${name}`, import.meta.url))

const nodeArgs = ["--conditions=effect-durable-source"]

/** An engine with these functions, in memory. */
const engine = (functions: ReadonlyArray<LocalEngine.FunctionSource>, options: Partial<LocalEngine.Options> = {}) =>
  Effect.gen(function* () {
    const services = yield* Layer.build(
      LocalEngine.layer({ functions, database: ":memory:", port: 0, nodeArgs, ...options })
    )
    const local = Context.get(services, LocalEngine.LocalEngine)
    const aws = yield* clientOf(local.url, { maxAttempts: 1 })
    const call = (FunctionName: string, payload: Json, ClientContext?: string) =>
      Effect.map(
        Effect.promise(() =>
          aws.send(
            new InvokeCommand({
              FunctionName,
              Payload: JSON.stringify(payload),
              ...(ClientContext && { ClientContext })
            })
          )
        ),
        ({ FunctionError, Payload }): Json => ({
          failed: FunctionError !== undefined,
          value: JSON.parse(new TextDecoder().decode(Payload))
        })
      )
    return { local, services, call }
  })

const client = <A, E>(
  effect: Effect.Effect<A, E, DurableClient.DurableClient>,
  services: Context.Context<DurableClient.DurableClient>
) => Effect.provideContext(effect, services)

describe("A module", () => {
  it.live("serves its implementations, each under the name of its contract and in a process of its own", () =>
    Effect.gen(function* () {
      const { local, services } = yield* engine([LocalEngine.module(fileOf("orders.ts"))])
      assert.sameMembers([...local.functions], ["price", "charge", "order"])
      const result = yield* client(DurableClient.run(Orders.Order, { sku: "tea" }), services)
      assert.strictEqual(result.cents, 300)
      assert.strictEqual(result.receipt, "receipt for 300")
      assert.notStrictEqual(result.pid, process.pid)
      const declined = yield* client(DurableClient.run(Orders.Order, { sku: "champagne!!" }), services)
      assert.strictEqual(declined.receipt, "declined: limit")
    })
  )

  it.live("gets the client of the engine for its implementations", () =>
    Effect.gen(function* () {
      const { call, services } = yield* engine([LocalEngine.module(fileOf("clients.ts"))])
      assert.strictEqual(yield* client(DurableClient.run(Clients.Count, 0), services), 2)
      const { failed, value } = yield* call("kick", 2)
      assert.isFalse(failed)
      assert.include(value, ":function:count:")
    })
  )

  it.live("that serves nothing, or cannot be loaded, is refused with its reason", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      const empty = join(dir, "empty.mjs")
      writeFileSync(empty, "export const answer = 42")
      const broken = join(dir, "broken.mjs")
      writeFileSync(broken, `throw new Error("no database")`)
      const refusal = (file: string) => Effect.flip(engine([LocalEngine.module(file)]))
      assert.include((yield* refusal(empty)).message, "exports nothing to serve")
      assert.include((yield* refusal(broken)).message, "no database")
      const twice = [LocalEngine.handler(fileOf("plain.cjs")), LocalEngine.handler(fileOf("plain.cjs"))]
      assert.include((yield* Effect.flip(engine(twice))).message, `Two functions are called "plain"`)
      const named = LocalEngine.handler(fileOf("plain.cjs"), { name: "no name" })
      assert.include((yield* Effect.flip(engine([named]))).message, `cannot be called "no name"`)
    })
  )
})

describe("A module that sends messages of its own", () => {
  it.live("is served", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "ready.mjs")
      writeFileSync(file, `process.send?.("ready"); process.send?.({ on: true }); export const handler = () => {}`)
      const { local } = yield* engine([LocalEngine.module(file)])
      assert.deepStrictEqual(local.functions, ["ready"])
    })
  )
})

describe("A handler", () => {
  it.live("of AWS's own SDK runs unchanged", () =>
    Effect.gen(function* () {
      const { call } = yield* engine([LocalEngine.handler(fileOf("aws.ts"), { name: "doubler" })])
      assert.deepStrictEqual(yield* call("doubler:$LATEST", { n: 20 }), { failed: false, value: 41 })
    })
  )

  it.live("that is a plain function is called as Lambda calls it, without the developer's credentials", () =>
    Effect.gen(function* () {
      for (const name of ["AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"]) {
        process.env[name] = "of the developer"
        yield* Effect.addFinalizer(() => Effect.sync(() => delete process.env[name]))
      }
      const plain = (name: string, options: LocalEngine.HandlerOptions = {}) =>
        LocalEngine.handler(fileOf("plain.cjs"), { kind: "plain", name, ...options })
      const { call, local } = yield* engine([
        plain("plain"),
        plain("fails", { export: "fails" }),
        plain("silent", { export: "silent" })
      ])
      // On more lines than one, and with characters that no header can hold.
      const custom = { a: 1, text: "Zoë \u{1F600}\n" }
      const context = Buffer.from(JSON.stringify({ custom }, undefined, 2)).toString("base64")
      const { value } = yield* call("plain", { a: 1 }, context)
      const { id, pid, ...rest } = value
      assert.isString(id)
      assert.notStrictEqual(pid, process.pid)
      assert.deepStrictEqual(rest, {
        event: { a: 1 },
        name: "plain",
        arn: "arn:aws:lambda:us-east-1:123456789012:function:plain:$LATEST",
        client: { custom },
        hasTime: true,
        key: "local",
        endpoint: local.url
      })
      const failed = yield* call("fails", {})
      assert.isTrue(failed.failed)
      assert.strictEqual(failed.value.errorType, "RangeError")
      assert.strictEqual(failed.value.errorMessage, "too much")
      assert.deepStrictEqual(yield* call("silent", {}), { failed: false, value: null })
      assert.strictEqual((yield* call("plain", {})).value.pid, pid)
    })
  )

  it.live("has a store for each of its concurrent calls, as tools expect it of such a runtime", () =>
    Effect.gen(function* () {
      const { call } = yield* engine([
        LocalEngine.handler(fileOf("plain.cjs"), { name: "concurrent", kind: "plain", export: "concurrent" })
      ])
      const calls = [true, false].map((waits) => call("concurrent", { waits }))
      const value = { own: true, request: true }
      assert.deepStrictEqual(yield* Effect.all(calls, { concurrency: "unbounded" }), [
        { failed: false, value },
        { failed: false, value }
      ])
    })
  )

  it.live("whose process ends in a call fails that call, and is started again for the next", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "calls")
      const { call } = yield* engine([
        LocalEngine.handler(fileOf("plain.cjs"), { name: "fragile", kind: "plain", export: "fragile" })
      ])
      const first = yield* call("fragile", { file })
      assert.strictEqual(first.value.errorType, "Runtime.ExitError")
      assert.match(first.value.errorMessage, /^RequestId: [\w-]+ Error: Runtime exited with error: exit status 7$/)
      assert.isFalse((yield* call("fragile", { file })).failed)
    })
  )

  it.live("leaves Ctrl-C to the engine", () =>
    Effect.gen(function* () {
      const { call } = yield* engine([
        LocalEngine.handler(fileOf("plain.cjs"), { name: "interrupted", kind: "plain", export: "interrupted" })
      ])
      assert.deepStrictEqual(yield* call("interrupted", {}), { failed: false, value: true })
    })
  )

  it.live("ends with its engine at the same time as the others", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const names = ["one", "two"]
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { call } = yield* engine(
            names.map((name) => LocalEngine.handler(fileOf("plain.cjs"), { name, kind: "plain", export: "companion" }))
          )
          yield* call("one", { folder: path, own: "one", other: "two" })
          yield* call("two", { folder: path, own: "two", other: "one" })
        })
      )
      assert.sameMembers(readdirSync(path), [...names, "one and two", "two and one"])
    })
  )

  it.live("of a durable function whose process ends is invoked again", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "calls")
      const { call } = yield* engine([LocalEngine.handler(fileOf("durable.cjs"))], {
        retry: { initial: "10 millis" }
      })
      assert.deepStrictEqual(yield* call("durable:$LATEST", { file }), { failed: false, value: 2 })
      assert.strictEqual(readFileSync(file, "utf8"), "called\ncalled\n")
    })
  )

  it.live("that takes too long is cut off with its process", () =>
    Effect.gen(function* () {
      const { call } = yield* engine([
        LocalEngine.handler(fileOf("plain.cjs"), {
          name: "stuck",
          kind: "plain",
          export: "stuck",
          timeout: "100 millis"
        })
      ])
      // The second call comes while the process of the first one is being killed.
      for (const { value } of [yield* call("stuck", {}), yield* call("stuck", {})]) {
        assert.strictEqual(value.errorType, "Sandbox.Timedout")
        assert.strictEqual(value.errorMessage, "Task timed out after 0.10 seconds")
      }
    })
  )

  it.live("that is not there fails its calls with that reason", () =>
    Effect.gen(function* () {
      const { call } = yield* engine([
        LocalEngine.handler(fileOf("plain.cjs"), { name: "absent", kind: "plain", export: "absent" })
      ])
      const { failed, value } = yield* call("absent", {})
      assert.isTrue(failed)
      assert.match(value.errorMessage, /plain\.cjs exports no handler "absent"/)
    })
  )

  it.live("whose folder is not there fails its calls with that reason", () =>
    Effect.gen(function* () {
      const { call } = yield* engine([LocalEngine.handler(fileOf("nowhere/gone.cjs"), { kind: "plain" })])
      const { failed, value } = yield* call("gone", {})
      assert.isTrue(failed)
      assert.match(value.errorMessage, /Cannot find module .*gone\.cjs/)
    })
  )

  it.live("that throws what cannot be read fails that call, and goes on with others", () =>
    Effect.gen(function* () {
      const { call } = yield* engine([
        LocalEngine.handler(fileOf("plain.cjs"), { name: "throws", kind: "plain", export: "throws" })
      ])
      const { value: pid } = yield* call("throws", {})
      assert.include((yield* call("throws", { what: "bare" })).value.errorMessage, "cannot be read")
      assert.strictEqual((yield* call("throws", { what: "stackless" })).value.errorMessage, "no stack")
      assert.strictEqual((yield* call("throws", {})).value, pid)
    })
  )

  it.live("begins anew when its file changes", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "greet.mjs")
      const write = (text: string) => writeFileSync(file, `export const handler = async () => "${text}"`)
      write("hello")
      const { call } = yield* engine([LocalEngine.handler(file, { kind: "plain" })])
      assert.strictEqual((yield* call("greet", {})).value, "hello")
      write("good evening")
      const changed = (): Effect.Effect<void> =>
        Effect.flatMap(call("greet", {}), ({ value }) => (value === "good evening" ? Effect.void : changed()))
      yield* changed()
    })
  )
})

describe("A program that speaks the Runtime API", () => {
  it.live("is a function, in Node", () =>
    Effect.gen(function* () {
      const { call } = yield* engine([
        LocalEngine.command("sum", [process.execPath, fileOf("runtime.mjs")], { kind: "plain" })
      ])
      const { value } = yield* call("sum", { numbers: [1, 2, 3] })
      assert.deepStrictEqual(value, { language: "javascript", sum: 6 })
    })
  )

  const hasPython = spawnSync("python3", ["--version"]).status === 0

  it.live.skipIf(!hasPython)("is a function, in Python (skipped where there is no python3)", () =>
    Effect.gen(function* () {
      const { call } = yield* engine([LocalEngine.command("sum", ["python3", fileOf("runtime.py")], { kind: "plain" })])
      assert.deepStrictEqual((yield* call("sum", { numbers: [1, 2, 3] })).value, { language: "python", sum: 6 })
      const { failed, value } = yield* call("sum", { fail: true })
      assert.isTrue(failed)
      assert.strictEqual(value.errorType, "ValueError")
    })
  )

  it.live("that cannot be started fails its calls with that reason", () =>
    Effect.gen(function* () {
      const plain = (name: string, program: string) => LocalEngine.command(name, [program], { kind: "plain" })
      // Node reports the first reason, and throws the second one.
      const { call } = yield* engine([plain("ghost", "/no/such/program"), plain("odd", `${fileOf("plain.cjs")}/odd`)])
      for (const [name, reason] of [
        ["ghost", "ENOENT"],
        ["odd", "ENOTDIR"]
      ] as const) {
        const { failed, value } = yield* call(name, {})
        assert.isTrue(failed)
        assert.include(value.errorMessage, reason)
      }
    })
  )
})
