/** What people do on the page, with a keyboard alone, and what they see while something happens. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Service from "../../src/engine/Service.ts"
import { callback, step, wait } from "../engine/support.ts"
import { describeInBrowser, done, open, type Window } from "./browser.ts"
import { order, scene, waiting, type Scene } from "./scene.ts"

type Page = Window["page"]

/** Presses Tab until this has the focus, and sees that one can see it. */
const tabTo = (page: Page, selector: string) =>
  Effect.gen(function* () {
    for (let presses = 0; presses < 60; presses++) {
      yield* done(() => page.keyboard.press("Tab"))
      const found = yield* done(() =>
        page.evaluate<boolean>(`document.activeElement.matches(${JSON.stringify(selector)})`)
      )
      if (!found) continue
      const outline = yield* done(() => page.evaluate<string>("getComputedStyle(document.activeElement).outlineStyle"))
      assert.strictEqual(outline, "solid", `${selector} does not show that it has the focus`)
      return
    }
    assert.fail(`The Tab key does not lead to ${selector}`)
  })

const press = (page: Page, key: string) => done(() => page.keyboard.press(key))

const type = (page: Page, text: string) => done(() => page.keyboard.type(text))

const see = (page: Page, text: string | RegExp) => done(() => page.getByText(text).first().waitFor())

const said = (page: Page, text: string) => done(() => page.getByRole("alert").getByText(text).waitFor())

const visit = (scene: Scene, path: string) =>
  Effect.gen(function* () {
    const window = yield* open()
    yield* done(() => window.page.goto(`${scene.url}/_ui/${path}`))
    yield* done(() => window.page.locator("#pulse").getByText("Live").waitFor())
    return window
  })

const statusOf = ({ machine }: Scene, executionArn: string): string =>
  Result.getOrThrow(machine.query(Service.getExecution, { DurableExecutionArn: executionArn })).Status

const lastEvent = ({ machine }: Scene, executionArn: string) =>
  Result.getOrThrow(
    machine.query((state) => Result.succeed(Service.history(state, executionArn).at(-1)), { executionArn })
  )

describeInBrowser("With a keyboard", () => {
  it.live("one goes from operation to operation, looks at one, and goes back", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* order(shown, "order-1")
      const { page } = yield* visit(shown, "executions/order-1")
      yield* tabTo(page, "#row-")
      yield* press(page, "ArrowDown")
      yield* press(page, "ArrowDown")
      yield* press(page, "Enter")
      yield* done(() => page.getByRole("heading", { name: "step reserve stock" }).waitFor())
      yield* done(() => page.waitForFunction(`document.activeElement.id === "inspector"`))
      assert.include(page.url(), "op=reserve")
      yield* press(page, "Escape")
      yield* done(() => page.getByRole("heading", { name: "The execution" }).waitFor())
      yield* done(() => page.waitForFunction(`document.activeElement.id === "row-reserve"`))
    })
  )

  it.live("one skips a wait, stops, and runs again", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const playing = yield* waiting(shown, "orders", "sleeper", 86_400)
      const { page } = yield* visit(shown, "executions/sleeper")
      yield* tabTo(page, "#skip")
      yield* press(page, "Enter")
      yield* said(page, "The wait has been skipped.")
      yield* playing.invoked
      yield* tabTo(page, "#stop summary")
      yield* press(page, "Enter")
      yield* tabTo(page, "#stop-message")
      yield* type(page, "enough")
      yield* press(page, "Enter")
      yield* said(page, "The execution has been stopped.")
      assert.strictEqual(statusOf(shown, playing.arn), "STOPPED")
      yield* see(page, "Stopped")
      yield* tabTo(page, "#rerun")
      yield* press(page, "Enter")
      const { event } = yield* shown.next(({ event }) => event.DurableExecutionArn !== playing.arn)
      const name = String(event.DurableExecutionArn).split("/").at(-2) ?? ""
      yield* done(() => page.getByRole("heading", { level: 1, name }).waitFor())
    })
  )

  it.live("one answers callbacks, sends a heartbeat, and lets one fail", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const playing = yield* shown.start("orders", "asking", {})
      yield* playing.checkpoint(callback("a", { HeartbeatTimeoutSeconds: 600 }), callback("b"))
      const { page } = yield* visit(shown, "executions/asking?op=a")
      yield* tabTo(page, `form[action$="/heartbeat"] button`)
      yield* press(page, "Enter")
      yield* said(page, "The heartbeat has been taken.")
      yield* tabTo(page, "#result")
      yield* type(page, `{"by":"Ada"}`)
      yield* tabTo(page, `form[action$="/succeed"] button`)
      yield* press(page, "Enter")
      yield* said(page, "The callback has succeeded.")
      assert.deepInclude(lastEvent(shown, playing.arn), {
        CallbackSucceededDetails: { Result: { Payload: `{"by":"Ada"}`, Truncated: false } }
      })
      yield* done(() => page.goto(`${shown.url}/_ui/executions/asking?op=b`))
      yield* tabTo(page, "#fail-callback summary")
      yield* press(page, "Enter")
      yield* tabTo(page, "#fail-message")
      yield* type(page, "nobody is there")
      yield* press(page, "Enter")
      yield* said(page, "The callback has failed.")
      assert.deepInclude(lastEvent(shown, playing.arn), { EventType: "CallbackFailed" })
    })
  )

  it.live("one starts an execution, and hears what is wrong with it", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const { page } = yield* visit(shown, "")
      yield* tabTo(page, "#start summary")
      yield* press(page, "Enter")
      yield* tabTo(page, "#start-name")
      yield* type(page, "order-7")
      yield* tabTo(page, "#start-payload")
      yield* press(page, "ControlOrMeta+a")
      yield* type(page, "{")
      yield* tabTo(page, "#start form button")
      yield* press(page, "Enter")
      yield* said(page, "The payload is not JSON.")
      yield* done(() => page.locator("#start-payload").fill(`{"orderId":7}`))
      yield* press(page, "Tab")
      yield* press(page, "Enter")
      yield* done(() => page.getByRole("heading", { level: 1, name: "order-7" }).waitFor())
      yield* shown.next(() => true)
    })
  )
})

describeInBrowser("While one looks", () => {
  it.live("new executions come into the list, and their ends", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const { page } = yield* visit(shown, "")
      yield* see(page, "Nothing has been started yet.")
      const playing = yield* shown.start("orders", "order-1", {})
      yield* done(() => page.getByRole("row", { name: /order-1 orders Running/ }).waitFor())
      yield* playing.answer({ Status: "SUCCEEDED", Result: "1" })
      yield* done(() => page.getByRole("row", { name: /order-1 orders Succeeded/ }).waitFor())
    })
  )

  it.live("new operations come in, what is written stays, and so does the focus", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const playing = yield* shown.start("orders", "order-1", {})
      yield* playing.checkpoint(callback("a", undefined, { Name: "question" }))
      const { page } = yield* visit(shown, "executions/order-1?op=a")
      yield* done(() => page.locator("#result").fill("half an answ"))
      yield* playing.checkpoint(step("s", "START", { Name: "pack" }))
      yield* done(() => page.getByRole("link", { name: /step pack.*Running/ }).waitFor())
      yield* type(page, "er")
      assert.strictEqual(yield* done(() => page.locator("#result").inputValue()), "half an answer")
      yield* playing.checkpoint(step("s", "SUCCEED"), wait("w", 60, { Name: "pause" }))
      yield* done(() => page.getByRole("link", { name: /step pack.*Succeeded/ }).waitFor())
      yield* done(() => page.getByRole("link", { name: /wait pause.*Waiting/ }).waitFor())
    })
  )

  it.live("a large payload comes when it is asked for", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const playing = yield* shown.start("orders", "big", {})
      yield* playing.checkpoint(
        step("s", "START"),
        step("s", "SUCCEED", { Payload: JSON.stringify("x".repeat(70_000)) })
      )
      const { page } = yield* visit(shown, "executions/big?op=s")
      yield* done(() => page.getByRole("link", { name: "Show it" }).click())
      yield* see(page, /x{70000}/)
    })
  )

  it.live("what a workflow writes does nothing in the browser", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const words = `</code><img src=x onerror="document.title='hacked'"><script>document.title='hacked'</script>`
      const playing = yield* shown.start("orders", "order-1", words)
      yield* playing.checkpoint(
        step("s", "START", { Name: words }),
        step("s", "FAIL", { Error: { ErrorMessage: words } })
      )
      const { complaints, page } = yield* visit(shown, "executions/order-1?op=s")
      yield* done(() => page.getByRole("heading", { name: words }).waitFor())
      assert.strictEqual(yield* done(() => page.title()), "order-1 · effect-durable")
      assert.deepStrictEqual(complaints, [])
    })
  )

  it.live("says when the engine cannot be reached", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const { page } = yield* visit(shown, "")
      yield* done(() => page.route("**/_ui/events*", (route) => route.abort()))
      yield* done(() => page.reload())
      yield* see(page, "Not connected")
    })
  )

  it.live("a page of an engine that has ended loads itself anew from the one that came after it", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      const { page } = yield* visit(shown, "")
      const loads: Array<string> = []
      page.on("request", (request) => request.isNavigationRequest() && loads.push(request.url()))
      const another = { contentType: "text/event-stream", body: "event: engine\ndata: another\n\n" }
      yield* done(() => page.route("**/_ui/events*", (route) => route.fulfill(another), { times: 1 }))
      yield* done(() => page.reload())
      yield* done(() => page.locator("#pulse").getByText("Live").waitFor())
      assert.lengthOf(loads, 2)
    })
  )
})
