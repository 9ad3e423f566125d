/**
 * Who may do what through the page: a test for every rule that keeps other sites, and what workflows write, from doing
 * anything in the browser of a developer or to the engine.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Service from "../../../src/engine/Service.ts"
import { callback, retry, step, wait } from "../../engine/support.ts"
import { ask, played, returned, signature } from "../support.ts"

/** What a browser sends with a page that somebody opened. */
const browsing = { accept: "text/html,application/xhtml+xml", authorization: "", "sec-fetch-site": "none" }

const get = (url: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
  ask(url, { path, headers: { ...browsing, ...headers } })

/** A page's token, and the cookie that came with it. */
const opened = (url: string) =>
  Effect.map(get(url, "/_ui/"), ({ headers, text }) => ({
    token: /<meta name="token" content="([^"]+)"/.exec(text)?.[1] ?? "",
    cookie: headers["set-cookie"]?.[0]?.split(";")[0] ?? "",
    setCookie: headers["set-cookie"]?.[0] ?? ""
  }))

const post = (url: string, path: string, headers: Readonly<Record<string, string>>, body = "") =>
  ask(url, {
    method: "POST",
    path,
    headers: { authorization: "", "content-type": "application/x-www-form-urlencoded", origin: url, ...headers },
    body
  })

/** An engine with an execution that waits for a callback, whose workflow writes what it is given. */
const scene = (words = "plain") =>
  Effect.gen(function* () {
    const engine = yield* played()
    const { machine, stage } = engine
    const { executionArn } = Result.getOrThrow(
      machine.command(Service.startExecution, {
        functionName: "orders:$LATEST",
        executionName: "order-1",
        payload: JSON.stringify(words),
        invocationType: "Event" as const
      })
    )
    const { event } = yield* stage.next
    const labels = { Name: words }
    const updates = [
      callback("c", { HeartbeatTimeoutSeconds: 600 }, labels),
      step("s", "FAIL", {
        ...labels,
        Error: { ErrorType: words, ErrorMessage: words, ErrorData: words, StackTrace: [words] }
      }),
      step("p", "SUCCEED", { ...labels, Payload: JSON.stringify({ [words]: words }) }),
      retry("r", 3_000, { ...labels, Error: { ErrorType: words, ErrorMessage: words } }),
      wait("w", 4_000, labels)
    ]
    const request = { DurableExecutionArn: executionArn, CheckpointToken: event.CheckpointToken, Updates: updates }
    Result.getOrThrow(machine.command(Service.checkpoint, request))
    return { ...engine, executionArn }
  })

const page = "/_ui/executions/order-1"

const pages = [
  "/_ui/",
  "/_ui/?function=orders&name=order&status=RUNNING",
  page,
  ...["c", "s", "p", "r", "w"].map((id) => `${page}?op=${id}`),
  `${page}?view=events`,
  `${page}?view=invocations`,
  `${page}?scale=real`
]

const others = [
  "/",
  `${page}/payload?of=input`,
  "/_ui/nothing",
  "/_ui/executions/nobody",
  "/_ui/%zz",
  "/_ui/style.css",
  "/_ui/client.js",
  "/_ui/icon.svg"
]

const statusOf = (machine: { readonly query: Machine["query"] }, executionArn: string): string => {
  const found = machine.query(Service.getExecution, { DurableExecutionArn: executionArn, IncludeExecutionData: false })
  return Result.getOrThrow(found).Status
}

type Machine = Effect.Success<ReturnType<typeof played>>["machine"]

describe("A page", () => {
  it.live("forbids the browser to load, run or frame what is not the engine's, and to guess types", () =>
    Effect.gen(function* () {
      const { url } = yield* scene()
      for (const path of [...pages, ...others]) {
        const { headers } = yield* get(url, path)
        const policy = String(headers["content-security-policy"])
        for (const rule of [
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "connect-src 'self'",
          "form-action 'self'",
          "base-uri 'none'",
          "frame-ancestors 'none'"
        ]) {
          assert.include(policy.split("; "), rule, path)
        }
        assert.notMatch(policy, /unsafe|http|\*/, path)
        assert.strictEqual(headers["x-content-type-options"], "nosniff", path)
        assert.strictEqual(headers["referrer-policy"], "no-referrer", path)
      }
    })
  )

  it.live("has no script, style or handler of an event in it", () =>
    Effect.gen(function* () {
      const { url } = yield* scene()
      for (const path of pages) {
        const { status, text } = yield* get(url, path)
        assert.strictEqual(status, 200, path)
        const scripts = text.match(/<script[^>]*>[^<]*/g)
        assert.deepStrictEqual(scripts, [`<script src="/_ui/client.js" type="module">`], path)
        assert.notMatch(text, /<style|<[^>]+\s(style|on\w+)=/, path)
      }
    })
  )

  it.live("shows whatever a workflow writes as text", () =>
    Effect.gen(function* () {
      const words = `</script><img src=x onerror="alert('1')">&amp;`
      const { url } = yield* scene(words)
      for (const path of pages) {
        const { text } = yield* get(url, path)
        assert.notInclude(text, "<img", path)
        assert.notInclude(text, "</script><", path)
        assert.notMatch(text, /="[^"]*alert\('1'\)/, path)
      }
      const { text } = yield* get(url, `${page}?op=s`)
      assert.include(text, "&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;amp;")
    })
  )

  it.live("shows characters that turn text around by their names, whatever they are a part of", () =>
    Effect.gen(function* () {
      const { machine, stage, url } = yield* played()
      const words = "\u202enimda\u200f"
      const error = { ErrorType: words, ErrorMessage: words, ErrorData: words, StackTrace: [words] }
      const { executionArn } = Result.getOrThrow(
        machine.command(Service.startExecution, {
          functionName: "orders:$LATEST",
          executionName: "order-1",
          payload: JSON.stringify(words),
          invocationType: "Event" as const
        })
      )
      const { end, event } = yield* stage.next
      const updates = [step("s", "FAIL", { Error: error }), step("p", "SUCCEED", { Payload: JSON.stringify(words) })]
      const request = { DurableExecutionArn: executionArn, CheckpointToken: event.CheckpointToken, Updates: updates }
      Result.getOrThrow(machine.command(Service.checkpoint, request))
      yield* end(returned({ Status: "FAILED", Error: error }))
      yield* machine.ended(executionArn)
      for (const path of ["/_ui/", page, `${page}?op=s`, `${page}?op=p`, `${page}?view=events`]) {
        const { text } = yield* get(url, path)
        assert.notInclude(text, "\u202e", path)
        assert.include(text, "\\u202enimda\\u200f", path)
      }
    })
  )

  it.live("gives a payload by itself as plain text, which nothing runs in", () =>
    Effect.gen(function* () {
      const { url } = yield* scene("<script>alert(1)</script>")
      const { headers, text } = yield* get(url, `${page}/payload?of=input`)
      assert.match(String(headers["content-type"]), /^text\/plain/)
      assert.strictEqual(text, `"<script>alert(1)</script>"`)
    })
  )

  it.live("is never kept by a browser, and its files are asked for anew", () =>
    Effect.gen(function* () {
      const { url } = yield* scene()
      for (const path of pages) assert.strictEqual((yield* get(url, path)).headers["cache-control"], "no-store")
      const { headers } = yield* get(url, "/_ui/style.css")
      assert.strictEqual(headers["cache-control"], "no-cache")
      assert.match(String(headers["content-type"]), /^text\/css/)
    })
  )

  it.live("has the id of a callback in no address", () =>
    Effect.gen(function* () {
      const { executionArn, machine, url } = yield* scene()
      const id = Result.getOrThrow(
        machine.query((state) => Result.succeed(Service.operations(state, executionArn).find(({ Id }) => Id === "c")), {
          executionArn
        })
      )?.CallbackDetails?.CallbackId
      assert.isDefined(id)
      const { text } = yield* get(url, `${page}?op=c`)
      assert.include(text, id)
      for (const [address] of text.matchAll(/(?:href|action)="[^"]*"/g)) {
        assert.notInclude(address, id)
        assert.notInclude(address, encodeURIComponent(id))
      }
    })
  )
})

describe("Nothing is read or changed", () => {
  it.live("by a page of another site, whatever it asks for", () =>
    Effect.gen(function* () {
      const { executionArn, machine, url } = yield* scene()
      const { cookie, token } = yield* opened(url)
      const strangers: ReadonlyArray<Readonly<Record<string, string>>> = [
        { origin: "https://evil.example" },
        { origin: "null" },
        { "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site" },
        { host: `evil.example:${new URL(url).port}` }
      ]
      for (const headers of strangers) {
        assert.strictEqual((yield* get(url, page, headers)).status, 403)
        assert.strictEqual((yield* get(url, "/_ui/events", headers)).status, 403)
        const sent = yield* post(url, `${page}/stop`, { cookie, "x-effect-durable-token": token, ...headers })
        assert.strictEqual(sent.status, 403)
      }
      assert.strictEqual(statusOf(machine, executionArn), "RUNNING")
    })
  )

  it.live("without the token in its header and in the cookie of this engine", () =>
    Effect.gen(function* () {
      const { executionArn, machine, url } = yield* scene()
      const other = yield* scene()
      const { cookie, token } = yield* opened(url)
      const stranger = yield* opened(other.url)
      const header = "x-effect-durable-token"
      const lacking: ReadonlyArray<Readonly<Record<string, string>>> = [
        {},
        { cookie },
        { [header]: token },
        { cookie, [header]: "" },
        { cookie, [header]: `${token.slice(0, -1)}-` },
        { cookie, [header]: stranger.token },
        { cookie: stranger.cookie, [header]: stranger.token },
        { cookie: stranger.cookie, [header]: token },
        // What lets AWS's clients in lets nobody in here.
        { authorization: signature }
      ]
      const orders = ["/_ui/start", `${page}/stop`, `${page}/skip`, `${page}/rerun`, `${page}/callbacks/c/succeed`]
      for (const headers of lacking) {
        for (const order of orders) {
          const { status } = yield* post(url, order, headers, "function=orders&token=" + token)
          assert.strictEqual(status, 403, `${order} with ${Object.keys(headers).join(" and ") || "nothing"}`)
        }
      }
      assert.strictEqual(statusOf(machine, executionArn), "RUNNING")
      assert.strictEqual(machine.counts({}).RUNNING, 1)
      const { json, status } = yield* post(url, `${page}/stop`, { cookie, [header]: token }, "message=enough")
      assert.deepStrictEqual([status, json], [200, { said: "The execution has been stopped." }])
      assert.strictEqual(statusOf(machine, executionArn), "STOPPED")
    })
  )

  it.live("by a GET", () =>
    Effect.gen(function* () {
      const { executionArn, machine, url } = yield* scene()
      const { cookie, token } = yield* opened(url)
      for (const order of ["/_ui/start", `${page}/stop`, `${page}/callbacks/c/succeed`]) {
        const { status } = yield* get(url, order, { cookie, "x-effect-durable-token": token })
        assert.strictEqual(status, 404, order)
      }
      assert.strictEqual(statusOf(machine, executionArn), "RUNNING")
    })
  )

  it.live("with a body that is larger than any payload", () =>
    Effect.gen(function* () {
      const { url } = yield* scene()
      const { cookie, token } = yield* opened(url)
      const body = `function=orders&payload=${"x".repeat(7_000_000)}`
      const { status } = yield* post(url, "/_ui/start", { cookie, "x-effect-durable-token": token }, body)
      assert.strictEqual(status, 413)
    })
  )
})

describe("The token", () => {
  it.live("is new with every engine, and in a cookie that only this page gets", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* played(), yield* played()]
      const [first, second] = [yield* opened(one.url), yield* opened(two.url)]
      assert.match(first.token, /^[\w-]{43}$/)
      assert.notStrictEqual(first.token, second.token)
      assert.strictEqual(
        first.setCookie,
        `effect-durable-${new URL(one.url).port}=${first.token}; Path=/_ui/; HttpOnly; SameSite=Strict`
      )
    })
  )
})

describe("An engine", () => {
  it.live("leads a browser to its page, and only a browser", () =>
    Effect.gen(function* () {
      const { url } = yield* played()
      const { headers, status } = yield* get(url, "/")
      assert.deepStrictEqual([status, headers["location"]], [302, "/_ui/"])
      assert.strictEqual((yield* get(url, "/_ui")).headers["location"], "/_ui/")
      assert.strictEqual((yield* ask(url, { path: "/" })).status, 404)
      assert.strictEqual((yield* ask(url, { path: "/", headers: { accept: "*/*", authorization: "" } })).status, 403)
    })
  )

  it.live("has no page if it is not to have one", () =>
    Effect.gen(function* () {
      const { url } = yield* played({ ui: false })
      for (const path of ["/", "/_ui/", "/_ui/style.css", "/_ui/events"]) {
        assert.strictEqual((yield* get(url, path)).status, 403, path)
        assert.strictEqual((yield* ask(url, { path })).status, 404, path)
      }
    })
  )

  it.live("says what is wrong with what a form asks for", () =>
    Effect.gen(function* () {
      const { stage, url } = yield* scene()
      const { cookie, token } = yield* opened(url)
      const sent = (path: string, body = "") => post(url, path, { cookie, "x-effect-durable-token": token }, body)
      const messages = yield* Effect.forEach(
        [
          ["/_ui/start", "function=&payload={}"],
          ["/_ui/start", "function=orders&payload={"],
          ["/_ui/start", "function=email&payload={}"],
          ["/_ui/executions/nobody/stop", ""],
          [`${page}/callbacks/s/succeed`, ""],
          [`${page}/explode`, ""],
          [`${page}/constructor`, ""]
        ] as const,
        ([path, body]) => Effect.map(sent(path, body), ({ json, status }) => [status, json.message])
      )
      assert.deepStrictEqual(
        messages.map(([status]) => status),
        [400, 400, 400, 404, 404, 404, 404]
      )
      for (const [, message] of messages) assert.match(String(message), /^[A-Z].*\.$/)
      const { json } = yield* sent("/_ui/start", "function=orders&name=order-2&payload=%7B%22id%22%3A2%7D")
      assert.deepStrictEqual(json, { said: "The execution has been started.", go: "/_ui/executions/order-2" })
      const { end, event } = yield* stage.next
      assert.include(event.DurableExecutionArn, "/order-2/")
      yield* end(returned({ Status: "SUCCEEDED" }))
    })
  )
})
