/** What can be seen and read on every page, in both themes, on a desk and on a telephone. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import axe from "axe-core"
import { describeInBrowser, done, open } from "./browser.ts"
import { everything, large, scene, waiting, type Scene } from "./scene.ts"

const longName = "an-execution-with-a-name-that-is-as-long-as-any-name-may-be-1234"

/** Every page that there is, and what it looks like when there is much, little or nothing on it. */
const addresses = ({ url }: Scene, empty: Scene): Readonly<Record<string, string>> => {
  const order = `${url}/_ui/executions/order-1041`
  return {
    list: `${url}/_ui/`,
    "list of nothing": `${empty.url}/_ui/`,
    "list without a match": `${url}/_ui/?name=nobody`,
    execution: order,
    "execution in real time": `${order}?scale=real`,
    callback: `${order}?op=ask`,
    "step with attempts": `${order}?op=reserve`,
    "call of a function": `${order}?op=charge`,
    events: `${order}?view=events`,
    invocations: `${order}?view=invocations`,
    failure: `${url}/_ui/executions/charge-1038?op=bank`,
    "long name": `${url}/_ui/executions/${longName}`,
    "nothing there": `${url}/_ui/nothing`
  }
}

const full = Effect.gen(function* () {
  const shown = yield* scene()
  yield* everything(shown)
  yield* waiting(shown, "orders", longName, 9_999)
  return addresses(shown, yield* scene())
})

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

/** What axe finds on the page that is open. */
const violations = `axe.run({ runOnly: ${JSON.stringify(tags)} }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ": " + html + " " + failureSummary)))`

const evaluate = <A>(page: { readonly evaluate: <B>(code: string) => Promise<B> }, code: string) =>
  done(() => page.evaluate<A>(code))

describeInBrowser("Every page", () => {
  const sizes = [
    { width: 1_440, height: 900 },
    { width: 390, height: 844 }
  ]
  for (const colorScheme of ["light", "dark"] as const) {
    for (const viewport of sizes) {
      it.live(`is accessible, has no error and fits, ${colorScheme}, ${viewport.width} pixels wide`, () =>
        Effect.gen(function* () {
          const pages = yield* full
          const { complaints, page } = yield* open({ colorScheme, viewport })
          const found: Array<string> = []
          for (const [name, address] of Object.entries(pages)) {
            yield* done(() => page.goto(address))
            // What is folded up counts, too.
            yield* evaluate(page, `document.querySelectorAll("details").forEach((one) => (one.open = true))`)
            yield* evaluate(page, `${axe.source}; undefined`)
            for (const violation of yield* evaluate<ReadonlyArray<string>>(page, violations)) {
              found.push(`${name}: ${violation}`)
            }
            const beyond = yield* evaluate<number>(page, "document.documentElement.scrollWidth - innerWidth")
            assert.isAtMost(beyond, 0, `${name} is wider than the window`)
          }
          assert.deepStrictEqual(found, [])
          // The browser itself complains of the page that is not there.
          assert.deepStrictEqual(
            complaints.filter((complaint) => !complaint.includes("404")),
            []
          )
        })
      )
    }
  }

  it.live("moves nothing for those who want no motion", () =>
    Effect.gen(function* () {
      const { list = "" } = yield* full
      const moving = (reducedMotion: "reduce" | "no-preference") =>
        Effect.scoped(
          Effect.gen(function* () {
            const { page } = yield* open({ reducedMotion })
            yield* done(() => page.goto(list))
            yield* done(() => page.getByText("Live", { exact: true }).waitFor())
            return yield* evaluate<number>(page, "document.getAnimations().length")
          })
        )
      assert.strictEqual(yield* moving("reduce"), 0)
      assert.isAbove(yield* moving("no-preference"), 0)
    })
  )

  it.live("says each state in a word", () =>
    Effect.gen(function* () {
      const { execution = "", list = "" } = yield* full
      const { page } = yield* open()
      yield* done(() => page.goto(execution))
      for (const name of [
        /step validate the order.*Succeeded/,
        /callback approval.*Waiting/,
        /function orders.*Running/
      ]) {
        yield* done(() => page.getByRole("link", { name }).waitFor())
      }
      yield* done(() => page.goto(list))
      yield* done(() => page.getByRole("row", { name: /charge-1038.*Failed/ }).waitFor())
    })
  )

  it.live("can be read without a script", () =>
    Effect.gen(function* () {
      const { execution = "", list = "" } = yield* full
      const { page } = yield* open({ javaScriptEnabled: false })
      yield* done(() => page.goto(list))
      yield* done(() => page.getByLabel("Name contains").fill("1041"))
      yield* done(() => page.getByRole("button", { name: "Search" }).click())
      yield* done(() => page.getByRole("link", { name: "order-1041" }).click())
      assert.strictEqual(page.url(), execution)
      yield* done(() => page.getByRole("link", { name: /reserve stock/ }).click())
      yield* done(() => page.getByRole("heading", { name: "step reserve stock" }).waitFor())
    })
  )
})

describeInBrowser("Three thousand operations", () => {
  it.live("are all there, and only those in sight are drawn", () =>
    Effect.gen(function* () {
      const shown = yield* scene()
      yield* large(shown, "import")
      const { complaints, page } = yield* open()
      yield* done(() => page.goto(`${shown.url}/_ui/executions/import`))
      const rows = `Array.from(document.querySelectorAll("#rows > li"))`
      assert.strictEqual(yield* evaluate<number>(page, `${rows}.length`), 3_000)
      const drawn = `${rows}.filter((row) => row.querySelector("b").checkVisibility({ contentVisibilityAuto: true })).length`
      assert.isBelow(yield* evaluate<number>(page, drawn), 600)
      yield* evaluate(page, "scrollTo(0, document.documentElement.scrollHeight)")
      const last = page.getByRole("link", { name: /import a row/ }).last()
      yield* done(() => last.scrollIntoViewIfNeeded())
      yield* done(() => last.click())
      yield* done(() => page.getByRole("heading", { name: "step import a row" }).waitFor())
      assert.deepStrictEqual(complaints, [])
    })
  )
})
