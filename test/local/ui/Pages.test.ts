/**
 * What the pages say of executions, and what their forms do, as the engine answers them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Service from "../../../src/engine/Service.ts"
import * as Limits from "../../../src/wire/Limits.ts"
import { callback, step } from "../../engine/support.ts"
import { everything, failing, large, order, scene, short, waiting, type Scene } from "../../page/scene.ts"
import { ask } from "../support.ts"

const get = ({ url }: Scene, path: string) => ask(url, { path, headers: { accept: "text/html", authorization: "" } })

/** The words of a page, without its markup. */
const wordsOf = (text: string): string =>
  text
    .replace(/<[^>]+>/g, " ")
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, " ")

const page = (scene: Scene, path: string) => Effect.map(get(scene, path), ({ text }) => wordsOf(text))

/** The names of the executions of a list, in their order. */
const listed = (scene: Scene, query = "") =>
  Effect.map(get(scene, `/_ui/${query}`), ({ text }) =>
    Array.from(text.matchAll(/<tr role="row" id="row-([^"]+)"/g), ([, name]) => name)
  )

/** Sends a form as a page of the engine does, and answers what is said. */
const send = (scene: Scene, path: string, fields: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const { headers, text } = yield* get(scene, "/_ui/")
    const token = /name="token" content="([^"]+)"/.exec(text)?.[1] ?? ""
    const { json } = yield* ask(scene.url, {
      method: "POST",
      path: `/_ui/${path}`,
      headers: { authorization: "", "x-effect-durable-token": token, cookie: String(headers["set-cookie"]) },
      body: new URLSearchParams(fields).toString()
    })
    return json
  })

const events = ({ machine }: Scene, name: string) =>
  Result.getOrThrow(
    machine.query(
      (state) => {
        const execution = Service.named(state, name)
        return Result.succeed(execution === undefined ? [] : Service.history(state, execution.identity.arn))
      },
      { executionName: name }
    )
  )

describe("An execution that is over", () => {
  it.live("is gone when it is not kept any longer, and another may have its name", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* short(shown, "orders", "order-1", "the first")
      assert.include(yield* page(shown, "/_ui/executions/order-1"), "the first")
      yield* shown.pass((Limits.defaultRetentionDays + 1) * 86_400_000)
      assert.notInclude(yield* page(shown, "/_ui/executions/order-1"), "the first")
      yield* short(shown, "orders", "order-1", "the second")
      assert.include(yield* page(shown, "/_ui/executions/order-1"), "the second")
    }).pipe(Effect.scoped)
  )
})

describe("The list", () => {
  it.live("has executions of all functions, the newest first, with what they wait for or failed with", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* everything(shown)
      const names = yield* listed(shown)
      assert.deepStrictEqual(names.slice(-4), ["order-1039", "charge-1038", "order-1037", "order-1036"])
      const words = yield* page(shown, "/_ui/")
      assert.match(words, /All 8 Running 3 Succeeded 3 Failed 1 Timed out 0 Stopped 1/)
      assert.match(words, /order-1041 orders Running [\d: -]+ 1 h 12 m callback approval, heartbeat due in 23 h 48 m/)
      assert.match(words, /charge-1038 payments Failed [\d: -]+ 950 ms PaymentFailed/)
      assert.match(words, /settle-the-night payments Running [\d: -]+ 1 h 15 m wait until tonight, ends in/)
    })
  )

  it.live("finds by function, by how they stand, and by a part of the name in whatever case", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* everything(shown)
      assert.deepStrictEqual(yield* listed(shown, "?status=FAILED"), ["charge-1038"])
      assert.deepStrictEqual(yield* listed(shown, "?name=ORDER-103"), ["order-1039", "order-1037", "order-1036"])
      assert.deepStrictEqual(yield* listed(shown, "?name=order&status=STOPPED"), ["order-1037"])
      assert.include(yield* listed(shown, "?function=payments"), "settle-the-night")
      assert.notInclude(yield* listed(shown, "?function=payments"), "order-1041")
      assert.deepStrictEqual(yield* listed(shown, "?name=%25"), [], "a sign of patterns is a character like any other")
      assert.include(yield* page(shown, "/_ui/?name=nobody"), "No execution matches.")
    })
  )

  it.live("has a hundred on a page, and leads to newer and older ones until there are none", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const names = Array.from({ length: 250 }, (_, index) => `n-${index}`).toReversed()
      for (const name of names.toReversed()) {
        const request = { functionName: "orders:$LATEST", executionName: name, invocationType: "Event" as const }
        Result.getOrThrow(shown.machine.command(Service.startExecution, request))
      }
      const seen: Array<string | undefined> = []
      const follow = (text: string, word: string): string | undefined =>
        new RegExp(`href="([^"]+)"[^>]*>${word}<`).exec(text)?.[1]?.replaceAll("&#38;", "&")
      let path: string | undefined = "/_ui/?name=n-"
      let last = path
      while (path !== undefined) {
        last = path
        seen.push(...(yield* listed(shown, path.slice("/_ui/".length))))
        path = follow((yield* get(shown, path)).text, "Older")
      }
      assert.deepStrictEqual(seen, names)
      const newer = follow((yield* get(shown, last)).text, "Newer") ?? ""
      assert.deepStrictEqual(yield* listed(shown, newer.slice("/_ui/".length)), names.slice(100, 200))
    })
  )

  it.live("says how to begin when nothing has been started", () =>
    Effect.gen(function* () {
      const words = yield* page(yield* scene(), "/_ui/")
      assert.include(words, "Nothing has been started yet.")
      assert.include(words, "aws lambda invoke --function-name 'orders:$LATEST'")
    })
  )
})

describe("The page of an execution", () => {
  it.live("has a row for each operation with what it is, how it stands and how long it took", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* order(shown, "order-1")
      const words = yield* page(shown, "/_ui/executions/order-1")
      assert.include(words, "step validate the order , Succeeded 85 ms")
      assert.include(words, "step reserve stock ×3 attempts , Succeeded 4.1 s")
      assert.include(words, "branch by mail , Succeeded 550 ms step send mail , Succeeded 550 ms")
      assert.match(words, /wait cooling-off , Succeeded 1 h/)
      assert.match(words, /Waits for callback approval \(heartbeat due in 1 d\)/)
    })
  )

  it.live("tells of an operation its attempts, its outcome, and how often that was replayed", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* order(shown, "order-1")
      const words = yield* page(shown, "/_ui/executions/order-1?op=reserve")
      assert.match(words, /#1 Failed 420 ms, the next one after 1.0 s WarehouseUnreachable: connect ECONNREFUSED/)
      assert.match(words, /#3 Succeeded 260 ms/)
      assert.include(words, "Replayed in 2 later invocations")
      assert.include(words, `"shelf": "B-17"`)
    })
  )

  it.live("tells of an error what caused it", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* failing(shown, "charge-1")
      const words = yield* page(shown, "/_ui/executions/charge-1?op=bank")
      assert.match(words, /Caused by TypeError fetch failed Error ECONNREFUSED connect ECONNREFUSED 10\.0\.3\.9:443/)
      assert.match(words, /PaymentFailed: The bank did not take the payment Last operation that failed: ask the bank/)
    })
  )

  it.live("links the calls between functions in both directions", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* order(shown, "order-1")
      const { text } = yield* get(shown, "/_ui/executions/order-1?op=charge")
      const child = /<dt>Execution<\/dt><dd><a href="([^"]+)">/.exec(text.replace(/\s*\n\s*/g, ""))?.[1] ?? ""
      assert.match(child, /^\/_ui\/executions\/[\w-]+$/)
      const back = yield* get(shown, child)
      assert.match(back.text, /Called by\s+<a href="\/_ui\/executions\/order-1\?op=charge#inspector"/)
    })
  )

  it.live("has the raw events, and the invocations", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* order(shown, "order-1")
      const log = yield* page(shown, "/_ui/executions/order-1?view=events")
      assert.match(log, /Events \(30\) .* 5 StepFailed reserve stock .*"CurrentAttempt": 1/)
      assert.match(yield* page(shown, "/_ui/executions/order-1?view=invocations"), /#5 Completed .* request [\w-]+/)
    })
  )

  it.live("folds the time in which no code ran, and shows the real one when asked", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* order(shown, "order-1")
      const widthOf = (text: string): number => {
        const row = text.slice(text.indexOf(`id="row-validate"`))
        return Number(/<rect class="ran" x="[\d.]+%" width="([\d.]+)%"/.exec(row)?.[1])
      }
      const folded = (yield* get(shown, "/_ui/executions/order-1")).text
      const real = (yield* get(shown, "/_ui/executions/order-1?scale=real")).text
      assert.isAbove(widthOf(folded), 0.8)
      assert.isBelow(widthOf(real), 0.5)
      assert.include(wordsOf(folded), "Show real time")
      assert.include(wordsOf(real), "Fold suspended time")
    })
  )

  it.live("leaves out what is larger than 64 kB, and gives it when asked", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const playing = yield* shown.start("orders", "big", {})
      const result = JSON.stringify("x".repeat(70_000))
      yield* playing.checkpoint(step("s", "START"), step("s", "SUCCEED", { Payload: result }))
      const { text } = yield* get(shown, "/_ui/executions/big?op=s")
      assert.notInclude(text, "xxxxxxxx")
      assert.include(wordsOf(text), "68 kB, too large to come with the page. Show it")
      const href = /href="([^"]+)"\s+data-load/.exec(text)?.[1]?.replaceAll("&#38;", "&") ?? ""
      assert.strictEqual((yield* get(shown, href)).text, result)
    })
  )

  it.live("has three thousand rows, each with as little markup as it can do with", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* large(shown, "import")
      const { text } = yield* get(shown, "/_ui/executions/import")
      assert.strictEqual(text.match(/<li class="row /g)?.length, 3_000)
      assert.isBelow(text.length / 3_000, 800)
    })
  )
})

describe("A form", () => {
  it.live("skips what the execution waits for first", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const playing = yield* waiting(shown, "orders", "sleeper", 86_400)
      assert.include(yield* page(shown, "/_ui/executions/sleeper"), "Skip wait “until tonight”, 1 d left")
      assert.deepStrictEqual(yield* send(shown, "executions/sleeper/skip"), { said: "The wait has been skipped." })
      yield* playing.invoked
      assert.strictEqual(events(shown, "sleeper").at(-1)?.EventType, "WaitSucceeded")
      assert.notInclude(yield* page(shown, "/_ui/executions/sleeper"), "Skip wait")
    })
  )

  it.live("answers a callback", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const playing = yield* shown.start("orders", "asking", {})
      yield* playing.checkpoint(callback("a"), callback("b", { HeartbeatTimeoutSeconds: 60 }))
      const answers = "executions/asking/callbacks"
      assert.include(yield* page(shown, "/_ui/executions/asking?op=b"), "Send a heartbeat")
      assert.notInclude(yield* page(shown, "/_ui/executions/asking?op=a"), "Send a heartbeat")
      yield* shown.pass(50_000)
      assert.deepStrictEqual(yield* send(shown, `${answers}/b/heartbeat`), { said: "The heartbeat has been taken." })
      yield* shown.pass(50_000)
      yield* send(shown, `${answers}/a/succeed`, { result: `{"by":"Ada"}` })
      yield* send(shown, `${answers}/b/fail`, { type: "Refused", message: "no", data: "7" })
      const [succeeded, failed] = events(shown, "asking").slice(-2)
      assert.deepInclude(succeeded, {
        CallbackSucceededDetails: { Result: { Payload: `{"by":"Ada"}`, Truncated: false } }
      })
      const error = { ErrorType: "Refused", ErrorMessage: "no", ErrorData: "7" }
      assert.deepInclude(failed, { CallbackFailedDetails: { Error: { Payload: error, Truncated: false } } })
      assert.match(String((yield* send(shown, `${answers}/a/succeed`)).message), /callback/i)
    })
  )

  it.live("runs an execution again, with the same payload and as another one", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* short(shown, "orders", "once", { shipped: true })
      const { go } = yield* send(shown, "executions/once/rerun")
      const call = yield* shown.next(() => true)
      assert.include(call.event.DurableExecutionArn, String(go).split("/").at(-1))
      const [first] = call.event.InitialExecutionState.Operations
      assert.strictEqual(first.ExecutionDetails.InputPayload, `{"orderId":"once"}`)
    })
  )

  it.live("stops an execution, with the reason that was given", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* waiting(shown, "orders", "sleeper", 60)
      yield* send(shown, "executions/sleeper/stop", { message: "out of patience" })
      assert.include(yield* page(shown, "/_ui/executions/sleeper"), "Stopped")
      const last = events(shown, "sleeper").at(-1)
      assert.deepInclude(last, {
        ExecutionStoppedDetails: { Error: { Payload: { ErrorMessage: "out of patience" }, Truncated: false } }
      })
    })
  )
})
